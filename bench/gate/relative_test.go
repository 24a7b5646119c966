package gate

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"collbench/bench"
)

// at makes one size slower.
func at(size int64, factor float64) func(bench.Case) float64 {
	return func(c bench.Case) float64 {
		if c.What.Bytes == size {
			return factor
		}
		return 1
	}
}

func TestRelative(t *testing.T) {
	type sides struct{ base, changed made }
	fine := made{launches: 10, seed: 1}
	other := func(change func(m *made)) sides {
		m := made{launches: 10, seed: 2, place: second}
		change(&m)
		return sides{fine, m}
	}
	for _, c := range []struct {
		name    string
		sides   sides
		outcome Outcome
		want    map[string]int
		says    string // in a message
	}{
		{"unchanged", other(func(m *made) {}), Pass, map[string]int{"baseline pass": 8}, "no loss above"},
		{"one size slower", other(func(m *made) { m.slower = at(1<<16, 1.08) }), Fail, map[string]int{"baseline fail": 1, "baseline pass": 7}, "all_reduce 64 KiB ring"},
		{"all faster", other(func(m *made) { m.slower = func(bench.Case) float64 { return 0.7 } }), Pass, map[string]int{"baseline pass": 8}, "−"},
		{"too few launches", other(func(m *made) { m.launches = 4 }), Inconclusive, map[string]int{"baseline inconclusive": 8}, "10 of the baseline and 4 now, want 5 or more"},
		{"one launch", other(func(m *made) { m.launches = 1 }), Inconclusive, map[string]int{"baseline inconclusive": 8}, "too few launches"},
		{"too noisy to pass", other(func(m *made) { m.cv = 0.3 }), Inconclusive, nil, "more launches would tell"},
		{"a size is missing", other(func(m *made) { m.sizes = sizes[:7] }), Inconclusive, map[string]int{"baseline pass": 7, "missing inconclusive": 1}, "it is not in the run"},
		{"a size is new", sides{made{launches: 10, seed: 1, sizes: sizes[:7]}, made{launches: 10, seed: 2, place: second}}, Inconclusive, map[string]int{"baseline pass": 7, "missing inconclusive": 1}, "the baseline has no figure"},
		{"other sizes altogether", other(func(m *made) { m.sizes = []int64{3, 5} }), Inconclusive, map[string]int{"missing inconclusive": 11}, "nothing was compared"},
		{"nothing measured", other(func(m *made) { m.sizes = []int64{} }), Inconclusive, map[string]int{"missing inconclusive": 9}, "nothing was compared"},
		{"simulated", other(func(m *made) { m.change = func(_ int, r *bench.Result) { r.Simulated = true } }), Inconclusive, map[string]int{"missing inconclusive": 9}, "simulated"},
		{"withheld", other(func(m *made) {
			m.change = func(_ int, r *bench.Result) { r.Status, r.Error = bench.Unproven, "the CPUs were the limit" }
		}), Inconclusive, map[string]int{"missing inconclusive": 9}, "the CPUs were the limit"},
		{"another machine", other(func(m *made) {}), Inconclusive, map[string]int{"environment inconclusive": 1, "baseline inconclusive": 8}, "cpu"},
		{"flipped and slower", other(func(m *made) {
			m.slower = at(1<<20, 1.5)
			m.change = func(_ int, r *bench.Result) {
				if r.What.Bytes == 1<<20 {
					r.Evidence.Observed = "tree"
				}
			}
		}), Fail, map[string]int{"flipped fail": 1, "baseline pass": 7}, "the algorithm flipped from ring to tree"},
		{"against itself", sides{fine, fine}, Inconclusive, map[string]int{"environment inconclusive": 1, "baseline pass": 8}, "stands on both sides"},
		{"not interleaved", other(func(m *made) { m.place = func(l int) int { return 7200 + l } }), Pass, map[string]int{"baseline pass": 8}, "not interleaved"},
		{"a loss within what sessions differ by", other(func(m *made) {
			m.place = func(l int) int { return 7200 + l }
			m.slower = func(bench.Case) float64 { return 1.05 }
		}), Pass, map[string]int{"baseline pass": 8}, "not interleaved"},
		{"a loss beyond what sessions differ by", other(func(m *made) {
			m.place = func(l int) int { return 7200 + l }
			m.slower = func(bench.Case) float64 { return 1.3 }
		}), Fail, map[string]int{"baseline fail": 8}, "not interleaved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, changed := c.sides.base.runs(), c.sides.changed.runs()
			if c.name == "another machine" {
				for i := range changed {
					changed[i].Info.Environment.CPU = "Xeon"
				}
			}
			v := Judge(DefaultPolicy(), base, changed, Fixed)
			if c.want != nil {
				expect(t, v, c.outcome, c.want)
			} else if v.Outcome != c.outcome {
				t.Errorf("%s, want %s", v.Outcome, c.outcome)
			}
			if !slices.ContainsFunc(v.Findings, func(f Finding) bool { return strings.Contains(f.Message, c.says) }) {
				t.Errorf("no message says %q: %+v", c.says, v.Findings)
			}
			if c.outcome == Pass && (v.Detectable == nil || *v.Detectable < 0.03) {
				t.Errorf("a pass that does not say what was detectable")
			}
		})
	}
}

// TestRelativeFigures: the numbers of a finding are those of the launches.
func TestRelativeFigures(t *testing.T) {
	base := made{launches: 12, seed: 1, cv: 0.005}.runs()
	changed := made{launches: 12, seed: 2, cv: 0.005, place: second, slower: at(1<<20, 1.10)}.runs()
	v := Judge(DefaultPolicy(), base, changed, Fixed)
	f := v.Findings[0]
	if f.Outcome != Fail || f.Cases[0].What.Bytes != 1<<20 || math.Abs(*f.Ratio-1.10) > 0.01 || *f.Low > 1.10 || *f.High < 1.09 || *f.High-*f.Low > 0.03 {
		t.Errorf("%+v", f)
	}
	seconds := 1e-4 + float64(1<<20)/1e8
	if f.Unit != "s" || math.Abs(*f.Reference/seconds-1) > 0.01 || math.Abs(*f.Measured/seconds-1.10) > 0.01 {
		t.Errorf("%g s against %g s, want %g s and a tenth more", *f.Measured, *f.Reference, seconds)
	}
	if *f.P > 0.01 || *f.Detectable < 0.03 || *f.Detectable > 0.06 {
		t.Errorf("p = %g, detectable %g", *f.P, *f.Detectable)
	}
	if v.Launches != [2]int{12, 12} || v.Compared != 8 || !strings.HasPrefix(v.NewRun, "run-2-0 run-2-1") {
		t.Errorf("%+v", v)
	}
}

// TestNeighboursTogether: a loss that hardly any size shows by itself is failed where neighbours have it.
func TestNeighboursTogether(t *testing.T) {
	changed := made{launches: 10, seed: 9, cv: 0.02, place: second, slower: func(c bench.Case) float64 {
		if c.What.Bytes >= 1<<16 && c.What.Bytes <= 1<<22 {
			return 1.05
		}
		return 1
	}}
	v := Judge(DefaultPolicy(), made{launches: 10, seed: 3, cv: 0.02}.runs(), changed.runs(), Fixed)
	at := slices.IndexFunc(v.Findings, func(f Finding) bool { return len(f.Cases) > 1 })
	if v.Outcome != Fail || at < 0 {
		t.Fatalf("%s without a finding of several sizes: %+v", v.Outcome, v.Findings)
	}
	f := v.Findings[at]
	if f.What() != "all_reduce 64 KiB … 4 MiB ring" || !strings.Contains(f.Message, "4 neighbouring sizes together") {
		t.Errorf("%s: %s", f.What(), f.Message)
	}
	if math.Abs(*f.Ratio-1.05) > 0.02 || *f.P > 0.05 || *f.Detectable >= *v.Detectable {
		t.Errorf("ratio %g, p %g, detectable %g of %g", *f.Ratio, *f.P, *f.Detectable, *v.Detectable)
	}
}

// TestOneFailedLaunch: a case that lacks a launch is judged by the others, and its failure is told.
func TestOneFailedLaunch(t *testing.T) {
	changed := made{launches: 10, seed: 2, place: second, change: func(l int, r *bench.Result) {
		if l == 3 && r.What.Bytes == 1<<10 {
			r.Status, r.Error, r.Seconds = bench.Failed, "rank 2 was killed", nil
		}
	}}
	v := Judge(DefaultPolicy(), made{launches: 10, seed: 1}.runs(), changed.runs(), Fixed)
	expect(t, v, Fail, map[string]int{"failed fail": 1, "baseline pass": 8})
	if !strings.Contains(v.Findings[0].Message, "failed in 1 of 10 launches: rank 2 was killed") {
		t.Error(v.Findings[0].Message)
	}
}

// TestVerdictIsJSON: a look so early that no bound holds yet has no infinite figure, which JSON cannot hold.
func TestVerdictIsJSON(t *testing.T) {
	var l Looks
	v, _ := l.Look(DefaultPolicy(), made{launches: 5, seed: 1}.runs(), made{launches: 5, seed: 2, place: second}.runs(), 0.001)
	if _, err := json.Marshal(v); err != nil || strings.Contains(v.Statement, "Inf") || v.Outcome != Inconclusive {
		t.Errorf("%v: %s: %s", err, v.Outcome, v.Statement)
	}
}

func TestInterleaved(t *testing.T) {
	launches := func(places ...int) (l []launch) {
		for _, p := range places {
			l = append(l, launch{start: begun.Add(time.Duration(p) * time.Second)})
		}
		return l
	}
	for _, c := range []struct {
		name          string
		base, changed []launch
		want          bool
	}{
		{"A B B A", launches(0, 3, 4, 7), launches(1, 2, 5, 6), true},
		{"A B A B", launches(0, 2, 4, 6), launches(1, 3, 5, 7), true},
		{"A A B B", launches(0, 1, 2, 3), launches(4, 5, 6, 7), false},
		{"A A A B B B B B B A A A", launches(0, 1, 2, 9, 10, 11), launches(3, 4, 5, 6, 7, 8), false},
		{"no times", []launch{{}}, []launch{{}}, false},
	} {
		order, ok := interleaved(c.base, c.changed)
		if ok != c.want {
			t.Errorf("%s: %v %v", c.name, order, ok)
		}
	}
	if order, _ := interleaved(launches(0, 3), launches(1, 2)); !slices.Equal(order, []int{0, 3, 1, 2}) {
		t.Errorf("order %v", order)
	}
}

func TestSessions(t *testing.T) {
	s := side{launches: []launch{{start: begun}, {start: begun.Add(50 * time.Minute)}, {start: begun.Add(24 * time.Hour)}}}
	if n := s.sessions(); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	if b := Sessions(Between{0.01, 0.02}, 1, 1); math.Abs(b.Common-0.01*math.Sqrt2) > 1e-12 || math.Abs(b.Each-0.02*math.Sqrt2) > 1e-12 {
		t.Errorf("%+v", b)
	}
}

func TestDifferences(t *testing.T) {
	base, changed := made{launches: 2, seed: 1}.runs(), made{launches: 2, seed: 2}.runs()
	for i := range changed {
		changed[i].Info.Environment.Variables = map[string]string{"NCCL_ALGO": "Ring"}
		changed[i].Info.Environment.Kernel = "6.1"
		changed[i].Info.Links = []bench.LinkInfo{{Transmit: 12.5e6, Receive: 12.5e6}, {Transmit: 12.5e6, Receive: 12.5e6}}
	}
	all, unlike := differences(base, changed, DefaultPolicy().Relative.Same)
	want := []string{`kernel: baseline unknown, now "6.1"`, `links: baseline unknown, now "100 Mbit/s"`, `variable NCCL_ALGO: baseline unknown, now "Ring"`}
	if !slices.Equal(all, want) || len(unlike) != 0 {
		t.Errorf("%q, unlike %q", all, unlike)
	}
}

// TestFailsAtItsP: what is printed as p is what decides, also where cases of other launches are judged beside it.
func TestFailsAtItsP(t *testing.T) {
	for seed := range uint64(30) {
		lost := func(l int, r *bench.Result) { // has a family of its own
			if l == 0 && r.What.Bytes == 1<<10 {
				r.Status = bench.Skipped
			}
		}
		base := made{launches: 8, seed: 2 * seed, sizes: sizes[:4], change: lost}
		changed := made{launches: 8, seed: 2*seed + 1, sizes: sizes[:4], place: second, change: lost, slower: func(c bench.Case) float64 { return 1.05 }}
		for _, f := range Judge(DefaultPolicy(), base.runs(), changed.runs(), Fixed).Findings {
			if f.P != nil && len(f.Cases) == 1 && (f.Outcome == Fail) != (*f.P <= Fixed.Fail) {
				t.Errorf("seed %d: %s at p = %g: %s", seed, f.Outcome, *f.P, f.Message)
			}
		}
	}
}
