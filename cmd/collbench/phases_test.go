package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
	"collbench/bench/workers"
)

// TestTroubleInEveryPhase kills, stops or slows one of eight ranks, whose agents are a tree three edges deep, in each
// phase of a case. The case fails within its bound and names the rank and its host, in text and in JSON; the other case
// is measured.
func TestTroubleInEveryPhase(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the watchdog waits: left out by -short")
	}
	what := map[string]string{"kill": "was killed by signal 9 (SIGKILL)", "stop": "is stopped (SIGSTOP or a debugger)", "sleep": ""}
	kinds := map[string]bench.FaultKind{"kill": bench.FaultEnded, "stop": bench.FaultStopped, "sleep": bench.FaultStuck}
	victim := 0
	for _, stage := range []string{"idle", "open", "prepare", "warm-up", "iterate", "verify", "close"} {
		for kind := range what {
			rank := victim % 8
			victim += 3
			t.Run(fmt.Sprintf("%s in %s of rank %d", kind, stage, rank), func(t *testing.T) {
				t.Parallel()
				results, said := withTrouble(t, rank, kind, stage)
				host, _ := os.Hostname()
				who := fmt.Sprintf("rank %d on %s", rank, host)
				failed := 0
				for _, r := range results {
					if r.Status == bench.OK {
						continue
					}
					failed++
					if r.Status != bench.Failed || !strings.Contains(r.Error, who) || !strings.Contains(r.Error, what[kind]) || !strings.Contains(said, who) {
						t.Errorf("%s: %s", r.Status, r.Error)
					}
					f := r.Fault
					if stage == "idle" && kind == "sleep" { // before it can answer anybody
						kinds := []bench.FaultKind{bench.FaultSilent, bench.FaultStuck}
						if f == nil || f.Rank == nil || *f.Rank != rank || f.Kind != kinds[0] && f.Kind != kinds[1] {
							t.Errorf("%+v", f)
						}
						continue
					}
					if f == nil || f.Rank == nil || *f.Rank != rank || f.Host != host || f.PID == 0 || f.Kind != kinds[kind] || len(f.Others) < 7 {
						t.Errorf("%+v", f)
					} else if stage != "idle" && f.Stage != stage {
						t.Errorf("in stage %s, want %s", f.Stage, stage)
					}
				}
				if failed != 1 || len(results) != 2 {
					t.Errorf("%d of %d cases failed\n%s", failed, len(results), said)
				}
			})
		}
	}
}

// withTrouble runs two cases on eight ranks, with trouble planted in the first team.
func withTrouble(t *testing.T, rank int, kind, stage string) (results []bench.Result, said string) {
	t.Helper()
	f := fleet{dir: filepath.Join(t.TempDir(), "run")}
	file := filepath.Join(t.TempDir(), "meet")
	args := []string{"run", "--bytes", "64K", "--algorithm", "ring,nvls", "--timeout", "2s", "--iterations", "4", "--warmup", "1", "--out", f.dir}
	f.ranks, f.stderr = members(t, 8, args, func(r int) []string {
		return []string{fmt.Sprintf("COLLBENCH_RANK=%d", r), "COLLBENCH_SIZE=8", "COLLBENCH_RENDEZVOUS=file:" + file, "COLLBENCH_TEST_FANOUT=2",
			fmt.Sprintf("%s=kind=%s,node=%d,stage=%s", workers.TroubleVariable, kind, rank, stage)}
	})
	f.end(t, 40*time.Second, nil)
	runs, warnings, err := store.Read(f.dir)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v\n%s", err, warnings, f.stderr[0])
	}
	return runs[0].Results, f.stderr[0].String()
}
