package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/store"
)

// measureMPI measures under an MPI launcher and reads back what was kept.
func measureMPI(t *testing.T, command []string, flags ...string) []bench.Result {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	cmd := mpirun(t, command, 3, slices.Concat([]string{"run", "--backend", "mpi", "--iterations", "4", "--warmup", "1", "--out", dir}, flags)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	runs, warnings, err := store.Read(dir)
	if err != nil || len(warnings) > 0 || len(runs) != 1 {
		t.Fatalf("%v %v", err, warnings)
	}
	for _, r := range runs[0].Results {
		if r.Wrong == nil || *r.Wrong != 0 || len(r.Seconds) != 3 {
			t.Errorf("%s: %s %s, %v wrong, %d ranks", r.Case, r.Status, r.Error, r.Wrong, len(r.Seconds))
		}
	}
	return runs[0].Results
}

// TestMPIBackend measures by the launcher's own MPI library, from one and the same program.
func TestMPIBackend(t *testing.T) {
	for _, m := range mpiruns {
		t.Run(m.name, func(t *testing.T) {
			for _, r := range measureMPI(t, m.command, "--bytes", "8,64KiB") {
				if r.Status != bench.OK || !strings.HasPrefix(r.Evidence.Detail, map[bool]string{true: "Intel(R) MPI", false: m.name[:5]}[m.name == "Intel MPI"]) {
					t.Errorf("%s: %s %s %+v", r.Case, r.Status, r.Error, r.Evidence)
				}
			}
		})
	}
}

// TestMPIAlgorithm has the library told of an algorithm by the environment of the workers, and shown what it has understood.
func TestMPIAlgorithm(t *testing.T) {
	for _, m := range mpiruns {
		t.Run(m.name, func(t *testing.T) {
			want := map[bool]bench.Status{true: bench.Unproven, false: bench.OK}[m.name == "Intel MPI"]
			for _, r := range measureMPI(t, m.command, "--bytes", "4KiB", "--algorithm", "recursive-doubling") {
				if r.Status != want || want == bench.OK && r.Evidence.Observed != "recursive-doubling" {
					t.Errorf("%s: %s %s %+v", r.Case, r.Status, r.Error, r.Evidence)
				}
			}
		})
	}
}

// TestPointToPoint measures messages: one launcher will do, the rest is the business of bench/backend/mpi.
func TestPointToPoint(t *testing.T) {
	for _, m := range mpiruns {
		if _, err := exec.LookPath(m.command[0]); err != nil {
			continue
		}
		names := []string{"latency", "bandwidth", "bibandwidth", "multi_bandwidth"}
		results := measureMPI(t, m.command, "--operation", strings.Join(names, ","), "--bytes", "64KiB", "--window", "8", "--timing", "batch")
		for _, r := range results {
			if r.Status != bench.OK || !slices.Contains(names, r.What.Operation) || len(r.Seconds[0]) == 0 || len(r.Seconds[1])+len(r.Seconds[2]) > 0 {
				t.Errorf("%s: %s %s %v", r.Case, r.Status, r.Error, r.Seconds)
			}
		}
		if len(results) != len(names) {
			t.Errorf("%d results", len(results))
		}
		return
	}
	t.Skip("no MPI is installed here (scripts/setup and scripts/mpi-peers do)")
}

// TestMPIWithoutLauncher says what is missing.
func TestMPIWithoutLauncher(t *testing.T) {
	out, err := exec.Command(os.Args[0], "run", "-n", "2", "--backend", "mpi", "--bytes", "8").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "mpirun -n 2 collbench run --backend mpi") {
		t.Errorf("%v\n%s", err, out)
	}
}
