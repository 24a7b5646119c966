package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench/pairs"
	"collbench/internal/planted"
)

// testPairs runs a test of pairs and returns its verdict. It skips the test where namespaces are refused.
func testPairs(t *testing.T, wantCode int, environment []string, args ...string) (v pairs.Verdict, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(os.Args[0], append(args, "--out", dir)...)
	cmd.Env = append(os.Environ(), environment...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	if strings.Contains(stderr.String(), "refused here") {
		t.Skip(stderr.String())
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatalf("no verdict: %v\n%s%s", err, out, stderr.String())
	}
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		t.Errorf("exit %d, want %d: %s\n%s", code, wantCode, v.Statement, stderr.String())
	}
	return v, dir
}

// TestPairsNameWhatIsSlow plants one fault of each kind in the virtual cluster, and none: make bench-pairs does it fifty times.
func TestPairsNameWhatIsSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds for each of four clusters")
	}
	for seed, kind := range planted.Kinds {
		t.Run(kind, func(t *testing.T) {
			fault, code := planted.New(kind, uint64(seed+1)), exitFailed
			if kind == "nothing" {
				code = exitOK
			}
			v, _ := testPairs(t, code, nil, slices.Concat(fault.Args, planted.Options(1))...)
			if err := fault.Check(v); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where short messages alone were tested, the pairs of a slow link do well; halving the hosts finds it.
func TestPairsBisect(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds of a virtual cluster")
	}
	v, _ := testPairs(t, exitFailed, nil, "lab", "--vms", "6", "--link", "200Mbit,vm4=50Mbit", "--", "pairs", "--operation", "latency", "--iterations", "5", "--bisect", "--format", "json")
	if v.Bisection == nil || v.Bisection.Host != "vm4" || len(v.Bisection.Steps) > 3 || !strings.HasPrefix(v.Statement, "vm4 slows all_reduce 1 MiB") {
		t.Errorf("%s: %+v", v.Statement, v.Bisection)
	}
}

// A rank that is killed costs its pairs, and is named.
func TestPairsOfADeadRank(t *testing.T) {
	v, dir := testPairs(t, exitFailed, []string{"COLLBENCH_TEST_TROUBLE=kind=kill,node=2,stage=iterate,team=1"},
		"pairs", "-n", "4", "--transport", "tcp", "--operation", "latency", "--iterations", "20", "--format", "json")
	if len(v.Lost) != 1 || v.Lost[0].Pairs != 1 || !strings.Contains(v.Statement, "rank 2 on ") || v.Tables[0].Measured != 5 {
		t.Errorf("%d of %d pairs, lost %+v: %s", v.Tables[0].Measured, v.Tables[0].Possible, v.Lost, v.Statement)
	}
	var out, stderr strings.Builder
	if code := Main([]string{"collbench", "show", dir, "--format", "csv"}, &out, &stderr); code != exitOK || strings.Count(out.String(), "\n") != 7 {
		t.Errorf("show: exit %d: %s%s", code, out.String(), stderr.String())
	}
	page := filepath.Join(dir, "page.html")
	if code := Main([]string{"collbench", "report", dir, "-o", page}, &out, &stderr); code != exitOK {
		t.Errorf("report: exit %d: %s", code, stderr.String())
	}
	if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "Pairs of 4 ranks on 1 host") {
		t.Errorf("the page: %v", err)
	}
}

func TestPairsUnderMPI(t *testing.T) {
	for _, m := range mpiruns[:1] {
		cmd := mpirun(t, m.command, 3, "pairs", "--backend", "mpi", "--operation", "latency,bandwidth", "--bytes", "4KiB", "--iterations", "20", "--format", "json",
			"--out", filepath.Join(t.TempDir(), "run"))
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, _ := cmd.Output()
		var v pairs.Verdict
		if err := json.Unmarshal(out, &v); err != nil || len(v.Tables) != 2 || v.Tables[0].Measured+v.Tables[1].Measured != 9 {
			t.Errorf("%s: %v: %s\n%s", m.name, err, out, stderr.String())
		}
	}
}
