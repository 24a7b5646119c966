package certify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/doctor"
	"collbench/bench/storage"
	"collbench/bench/store"
	"collbench/collectives"
)

const rate = 25e6 // bytes per second: 200 Mbit/s

// measuredRuns are launches of an all-reduce by ring on two hosts, of 1 MiB, which takes so long in each.
func measuredRuns(seconds ...float64) (runs []store.Run) {
	for n, s := range seconds {
		zero := int64(0)
		var samples []float64
		for i := range 20 {
			samples = append(samples, s*(1+0.0001*float64(i)))
		}
		runs = append(runs, store.Run{
			Info: bench.RunInfo{ID: fmt.Sprint(n), Ranks: []bench.RankInfo{{Rank: 0, Host: "vm0"}, {Rank: 1, Host: "vm1"}}},
			Results: []bench.Result{{Schema: bench.SampleSchema, Status: bench.OK, Wrong: &zero, IterationsPerSample: 1, Seconds: [][]float64{samples, samples},
				Evidence: bench.Evidence{Observed: "ring", Source: "program"}, Case: bench.Case{
					What:  bench.What{Collective: collectives.AllReduce, Algorithm: "ring", Bytes: 1 << 20},
					How:   bench.How{Backend: "host", Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier},
					Where: bench.Where{Ranks: 2, Hosts: 2, Domain: 1, Radix: 40}}}},
		})
	}
	return runs
}

// full is how long 1 MiB takes at the line rate.
const full = float64(1<<20) / rate

func TestJudge(t *testing.T) {
	p := Profile{LineRate: rate}
	each := func(change func(*bench.Result)) []store.Run {
		runs := measuredRuns(full, full, full)
		for i := range runs {
			change(&runs[i].Results[0])
		}
		return runs
	}
	for _, c := range []struct {
		name   string
		accept Accept
		runs   []store.Run
		want   Outcome
		said   string
	}{
		{"line rate", Accept{LineRate: 0.75}, measuredRuns(full*1.01, full*1.02, full*1.015), Pass, "the links between hosts reach 98.4 % of their line rate of 200 Mbit/s, want 75 % or more"},
		{"half", Accept{LineRate: 0.75}, measuredRuns(full*2, full*2.01, full*2), Fail, "reach 50 % of their line rate of 200 Mbit/s, want 75 % or more"},
		{"between", Accept{LineRate: 0.75}, measuredRuns(full, full*1.5, full*1.2), Inconclusive, "the launches leave open which"},
		{"model", Accept{Model: 0.8}, measuredRuns(full, full, full*1.01), Pass, "of the bandwidth that the model predicts for links of 200 Mbit/s, want 80 % or more"},
		{"far from the model", Accept{Model: 0.8}, measuredRuns(full*2, full*2.01, full*2), Fail, "want 80 % or more"},
		{"repeats", Accept{Repeatability: 0.1}, measuredRuns(full, full*1.05), Pass, "launches differ by up to 4.88 %"},
		{"does not repeat", Accept{Repeatability: 0.1}, measuredRuns(full, full*1.3, full), Fail, "launches differ by up to 30 %"},
		{"bus bandwidth", Accept{BusBW: 1e9}, measuredRuns(full, full*1.01, full), Fail, "want 1.00 GB/s or more"},
		{"time", Accept{Time: 1}, measuredRuns(full, full*1.01, full), Pass, "want 1 s or less"},
		{"right", Accept{}, measuredRuns(full), Pass, "every element right in 1 case, in all of 1 launch"},
		{"wrong", Accept{}, each(func(r *bench.Result) { two := int64(2); r.Status, r.Wrong, r.Error = bench.Wrong, &two, "rank 1" }), Fail, "wrong in 3 of 3 launches: up to 2 elements"},
		{"not verified", Accept{}, each(func(r *bench.Result) { r.Wrong = nil }), Inconclusive, "not verified in 3 of 3 launches"},
		{"failed", Accept{}, each(func(r *bench.Result) { r.Status, r.Error = bench.Failed, "rank 1 on vm1 was killed" }), Fail, "failed in 3 of 3 launches: rank 1 on vm1 was killed"},
		{"withheld", Accept{LineRate: 0.75}, each(func(r *bench.Result) { r.Status, r.Error = bench.Unproven, "the CPUs were the limit" }), Inconclusive, "the CPUs were the limit"},
		{"unproven", Accept{}, each(func(r *bench.Result) { r.Status, r.Evidence = bench.Unproven, bench.Evidence{} }), Inconclusive, "nothing shows which algorithm ran"},
		{"skipped", Accept{}, each(func(r *bench.Result) { r.Status, r.Error = bench.Skipped, "no such thing" }), Inconclusive, "skipped: no such thing"},
		{"lost", Accept{}, append(measuredRuns(full, full), store.Run{Info: bench.RunInfo{ID: "lost"}}), Inconclusive, "measured in 2 of 3 launches"},
		{"one host", Accept{LineRate: 0.75}, each(func(r *bench.Result) { r.Where.Hosts = 1 }), Inconclusive, "nothing that is known of it crosses a link"},
		{"nothing", Accept{}, nil, Inconclusive, "nothing was measured"},
		{"faster than what is not there", Accept{Faster: &Faster{"ring", "sharp", 1.5}}, measuredRuns(full, full, full), Inconclusive, "the run has no sharp"},
	} {
		findings, _, err := judge(p, Step{Kind: Run, Accept: c.accept}, c.runs)
		var all []Outcome
		for _, f := range findings {
			all = append(all, f.Outcome)
		}
		if err != nil || worst(all) != c.want || !slices.ContainsFunc(findings, func(f Finding) bool { return f.Outcome == c.want && strings.Contains(f.Text, c.said) }) {
			t.Errorf("%s: %v %+v, want %s: %q", c.name, err, findings, c.want, c.said)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		together float64
		want     Outcome
		said     string
	}{{0.100, Pass, "100 % of the shorter is hidden"}, {0.115, Fail, "70 % of the shorter is hidden behind the other, want 80 % or more"}, {0.2, Fail, "0 % of the shorter"}} {
		runs := measuredRuns(0.1, 0.1)
		for i := range runs {
			both := measuredRuns(c.together)[0].Results[0]
			both.How.Variant = "compute=50ms"
			runs[i].Results = append(runs[i].Results, both)
		}
		findings, _, err := judge(Profile{}, Step{Kind: Train, Accept: Accept{Overlap: 0.8}}, runs)
		if err != nil || !slices.ContainsFunc(findings, func(f Finding) bool { return f.Outcome == c.want && strings.Contains(f.Text, c.said) }) {
			t.Errorf("%g s together: %v %+v", c.together, err, findings)
		}
	}
	findings, _, _ := judge(Profile{}, Step{Kind: Train}, measuredRuns(0.1))
	if slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Text, "hidden") }) {
		t.Errorf("without computing: %+v", findings)
	}
}

func TestGrown(t *testing.T) {
	at := func(host string, counters map[string]uint64) doctor.Report {
		return doctor.Report{Host: host, Facts: doctor.Facts{Counters: counters}}
	}
	before := doctor.Diagnosis{Reports: []doctor.Report{at("a", map[string]uint64{"x": 1, "y": 5}), at("b", map[string]uint64{"x": 7})}}
	for _, c := range []struct {
		b    map[string]uint64
		want Outcome
		said string
	}{
		{map[string]uint64{"x": 7}, Pass, "none of 3 error counters grew"},
		{map[string]uint64{"x": 10}, Fail, "x on b grew by 3, from 7"},
		{map[string]uint64{"x": 0}, Pass, "none of"}, // after a restart of the driver
		{nil, Pass, "none of 2 error counters grew"},
	} {
		after := doctor.Diagnosis{Reports: []doctor.Report{at("a", map[string]uint64{"x": 1, "y": 5}), at("b", c.b)}}
		if f := grown(before, after); f.Outcome != c.want || !strings.Contains(f.Text, c.said) {
			t.Errorf("%v: %+v", c.b, f)
		}
	}
	if f := grown(before, doctor.Diagnosis{}); f.Outcome != Inconclusive {
		t.Errorf("%+v", f)
	}
	if f := grown(doctor.Diagnosis{}, doctor.Diagnosis{}); f.Outcome != Inconclusive {
		t.Errorf("%+v", f)
	}
}

func TestJudgeDoctor(t *testing.T) {
	d := doctor.Diagnosis{Reports: []doctor.Report{{Host: "a", Findings: []doctor.Finding{{Check: "numa", Status: doctor.Warn, Seen: "far", Advice: "Bind."}, {Check: "mig", Status: doctor.Pass}}}}}
	if f := judgeDoctor(d, false); len(f) != 1 || f[0] != (Finding{Pass, "warn: numa on a: far. Bind."}) {
		t.Errorf("%+v", f)
	}
	if f := judgeDoctor(d, true); f[0].Outcome != Fail {
		t.Errorf("strict: %+v", f)
	}
	d.Compared = []doctor.Finding{{Check: "parity", Status: doctor.Fail, Hosts: []string{"b"}, Seen: "NCCL: 2.21 on b"}}
	if f := judgeDoctor(d, false); f[1] != (Finding{Fail, "fail: parity on b: NCCL: 2.21 on b"}) {
		t.Errorf("%+v", f)
	}
	if f := judgeDoctor(doctor.Diagnosis{}, false); f[0].Outcome != Inconclusive {
		t.Errorf("%+v", f)
	}
}

func TestJudgeStorage(t *testing.T) {
	r := storage.Result{Directory: "/d", Write: []float64{1e9, 3e9, 2e9}, Read: []float64{4e9}}
	f := judgeStorage(Accept{Write: 2.5e9, Read: 1e9}, r)
	if len(f) != 2 || f[0].Outcome != Fail || f[1].Outcome != Pass || !strings.Contains(f[0].Text, "writes 2.00 GB/s past the page cache (O_DIRECT), want 2.50 GB/s or more") {
		t.Errorf("%+v", f)
	}
	r.Wrong, r.Read = 1, nil
	if f := judgeStorage(Accept{}, r); f[0].Outcome != Fail || f[2].Outcome != Inconclusive {
		t.Errorf("%+v", f)
	}
}
