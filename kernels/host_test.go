package kernels

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The structs of kernels.h that nothing but the stand-ins launches.
type (
	reduceParams struct {
		out, a, b, count, scalar uint64
		kind, op, flags, divisor uint32
	}
	copyParams struct{ to, from, bytes uint64 }
)

// dataType is a data type as the kernels know it; float formats have bits of exponent and significand.
type dataType struct {
	name                  string
	kind                  uint32
	size                  int
	signed, floating      bool
	exponent, significand int
}

var dataTypes = []dataType{
	{"int8", 0, 1, true, false, 0, 0}, {"uint8", 1, 1, false, false, 0, 0}, {"int32", 2, 4, true, false, 0, 0},
	{"uint32", 3, 4, false, false, 0, 0}, {"int64", 4, 8, true, false, 0, 0}, {"uint64", 5, 8, false, false, 0, 0},
	{"float16", 6, 2, true, true, 5, 10}, {"float32", 7, 4, true, true, 8, 23}, {"float64", 8, 8, true, true, 11, 52},
	{"bfloat16", 9, 2, true, true, 8, 7}, {"float8e4m3", 10, 1, true, true, 4, 3}, {"float8e5m2", 11, 1, true, true, 5, 2},
}

const (
	sum, prod, greatest, least = 0, 1, 2, 3

	tableBytes = 1009 * 16
	arenaBytes = 16 << 20
)

// machine is a process that runs kernels on the host, and the memory that it shares with the test.
type machine struct {
	t      *testing.T
	memory []byte
	base   uint64 // the memory's address in that process
	in     io.Writer
	out    *bufio.Scanner
}

// program is the kernels compiled for the host, with checks for undefined behaviour: a misaligned access among it,
// which a device does not forgive. It is compiled once, into a folder that TestMain removes.
var program = sync.OnceValues(func() (string, error) {
	for _, pattern := range []string{"*.h", "*.cuh", "*.cu", "*.cpp", "testdata/*.cpp"} {
		for _, name := range must(filepath.Glob(pattern)) {
			must(os.Stat(name)) // so that Go's cache of test results knows what g++ reads
		}
	}
	path := filepath.Join(folder, "run")
	output, err := exec.Command("g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-ffp-contract=off",
		"-fno-strict-aliasing", "-pthread", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-o", path, "testdata/run.cpp", "host.cpp").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("g++: %w\n%s", err, output)
	}
	return path, err
})

var folder string

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestMain(m *testing.M) {
	folder = must(os.MkdirTemp("", "kernels"))
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// start starts a process that runs kernels until the test ends.
func start(t *testing.T) *machine {
	t.Helper()
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("g++ is not installed (scripts/setup): the kernels cannot be compiled for the host")
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	arena := filepath.Join(t.TempDir(), "memory")
	file, err := os.Create(arena)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(arenaBytes); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t}
	if m.memory, err = syscall.Mmap(int(file.Fd()), 0, arenaBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(path, arena)
	in, _ := run.StdinPipe()
	out, _ := run.StdoutPipe()
	run.Stderr = os.Stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := run.Wait(); err != nil {
			t.Errorf("the kernels' process: %v", err)
		}
		syscall.Munmap(m.memory)
	})
	m.in, m.out = in, bufio.NewScanner(out)
	if _, err := fmt.Sscan(m.line(), &m.base); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) line() string {
	if !m.out.Scan() {
		m.t.Fatal("the kernels' process has ended")
	}
	return strings.TrimSpace(m.out.Text())
}

// launch runs a kernel over a grid.
func (m *machine) launch(name string, grid, block int, params any) {
	m.t.Helper()
	m.launches(1, name, grid, block, params)
}

// launches runs a kernel so many times at once, each in a thread of its own.
func (m *machine) launches(times int, name string, grid, block int, params any) {
	m.t.Helper()
	fmt.Fprintf(m.in, "%s %d %d %d %x\n", name, grid, block, times, encode(params))
	if answer := m.line(); answer != "done" {
		m.t.Fatalf("%s: %s", name, answer)
	}
}

func encode(of any) []byte {
	var b bytes.Buffer
	must(0, binary.Write(&b, binary.LittleEndian, of))
	return b.Bytes()
}

// put copies data into the memory at an offset and returns the address of it there.
func (m *machine) put(offset int, data []byte) uint64 {
	copy(m.memory[offset:offset+len(data)], data)
	return m.base + uint64(offset)
}

func (m *machine) at(offset, length int) []byte { return m.memory[offset : offset+length] }
