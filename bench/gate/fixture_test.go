package gate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"collbench/bench"
	"collbench/collectives"
)

// made are launches of a made-up machine: an all-reduce of four ranks over TCP.
type made struct {
	launches   int
	algorithms []string
	sizes      []int64
	cv         float64
	slower     func(c bench.Case) float64 // factor on the time
	change     func(launch int, r *bench.Result)
	place      func(launch int) int // in time; nil: one side of A B B A
	seed       uint64
}

var sizes = []int64{1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24}

// first and second are the places of the sides in A B B A.
func first(launch int) int  { return 2*launch + launch%2 }
func second(launch int) int { return 2*launch + 1 - launch%2 }

var begun = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func caseOf(algorithm string, size int64) bench.Case {
	return bench.Case{
		What:  bench.What{Collective: collectives.AllReduce, Algorithm: algorithm, Bytes: size},
		How:   bench.How{Backend: "host", Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier},
		Where: bench.Where{Ranks: 4, Hosts: 4, Domain: 1, Radix: 40},
	}
}

// runs makes one run a launch, as a run folder has that grew by --append.
func (m made) runs() (runs []Run) {
	if m.algorithms == nil {
		m.algorithms = []string{"ring"}
	}
	if m.sizes == nil {
		m.sizes = sizes
	}
	if m.cv == 0 {
		m.cv = 0.01
	}
	if m.place == nil {
		m.place = first
	}
	r := rand.New(rand.NewPCG(m.seed, 1))
	for launch := range m.launches {
		run := Run{Info: bench.RunInfo{Schema: bench.RunSchema, ID: fmt.Sprintf("run-%d-%d", m.seed, launch), Environment: bench.Environment{CPU: "EPYC", CPUs: 8}}}
		for _, a := range m.algorithms {
			for _, size := range m.sizes {
				run.Results = append(run.Results, m.result(launch, caseOf(a, size), r))
			}
		}
		runs = append(runs, run)
	}
	return runs
}

func (m made) result(launch int, c bench.Case, r *rand.Rand) bench.Result {
	seconds := 1e-4 + float64(c.What.Bytes)/1e8
	if m.slower != nil {
		seconds *= m.slower(c)
	}
	seconds *= math.Exp(m.cv * r.NormFloat64())
	wrong := int64(0)
	result := bench.Result{
		Schema: bench.SampleSchema, Case: c, Start: begun.Add(time.Duration(m.place(launch)) * time.Second), Status: bench.OK, Wrong: &wrong,
		IterationsPerSample: 1, Evidence: bench.Evidence{Observed: c.What.Algorithm, Source: "program"},
	}
	for range c.Where.Ranks {
		var samples []float64
		for range 5 {
			samples = append(samples, seconds*(1+1e-3*r.Float64()))
		}
		result.Seconds = append(result.Seconds, samples)
	}
	if m.change != nil {
		m.change(launch, &result)
	}
	return result
}

// outcomes counts the findings of a verdict by kind and outcome: "baseline fail" → 2.
func outcomes(v Verdict) map[string]int {
	n := map[string]int{}
	for _, f := range v.Findings {
		n[string(f.Kind)+" "+string(f.Outcome)]++
	}
	return n
}

func expect(t *testing.T, v Verdict, outcome Outcome, want map[string]int) {
	t.Helper()
	got := outcomes(v)
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%d findings %q, want %d", got[key], key, n)
		}
	}
	for key, n := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%d findings %q, want none", n, key)
		}
	}
	if v.Outcome != outcome {
		t.Errorf("%s, want %s", v.Outcome, outcome)
	}
	if v.Statement == "" || !strings.Contains(v.Statement, "detectable") && !strings.Contains(v.Statement, "would have been failed") {
		t.Errorf("the statement does not say what is detectable: %q", v.Statement)
	}
	if t.Failed() {
		for _, f := range v.Findings {
			t.Logf("%s %s: %s", f.Kind, f.Outcome, f.Message)
		}
		t.Log(v.Statement)
	}
}
