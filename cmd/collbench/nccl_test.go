package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"collbench/cgo/softgpu/softgputest"
)

// TestNCCL runs the program on stand-ins for NVIDIA's libraries.
func TestNCCL(t *testing.T) {
	program := built(t)
	t.Run("rows", func(t *testing.T) { ncclRows(t, program) })
	t.Run("faults", func(t *testing.T) { ncclFaults(t, program) })
	t.Run("without libraries", func(t *testing.T) { ncclMissing(t, program) })
}

// onStandIns runs the program with more settings in its environment.
func onStandIns(t *testing.T, program string, settings []string, args ...string) (rows []row, code int, said string) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"run", "--backend", "nccl", "--iterations", "3", "--warmup", "1", "--format", "json",
		"--out", filepath.Join(t.TempDir(), "run")}, args...)...)
	cmd.Env = softgputest.Environment(softgputest.Libraries(t), "", settings...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the exit code says it
	for line := range bytes.Lines(stdout.Bytes()) {
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		rows = append(rows, r)
	}
	return rows, cmd.ProcessState.ExitCode(), stderr.String()
}

// row is what the tests look at of a printed row.
type row struct {
	Algorithm, Observed, Status, Error, Op, Collective string
	Bytes                                              int64
	Wrong                                              *int64
	Simulated                                          bool
	Fault                                              *struct {
		Rank *int
		Kind string
	}
}

// built builds the program as make does: without -z lazy it might ask for libnvidia-ml at its start.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "collbench")
	if out, err := exec.Command("go", "build", "-ldflags=-extldflags=-Wl,-z,lazy", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// ncclRows: every row is proved, right, and marked as no measurement.
func ncclRows(t *testing.T, program string) {
	for _, args := range [][]string{
		{"-n", "8", "--algorithm", "ring,tree,nvls", "--bytes", "8,4KiB,1MiB"},
		{"-n", "4", "--collective", "all_reduce,all_gather,reduce_scatter", "--algorithm", "ring", "--dtype", "float32,bfloat16,int32", "--op", "sum,max", "--bytes", "4KiB"},
	} {
		rows, code, said := onStandIns(t, program, nil, args...)
		if code != exitOK || len(rows) < 9 {
			t.Fatalf("%v: exit %d, %d rows\n%s", args, code, len(rows), said)
		}
		for _, r := range rows {
			if r.Status != "ok" || r.Observed != r.Algorithm || r.Wrong == nil || *r.Wrong != 0 || !r.Simulated {
				t.Errorf("%+v", r)
			}
		}
	}
}

// ncclFaults: what goes wrong in the library, or what it does in silence, ends in the right words, and the next case
// is measured where that can be.
func ncclFaults(t *testing.T, program string) {
	if testing.Short() {
		t.Skip("waits for the watchdog: left out by -short")
	}
	for _, c := range []struct {
		name, fault, want string
		code              int
		rank              int  // that is named; −1: none
		next              bool // whether the other case is measured
	}{
		{"another algorithm in silence", "algorithm:op=allreduce", "asked for tree, but ring ran (profiler)", exitFailed, -1, true},
		{"a wrong element", "wrong:rank=2,iteration=3", "rank 2 on ", exitFailed, -1, false},
		{"a hang", "hang:rank=3,iteration=2", "rank 3", exitFailed, -1, false},
		{"out of memory", "out-of-memory:device=1", "out of memory", exitFailed, 1, false},
		{"a driver that is too old", "driver", "driver", exitFailed, -1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, code, said := onStandIns(t, program, []string{"SOFTGPU_FAULT=" + c.fault}, "-n", "4", "--algorithm", "tree,ring", "--bytes", "4KiB", "--timeout", "5s")
			bad, good := 0, 0
			for _, r := range rows {
				if r.Status == "ok" {
					good++
					continue
				}
				bad++
				if !strings.Contains(r.Error, c.want) {
					t.Errorf("%s: %s, want %s", r.Status, r.Error, c.want)
				}
				if c.rank >= 0 && (r.Fault == nil || r.Fault.Rank == nil || *r.Fault.Rank != c.rank) {
					t.Errorf("fault %+v, want rank %d", r.Fault, c.rank)
				}
			}
			if code != c.code && code != exitEnvironment || bad == 0 || c.next && good == 0 {
				t.Errorf("exit %d, %d bad and %d good rows\n%s", code, bad, good, said)
			}
		})
	}
}

// ncclMissing: what is missing is said, with the loader's words.
func ncclMissing(t *testing.T, program string) {
	cmd := exec.Command(program, "run", "-n", "2", "--backend", "nccl", "--bytes", "8", "--out", filepath.Join(t.TempDir(), "run"))
	cmd.Env = []string{"COLLBENCH_LIBCUDA=libnowhere.so.1", "COLLBENCH_LIBNCCL=libnowhere.so.2"}
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != exitEnvironment || !strings.Contains(string(out), "libnowhere.so") {
		t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), out)
	}
}
