// Package softgpu holds no Go but tests: C and C++ that stand in for NVIDIA's libraries, and programs in testdata that
// use them as collbench does, several processes at a time. README.md says what is faithful and what is not.
package softgpu

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collbench/cgo/softgpu/softgputest"
)

var programs sync.Map // of testdata that are compiled, by name

// program compiles one of testdata once and gives its path.
func program(t *testing.T, name string) string {
	t.Helper()
	compiled, _ := programs.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		folder, err := os.MkdirTemp("", "softgpu")
		if err != nil {
			return "", err
		}
		path := filepath.Join(folder, strings.TrimSuffix(name, filepath.Ext(name)))
		arguments := []string{"-O1", "-Wall", "-Wno-unused-function", "-rdynamic", "-o", path, filepath.Join("testdata", name)}
		compiler := "gcc"
		if filepath.Ext(name) == ".cpp" {
			compiler, arguments = "g++", append(arguments, "common/softgpu.cpp")
		}
		output, err := exec.Command(compiler, append(arguments, "-ldl")...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s %s: %w\n%s", compiler, name, err, output)
		}
		return path, nil
	}))
	path, err := compiled.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	code := m.Run()
	programs.Range(func(_, compiled any) bool {
		if path, err := compiled.(func() (string, error))(); err == nil {
			os.RemoveAll(filepath.Dir(path))
		}
		return true
	})
	os.Exit(code)
}

// run starts a program with the stand-ins of a release and gives what it printed, and its error.
func run(t *testing.T, name, release string, settings []string, arguments ...string) (string, error) {
	t.Helper()
	libraries := softgputest.Libraries(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, program(t, name), arguments...)
	command.Env = softgputest.Environment(libraries, release, settings...)
	output, err := command.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("it did not end: %w", ctx.Err())
	}
	return strings.TrimSpace(string(output)), err
}

func TestDriver(t *testing.T) {
	if output, err := run(t, "driver.c", "", nil); err != nil || output != "ok" {
		t.Errorf("%v: %s", err, output)
	}
}

// TestCollectives compares every collective, type and reduction with references. A program counts its cases.
func TestCollectives(t *testing.T) {
	for _, c := range []struct {
		name, release, ranks string
		settings             []string
		cases                string
	}{
		{"two", "", "2", nil, "ok 503"},
		{"three", "", "3", nil, "ok 462"},
		{"four", "", "4", nil, "ok 504"},
		{"eight", "", "8", nil, "ok 504"},
		{"ring", "2.27", "4", []string{"NCCL_ALGO=Ring", "NCCL_PROTO=Simple"}, "ok 462"},
		{"oldest", "2.18", "2", []string{"NCCL_ALGO=Tree"}, "ok 391"},
		{"tree over nodes", "2.21", "8", []string{"NCCL_ALGO=Tree", "SOFTGPU_RANKS_PER_NODE=2"}, "ok 392"},
		{"tree over five nodes", "2.21", "5", []string{"NCCL_ALGO=Tree", "SOFTGPU_RANKS_PER_NODE=1"}, "ok 362"},
		{"collnet", "2.21", "4", []string{"NCCL_ALGO=CollNetDirect", "NCCL_COLLNET_ENABLE=1", "SOFTGPU_RANKS_PER_NODE=2"}, "ok 392"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if output, err := run(t, "collectives.c", c.release, c.settings, c.ranks); err != nil || output != c.cases {
				t.Errorf("%v: %s; want %s", err, output, c.cases)
			}
		})
	}
}

// TestNothingLeft kills ranks that hang and looks for what shared memory could have left.
func TestNothingLeft(t *testing.T) {
	libraries := softgputest.Libraries(t)
	before := listing(t)
	command := exec.Command(program(t, "faults.c"), "4")
	command.Env = softgputest.Environment(libraries, "", "SOFTGPU_FAULT=hang:iteration=1", "WAIT_MS=60000")
	command.SysProcAttr = ownGroup()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	killGroup(command.Process.Pid)
	_ = command.Wait()
	if after := listing(t); !slices.Equal(before, after) {
		t.Errorf("left in /dev/shm: %v, before %v", after, before)
	}
}

func listing(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("/dev/shm/*softgpu*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// exported are the functions that a library has for others.
func exported(t *testing.T, path string) map[string]bool {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			names[s.Name] = true
		}
	}
	return names
}

// TestSymbols: what cgo/cuda and cgo/nccl look up is there, in each release what it had and nothing newer.
func TestSymbols(t *testing.T) {
	libraries := softgputest.Libraries(t)
	for _, c := range []struct{ header, library string }{
		{"../cuda/calls.h", "libcuda.so.1"}, {"../nccl/calls.h", "libnccl.so.2"},
	} {
		text, err := os.ReadFile(c.header)
		if err != nil {
			t.Fatal(err)
		}
		have, wanted := exported(t, filepath.Join(libraries, c.library)), regexp.MustCompile(`CALL\((?:CB_[A-Z]+, )?([a-z]\w+),`).FindAllStringSubmatch(string(text), -1)
		if len(wanted) < 20 {
			t.Errorf("%s: only %d calls found", c.header, len(wanted))
		}
		for _, w := range append(wanted, []string{"", "softgpu_stand_in"}) {
			if !have[w[1]] {
				t.Errorf("%s has no %s", c.library, w[1])
			}
		}
	}
	for _, c := range []struct {
		release  string
		has, not string
	}{
		{"2.18", "ncclCommSplit", "ncclMemAlloc"}, {"2.19", "ncclMemAlloc", "ncclGroupSimulateEnd"},
		{"2.22", "ncclGroupSimulateEnd", "ncclCommInitRankScalable"}, {"2.26", "ncclCommInitRankScalable", "ncclCommWindowRegister"},
		{"2.27", "ncclCommWindowRegister", "ncclAlltoAll"}, {"2.28", "ncclAlltoAll", "ncclWinGetUserPtr"}, {"2.30", "ncclWinGetUserPtr", "ncclCommDump"},
	} {
		have := exported(t, filepath.Join(libraries, "nccl-"+c.release, "libnccl.so.2"))
		if !have[c.has] || have[c.not] {
			t.Errorf("%s: %s %v, %s %v", c.release, c.has, have[c.has], c.not, have[c.not])
		}
	}
}

func TestManagement(t *testing.T) {
	const facts = "8 devices, softgpu (stand-in) device 0\n18 links, level 40, nvlink 0\nmig 0, virtualization 0, throttle 0\n"
	if output, err := run(t, "nvml.c", "", nil); err != nil || output != facts+"sent 1024 KiB, by link the same" {
		t.Errorf("%v: %s", err, output)
	}
	counters, err := os.Create(filepath.Join(t.TempDir(), "counters"))
	if err != nil {
		t.Fatal(err)
	}
	defer counters.Close()
	settings := []string{"SOFTGPU_DEVICES=2", "SOFTGPU_MIG=1", "SOFTGPU_VIRTUALIZATION=1", "SOFTGPU_THROTTLE=64", "SOFTGPU_LINKS_DOWN=2", "SOFTGPU_COUNTERS=" + counters.Name()}
	want := "2 devices, softgpu (stand-in) device 0\n16 links, level 40, nvlink 0\nmig 1, virtualization 1, throttle 64\nsent 1024 KiB, by link the same\nthe other received 1024 KiB"
	if output, err := run(t, "nvml.c", "", settings); err != nil || output != want {
		t.Errorf("%v: %s", err, output)
	}
}
