package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/cgo/softgpu/softgputest"
)

// TestNCCL runs the program on stand-ins for NVIDIA's libraries.
func TestNCCL(t *testing.T) {
	program := built(t)
	t.Run("rows", func(t *testing.T) { ncclRows(t, program) })
	t.Run("faults", func(t *testing.T) { ncclFaults(t, program) })
	t.Run("faults of the library", func(t *testing.T) { ncclLibraryFaults(t, program) })
	t.Run("mixed libraries", func(t *testing.T) { ncclMixed(t, program) })
	t.Run("counters", func(t *testing.T) { ncclCounters(t, program) })
	t.Run("devices", func(t *testing.T) { ncclDevices(t, program) })
	t.Run("gpu-check", func(t *testing.T) { ncclCheck(t, program) })
	t.Run("refused", func(t *testing.T) { ncclRefused(t, program) })
	t.Run("matrix", func(t *testing.T) { ncclMatrix(t, program) })
	t.Run("hosts", func(t *testing.T) { ncclHosts(t, program) })
	t.Run("without libraries", func(t *testing.T) { ncclMissing(t, program) })
}

// onStandIns runs the program with more settings in its environment.
func onStandIns(t *testing.T, program string, settings []string, args ...string) (rows []row, code int, said string) {
	t.Helper()
	cmd := exec.Command(program, slices.Concat([]string{"run"}, ncclArguments, []string{"--out", filepath.Join(t.TempDir(), "run")}, args)...)
	cmd.Env = softgputest.Environment(softgputest.Libraries(t), "", settings...)
	return rowsOf(t, cmd)
}

// ncclArguments are those of every run on the stand-ins.
var ncclArguments = []string{"--backend", "nccl", "--iterations", "3", "--warmup", "1", "--format", "json"}

// rowsOf runs a command and reads the rows that it prints.
func rowsOf(t *testing.T, cmd *exec.Cmd) (rows []row, code int, said string) {
	t.Helper()
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
	Algorithm, Observed, Status, Error, Op, DType, Collective, Note string
	Bytes                                                           int64
	Wrong                                                           *int64
	Simulated                                                       bool
	Throttled                                                       []string
	Seconds                                                         *summary.Seconds
	Operations                                                      *summary.Operations
	Counted                                                         *summary.Counted
	Fault                                                           *bench.Fault
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

// ncclMissing: what is missing is said, with the loader's words.
func ncclMissing(t *testing.T, program string) {
	cmd := exec.Command(program, "run", "-n", "2", "--backend", "nccl", "--bytes", "8", "--out", filepath.Join(t.TempDir(), "run"))
	cmd.Env = []string{"COLLBENCH_LIBCUDA=libnowhere.so.1", "COLLBENCH_LIBNCCL=libnowhere.so.2"}
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != exitEnvironment || !strings.Contains(string(out), "libnowhere.so") {
		t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), out)
	}
}
