package history

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// session is a made run: test data, not a measurement.
type session struct {
	id        string
	day       int
	after     time.Duration // of the day's first
	cpu       string
	kernel    string
	commit    string
	launches  int
	simulated bool
	seconds   func(bytes int64, launch int) float64
}

func (s session) info() bench.RunInfo {
	e := bench.Environment{Host: "node1", OS: "Debian GNU/Linux 12", Kernel: s.kernel, CPU: s.cpu, CPUs: 4, Memory: 16 << 30, Hypervisor: "none",
		Version: "v1", Variables: map[string]string{"NCCL_DEBUG": "INFO", "SLURM_JOB_ID": s.id, "OMPI_MCA_orte_hnp_uri": s.id + ";tcp://192.0.2.1:1"}}
	if s.commit != "" {
		e.Variables["GITHUB_SHA"] = s.commit
	}
	return bench.RunInfo{Schema: bench.RunSchema, ID: s.id, Started: time.Date(2026, 1, 1+s.day, 3, 0, 0, 0, time.UTC).Add(s.after), Plan: json.RawMessage("null"),
		Environment: e, Ranks: []bench.RankInfo{{Rank: 0, Host: "node1"}, {Rank: 1, Host: "node2"}}}
}

func madeCase(bytes int64) bench.Case {
	return bench.Case{What: bench.What{Algorithm: "ring", Bytes: bytes}, How: bench.How{Backend: "host", Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier},
		Where: bench.Where{Ranks: 2, Hosts: 2, Domain: 1, Radix: 40}}
}

var madeSizes = []int64{1 << 10, 1 << 20}

// write makes the run folder.
func (s session) write(t testing.TB, dir string) string {
	t.Helper()
	return s.append(t, dir, false)
}

// append adds the run to a folder that has some.
func (s session) append(t testing.TB, dir string, add bool) string {
	t.Helper()
	if s.cpu == "" {
		s.cpu = "Example CPU"
	}
	folder, err := store.Create(dir, add)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := folder.WriteInfo(s.info()); err != nil {
		t.Fatal(err)
	}
	for launch := range max(1, s.launches) {
		for _, bytes := range madeSizes {
			v := 1e-3
			if s.seconds != nil {
				v = s.seconds(bytes, launch)
			}
			zero := int64(0)
			r := bench.Result{Schema: bench.SampleSchema, Case: madeCase(bytes), Launch: launch, Status: bench.OK, Wrong: &zero, IterationsPerSample: 1,
				Evidence: bench.Evidence{Observed: "ring", Source: "program"}, Seconds: [][]float64{{v, v, v}, {v, v / 2, v}}, Simulated: s.simulated}
			if err := folder.Append(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// newHistory opens a new history in a folder of its own.
func newHistory(t testing.TB) History {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "history.db"))
}

func openAt(t testing.TB, path string) History {
	t.Helper()
	index, err := Open(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	return History{index}
}

// addSessions writes sessions one after the other and adds them; without an ID they are named by their number.
func addSessions(t testing.TB, h History, sessions ...session) (folders []string) {
	t.Helper()
	root := t.TempDir()
	for i, s := range sessions {
		if s.id == "" {
			s.id = fmt.Sprintf("run-%03d", i)
		}
		dir := s.write(t, filepath.Join(root, s.id))
		if _, err := h.Add(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, dir)
	}
	return folders
}
