package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// dump is all that an index holds, in an order of its own.
func dump(t *testing.T, h History) string {
	t.Helper()
	ctx := t.Context()
	c, err := h.contents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Runs {
		if c.Runs[i].Points, err = h.Index.Points(ctx, c.Runs[i].ID); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(c.Runs[i].Points, func(a, b Point) int { return strings.Compare(text(t, a.Case), text(t, b.Case)) })
	}
	slices.SortFunc(c.Runs, func(a, b Run) int { return strings.Compare(a.ID, b.ID) })
	machines, err := h.Index.Machines(ctx)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(machines, func(a, b Machine) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	var cases []string
	for _, m := range machines {
		list, err := h.Index.Cases(ctx, m.Fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			cases = append(cases, m.Fingerprint+text(t, c))
		}
	}
	slices.Sort(cases)
	return text(t, []any{c, machines, cases})
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAddAndAsk(t *testing.T) {
	h := newHistory(t)
	ctx := t.Context()
	slower := func(bytes int64, launch int) float64 { return 2e-3 + 1e-3*float64(launch) }
	folders := addSessions(t, h, session{kernel: "6.1"}, session{day: 1, kernel: "6.2", commit: "abc", launches: 3, seconds: slower}, session{day: 2, cpu: "Other CPU"})
	runs, err := h.Index.Runs(ctx, Query{})
	if err != nil || len(runs) != 3 || runs[0].ID != "run-002" || runs[2].ID != "run-000" {
		t.Fatalf("%v, %v", runs, err)
	}
	if runs[1].Commit != "abc" || runs[1].Folder != folders[1] || runs[1].Environment["kernel"] != "6.2" || runs[1].Environment["hosts"] != "node1 node2" {
		t.Errorf("%+v", runs[1])
	}
	for _, name := range []string{"SLURM_JOB_ID", "GITHUB_SHA", "OMPI_MCA_orte_hnp_uri"} {
		if v, ok := runs[1].Environment[name]; ok {
			t.Errorf("%s=%s differs in every run and explains nothing", name, v)
		}
	}
	machine := runs[1].Machine.Fingerprint
	if machine == runs[0].Machine.Fingerprint || machine != runs[2].Machine.Fingerprint {
		t.Errorf("machines %s, %s, %s: want the last two alike", runs[0].Machine.Fingerprint, machine, runs[2].Machine.Fingerprint)
	}
	series, err := h.Index.Series(ctx, machine, madeCase(1<<20), Span{})
	if err != nil || len(series) != 2 || series[0].Run.ID != "run-000" || *series[0].Point.Seconds != 1e-3 || *series[1].Point.Seconds != 3e-3 ||
		!slices.Equal(series[1].Point.Launches, []float64{2e-3, 3e-3, 4e-3}) || series[1].Point.Observed != "ring" {
		t.Errorf("%s, %v", text(t, series), err)
	}
	if last, _ := h.Index.Series(ctx, machine, madeCase(1<<20), Span{Last: 1}); len(last) != 1 || last[0].Run.ID != "run-001" {
		t.Errorf("the last one: %v", last)
	}
	if earlier, _ := h.Index.Series(ctx, machine, madeCase(1<<20), Span{Before: runs[1].Started}); len(earlier) != 1 || earlier[0].Run.ID != "run-000" {
		t.Errorf("those before the second: %v", earlier)
	}
	if one, _ := h.Index.Runs(ctx, Query{Machine: machine, Last: 1}); len(one) != 1 || one[0].ID != "run-001" {
		t.Errorf("the last run of a machine: %v", one)
	}
	if one, _ := h.Index.Runs(ctx, Query{Folder: folders[0]}); len(one) != 1 || one[0].ID != "run-000" {
		t.Errorf("the run of a folder: %v", one)
	}
	if changes := Differences(runs[2], runs[1]); !slices.Equal(changes, []string{"kernel: 6.1 → 6.2"}) {
		t.Errorf("changes %q", changes)
	}
}

// What says nothing about a machine must not come into its history.
func TestRefused(t *testing.T) {
	h := newHistory(t)
	simulated := session{id: "s", simulated: true}.write(t, filepath.Join(t.TempDir(), "s"))
	_, err := h.Add(t.Context(), simulated)
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "2 are simulated") {
		t.Errorf("simulated: %v", err)
	}
	imported := filepath.Join(t.TempDir(), "i")
	folder, err := store.Create(imported, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.WriteInfo(bench.RunInfo{Schema: bench.RunSchema, ID: "i", Plan: json.RawMessage("null"), Environment: bench.Environment{Version: "v1"}}); err != nil {
		t.Fatal(err)
	}
	folder.Close()
	if _, err := h.Add(t.Context(), imported); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "on which machine") {
		t.Errorf("imported: %v", err)
	}
	if _, err := h.Add(t.Context(), t.TempDir()); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("no run folder: %v", err)
	}
	if runs, _ := h.Index.Runs(t.Context(), Query{}); len(runs) > 0 {
		t.Errorf("kept: %v", runs)
	}
}

// A failed launch has no figure; a wrong one's time is none either; the worst status is the point's.
func TestPointOfBadLaunches(t *testing.T) {
	dir := session{id: "b", launches: 3}.write(t, filepath.Join(t.TempDir(), "b"))
	runs, _, err := store.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range runs[0].Results {
		r := &runs[0].Results[i]
		switch {
		case r.What.Bytes == 1<<10 && r.Launch == 1:
			r.Status, r.Error = bench.Failed, "killed"
		case r.What.Bytes == 1<<10 && r.Launch == 2:
			r.Status = bench.Interrupted
		case r.What.Bytes == 1<<20:
			r.Status = bench.Wrong
		}
	}
	got, _, err := newRun(dir, runs[0])
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Points[0]; p.Status != bench.Failed || len(p.Launches) != 1 || p.Seconds == nil {
		t.Errorf("one launch failed, and one was interrupted: %+v", p)
	}
	if p := got.Points[1]; p.Status != bench.Wrong || len(p.Launches) != 0 || p.Seconds != nil {
		t.Errorf("all wrong: %+v", p)
	}
}

func TestFingerprint(t *testing.T) {
	base, _ := MachineOf(session{cpu: "C"}.info())
	for name, change := range map[string]func(*bench.RunInfo){
		"host names": func(i *bench.RunInfo) { i.Ranks[0].Host, i.Ranks[1].Host, i.Environment.Host = "x", "y", "x" },
		"kernel":     func(i *bench.RunInfo) { i.Environment.Kernel = "7" },
		"memory":     func(i *bench.RunInfo) { i.Environment.Memory += 5 << 20 },
		"version":    func(i *bench.RunInfo) { i.Environment.Version = "v2" },
		"variables":  func(i *bench.RunInfo) { i.Environment.Variables["NCCL_DEBUG"] = "WARN" },
		"order":      func(i *bench.RunInfo) { i.Ranks[0], i.Ranks[1] = i.Ranks[1], i.Ranks[0] },
	} {
		info := session{cpu: "C"}.info()
		change(&info)
		if m, ok := MachineOf(info); !ok || m.Fingerprint != base.Fingerprint {
			t.Errorf("%s: another machine: %+v", name, m)
		}
	}
	for name, change := range map[string]func(*bench.RunInfo){
		"CPU":       func(i *bench.RunInfo) { i.Environment.CPU = "D" },
		"CPUs":      func(i *bench.RunInfo) { i.Environment.CPUs = 2 },
		"ranks":     func(i *bench.RunInfo) { i.Ranks = append(i.Ranks, bench.RankInfo{Rank: 2, Host: "node3"}) },
		"placement": func(i *bench.RunInfo) { i.Ranks[1].Host = i.Ranks[0].Host },
		"links": func(i *bench.RunInfo) {
			i.Links, i.LinkKind = []bench.LinkInfo{{Transmit: 1e8, Receive: 1e8}}, "kernel"
		},
	} {
		info := session{cpu: "C"}.info()
		change(&info)
		if m, ok := MachineOf(info); !ok || m.Fingerprint == base.Fingerprint {
			t.Errorf("%s: the same machine: %+v", name, m)
		}
	}
}

func TestBaselinesAndRebuild(t *testing.T) {
	h := newHistory(t)
	ctx := t.Context()
	folders := addSessions(t, h, session{}, session{day: 1}, session{day: 2, cpu: "Other CPU"})
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	if err := h.SetBaseline(ctx, "main", folders[:2], now); err != nil {
		t.Fatal(err)
	}
	if err := h.SetBaseline(ctx, "old", folders[:1], now); err != nil {
		t.Fatal(err)
	}
	// A name that moves leaves its old folders.
	if err := h.SetBaseline(ctx, "main", folders[1:2], now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b, err := h.Baseline(ctx, "main")
	if err != nil || !slices.Equal(b.Folders, folders[1:2]) {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := h.Baseline(ctx, "nope"); !errors.Is(err, ErrNoBaseline) || !strings.Contains(err.Error(), "want one of main, old") {
		t.Error(err)
	}
	if err := h.SetBaseline(ctx, "no/name", folders[:1], now); err == nil {
		t.Error("a path was taken for a name")
	}
	before := dump(t, h)
	n, warnings, err := h.Rebuild(ctx)
	if err != nil || n != 3 || len(warnings) > 0 {
		t.Fatalf("%d runs, %v, %v", n, warnings, err)
	}
	if after := dump(t, h); after != before {
		t.Errorf("rebuilt:\n%s\nwas:\n%s", after, before)
	}
	fresh := newHistory(t)
	if n, warnings, err := fresh.Rebuild(ctx, filepath.Dir(folders[0])); err != nil || n != 3 || len(warnings) > 0 {
		t.Fatalf("%d runs, %v, %v", n, warnings, err)
	}
	if after := dump(t, fresh); after != before {
		t.Errorf("made from nothing but the folders:\n%s\nwas:\n%s", after, before)
	}
	if err := h.RemoveBaseline(ctx, "main"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folders[1], marksName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder still has a name: %v", err)
	}
	// What is gone goes, and with it the baseline that was nothing else.
	os.RemoveAll(folders[0])
	gone, err := h.Gone(ctx)
	if err != nil || len(gone) != 1 || gone[0].ID != "run-000" {
		t.Fatalf("gone: %v, %v", gone, err)
	}
	if err := h.Index.Remove(ctx, []string{gone[0].ID}); err != nil {
		t.Fatal(err)
	}
	if list, err := h.Index.Baselines(ctx); err != nil || len(list) > 0 {
		t.Errorf("baselines %v, %v", list, err)
	}
}

// Runs that a script appends, one a launch, are one session; one that comes with another kernel, or much later, is not.
func TestLaunchesOfOneSession(t *testing.T) {
	h := newHistory(t)
	dir := session{id: "first", kernel: "6.1"}.write(t, filepath.Join(t.TempDir(), "runs"))
	for i, next := range []struct {
		kernel string
		after  time.Duration
	}{{"6.1", time.Minute}, {"6.1", 50 * time.Minute}, {"6.1", 20 * time.Hour}, {"6.2", 20*time.Hour + time.Minute}} {
		s := session{id: fmt.Sprint("next", i), kernel: next.kernel, after: next.after, seconds: func(int64, int) float64 { return 3e-3 }}
		s.append(t, dir, true)
	}
	added, err := h.Add(t.Context(), dir)
	if err != nil || len(added.Runs) != 3 || added.Runs[0].ID != "first" || added.Runs[1].ID != "next2" || added.Runs[2].ID != "next3" {
		t.Fatalf("%s, %v", text(t, added), err)
	}
	points, err := h.Index.Points(t.Context(), "first")
	if err != nil || len(points) != 2 || !slices.Equal(points[0].Launches, []float64{1e-3, 3e-3, 3e-3}) || *points[0].Seconds != 3e-3 || points[0].Observed != "ring" {
		t.Errorf("%s, %v", text(t, points), err)
	}
}

// A run that is added again, with more results, takes the place of what was known of it.
func TestAddAgain(t *testing.T) {
	h := newHistory(t)
	folders := addSessions(t, h, session{})
	os.RemoveAll(folders[0])
	session{id: "run-000", launches: 4}.write(t, folders[0])
	if _, err := h.Add(t.Context(), folders[0]); err != nil {
		t.Fatal(err)
	}
	other := session{id: "run-000", day: 7}.write(t, filepath.Join(t.TempDir(), "other"))
	if _, err := h.Add(t.Context(), other); err == nil || !strings.Contains(err.Error(), "has the ID of another run") {
		t.Errorf("another run of the same ID: %v", err)
	}
	points, err := h.Index.Points(t.Context(), "run-000")
	if err != nil || len(points) != 2 || len(points[0].Launches) != 4 {
		t.Errorf("%+v, %v", points, err)
	}
}
