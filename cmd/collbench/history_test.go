package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// madeSession writes a run folder with made times, of one session on the n-th day: test data, not a measurement.
func madeSession(t *testing.T, dir string, n int, seconds float64, simulated bool) {
	t.Helper()
	folder, err := store.Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	start := time.Date(2026, 1, 1+n, 3, 0, 0, 0, time.UTC)
	info := bench.RunInfo{Schema: bench.RunSchema, ID: filepath.Base(dir), Started: start, Plan: json.RawMessage("null"),
		Environment: bench.Environment{CPU: "Example CPU", CPUs: 2}, Ranks: []bench.RankInfo{{Rank: 0, Host: "a"}, {Rank: 1, Host: "a"}}}
	if err := folder.WriteInfo(info); err != nil {
		t.Fatal(err)
	}
	zero := int64(0)
	for launch := range 6 {
		for _, bytes := range []int64{1 << 10, 1 << 20} {
			v := seconds * (1 + 0.001*float64(launch%3))
			r := bench.Result{Schema: bench.SampleSchema, Launch: launch, Start: start.Add(time.Duration(launch) * time.Second), Status: bench.OK, Wrong: &zero,
				Evidence: bench.Evidence{Observed: "ring", Source: "program"}, Seconds: [][]float64{{v, v}, {v, v}}, IterationsPerSample: 1, Simulated: simulated,
				Case: bench.Case{What: bench.What{Algorithm: "ring", Bytes: bytes}, How: bench.How{Backend: "host", Transport: "shm", Timing: bench.TimingBarrier},
					Where: bench.Where{Ranks: 2, Hosts: 1, Domain: 2}}}
			if err := folder.Append(r); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestHistoryExitCodes(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(databaseVariable, "h.db")
	madeSession(t, "one", 0, 1e-3, false)
	madeSession(t, "two", 1, 1e-3, false)
	madeSession(t, "stand-in", 2, 1e-3, true)
	for _, c := range []struct {
		args string
		want int
	}{
		{"list", exitEnvironment}, // there is none
		{"add one two", exitOK}, {"list", exitOK}, {"show one", exitOK}, {"trend", exitOK}, {"rebuild", exitOK}, {"gc", exitOK},
		{"add stand-in", exitUsage}, {"add nowhere", exitEnvironment}, {"add stand-in nowhere", exitEnvironment}, {"add", exitUsage}, {"", exitUsage},
		{"show nowhere", exitUsage}, {"show stand-in", exitUsage}, {"show", exitUsage}, {"show one two", exitUsage}, {"show --format xml one", exitUsage},
		{"list --last -1", exitUsage}, {"list --machine x", exitUsage}, {"list --format xml", exitUsage},
		{"trend --bytes 7", exitInconclusive}, {"trend --collective x", exitInconclusive}, {"trend --last -1", exitUsage},
		{"baseline set main one", exitOK}, {"baseline list", exitOK}, {"baseline set ma/in one", exitUsage}, {"baseline set main stand-in", exitUsage},
		{"baseline set main nowhere", exitEnvironment}, {"baseline set main", exitUsage}, {"baseline rm other", exitUsage}, {"baseline rm main", exitOK},
		{"list --db /proc/nothing/h.db", exitEnvironment}, {"add --db /proc/nothing/h.db one", exitEnvironment},
	} {
		var stdout, stderr bytes.Buffer
		if got := Main(append([]string{"collbench", "history"}, strings.Fields(c.args)...), &stdout, &stderr); got != c.want {
			t.Errorf("collbench history %s: exit %d, want %d: %s", c.args, got, c.want, stderr.String())
		}
	}
}

// TestGateTakesTheHistorysVariance: what comes and goes from session to session is estimated from the sessions before
// the run that is judged, and makes no fail.
func TestGateTakesTheHistorysVariance(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv(databaseVariable, "h.db")
	gate := func(args ...string) (code int, stdout, stderr string) {
		var out, errors bytes.Buffer
		code = Main(append([]string{"collbench"}, args...), &out, &errors)
		return code, out.String(), errors.String()
	}
	for n := range 10 {
		dir := fmt.Sprint("run", n)
		madeSession(t, dir, n, 1e-3*(1+0.06*float64(n%3)), false)
		if code, _, stderr := gate("history", "add", dir); code != exitOK {
			t.Fatal(stderr)
		}
	}
	if code, _, stderr := gate("history", "baseline", "set", "main", "run0"); code != exitOK {
		t.Fatal(stderr)
	}
	madeSession(t, "new", 20, 1e-3*1.12, false)
	code, stdout, stderr := gate("gate", "--baseline", "main", "new")
	if !strings.Contains(stderr, "(from 10 of its history)") || code == exitFailed {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	// By its path the baseline has no history, and the same loss is one.
	if code, stdout, stderr := gate("gate", "--baseline", "run0", "new"); code != exitFailed || strings.Contains(stderr, "history") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}
