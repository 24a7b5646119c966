package pairs

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
)

// fabric is a simulated one with figures of real hardware.
func fabric(places []Place, seed uint64, noise float64, fault func(bench.Pair) float64) Simulation {
	return Simulation{Places: places, Noise: noise, Seed: seed, Fault: fault,
		Latency:   map[Kind]float64{SameHost: 2e-6, SameRail: 5e-6, CrossRail: 7e-6},
		Bandwidth: map[Kind]float64{SameHost: 370e9, SameRail: 48e9, CrossRail: 40e9}}
}

// test has a fabric surveyed.
func test(t testing.TB, s Simulation, scope Scope, operations ...string) Verdict {
	t.Helper()
	rounds, err := scope.Rounds(s.Places, false, s.Seed)
	if err != nil {
		t.Fatal(err)
	}
	plan := bench.Plan{Ranks: len(s.Places), Precision: 0.5, Budget: 1000, Iterations: 4, Warmup: 0, Launches: 1, Seed: s.Seed}
	for _, o := range operations {
		base := bench.Case{What: bench.What{Operation: o, Bytes: 1 << 20, Window: 8, Algorithm: bench.Auto}, How: bench.How{Timing: bench.TimingBarrier}, Where: bench.Where{Ranks: len(s.Places)}}
		if o == "latency" {
			base.What.Window, base.What.Bytes = 0, 8
		}
		plan.Cases = append(plan.Cases, Cases(base, rounds, scope)...)
	}
	info := bench.RunInfo{}
	for _, p := range s.Places {
		info.Ranks = append(info.Ranks, bench.RankInfo{Rank: p.Rank, Host: p.Host, Local: p.Local, NIC: p.NIC})
	}
	o := Options{Tolerance: DefaultTolerance, Seed: s.Seed}
	survey := Survey{Plan: plan, Info: info, Options: o, Launcher: s, Sink: func(bench.Result) error { return nil }}
	results, err := survey.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return Judge(Read(info, results), o)
}

// host slows a host, or several.
func host(places []Place, sends, receives float64, names ...string) func(bench.Pair) float64 {
	slow := func(rank int) bool {
		return strings.Contains(" "+strings.Join(names, " ")+" ", " "+places[rank].Host+" ")
	}
	return func(p bench.Pair) float64 {
		share := 1.0
		if places[p.From].Host == places[p.To].Host {
			return 1
		}
		if slow(p.From) {
			share = min(share, sends)
		}
		if slow(p.To) {
			share = min(share, receives)
		}
		return share
	}
}

func pair(share float64, slow ...bench.Pair) func(bench.Pair) float64 {
	return func(p bench.Pair) float64 {
		for _, s := range slow {
			if s == p {
				return share
			}
		}
		return 1
	}
}

func TestWhoIsNamed(t *testing.T) {
	eight, dgx := on(8, 1), on(6, 4)
	for _, c := range []struct {
		name   string
		places []Place
		fault  func(bench.Pair) float64
		want   []string // beginnings of the findings' messages
	}{
		{"nothing", eight, nil, nil},
		{"half a link", eight, host(eight, 0.5, 0.5, "vm3"), []string{"vm3 sends and receives at 50 % of its peers (2"}},
		{"one direction", eight, host(eight, 0.55, 1, "vm3"), []string{"vm3 sends at 55 % of its peers (25.6 of 46.8 GB/s) to every host"}},
		{"the other direction", eight, host(eight, 1, 0.3, "vm6"), []string{"vm6 receives at 30 % of its peers"}},
		{"a pair", eight, pair(0.2, bench.Pair{From: 2, To: 5}, bench.Pair{From: 5, To: 2}), []string{"vm2 ↔ vm5 is at 20 %"}},
		{"a pair one way", eight, pair(0.2, bench.Pair{From: 5, To: 2}), []string{"vm5 → vm2 is at 20 %"}},
		{"two hosts", eight, host(eight, 0.5, 0.5, "vm1", "vm6"), []string{"vm1 sends and receives at 50 %", "vm6 sends and receives at 50 %"}},
		{"three pairs", eight, pair(0.5, bench.Pair{From: 0, To: 1}, bench.Pair{From: 2, To: 3}, bench.Pair{From: 4, To: 7}),
			[]string{"vm0 → vm1 is at 50 %", "vm2 → vm3 is at 50 %", "vm4 → vm7 is at 50 %"}},
		{"three hosts", on(3, 1), host(on(3, 1), 0.5, 0.5, "vm2"), []string{"vm2 sends and receives at 50 %"}},
		{"a sender of three", on(3, 1), host(on(3, 1), 0.5, 1, "vm1"), []string{"vm1 sends at 50 %"}},
		{"a pair of four", on(4, 1), pair(0.4, bench.Pair{From: 0, To: 3}), []string{"vm0 → vm3 is at 40 %"}},
		{"a whole host", dgx, host(dgx, 0.5, 1, "vm2"), []string{"vm2 sends at 50 %"}},
		{"one NIC of a host", dgx, func(p bench.Pair) float64 {
			if p.From == 9 && dgx[p.To].Host != "vm2" {
				return 0.5
			}
			return 1
		}, []string{"vm2's mlx5_1 sends at 50 % of its peers (19.4 of 38.8 GB/s) to every host: its NIC mlx5_1 or its cable"}},
		{"a GPU within its host", dgx, func(p bench.Pair) float64 {
			if p.From == 9 && dgx[p.To].Host == "vm2" {
				return 0.5
			}
			return 1
		}, []string{"rank 9 (vm2) sends at 50 % of its peers (170.1 of 341.2 GB/s) to the others of its host"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := test(t, fabric(c.places, 3, 0.01, c.fault), Scope{Name: ScopeAll}, "bandwidth")
			ok := len(v.Findings) == len(c.want)
			for _, want := range c.want {
				ok = ok && slices.ContainsFunc(v.Findings, func(f Finding) bool { return strings.HasPrefix(f.Message, want) })
			}
			want := Fail
			if c.want == nil {
				want = Pass
			}
			if !ok || v.Outcome != want || !v.Simulated {
				t.Errorf("%s: %s\nwant %v", v.Outcome, v.Statement, c.want)
			}
		})
	}
}

func TestLatencies(t *testing.T) {
	places := on(8, 1)
	slow := func(p bench.Pair) float64 {
		if p.From == 4 || p.To == 4 {
			return 1 / 3.0
		}
		return 1
	}
	if v := test(t, fabric(places, 1, 0.1, slow), Scope{Name: ScopeAll}, "latency"); v.Outcome != Fail || len(v.Findings) != 1 || v.Findings[0].Host != "vm4" {
		t.Errorf("%s: %s", v.Outcome, v.Statement)
	}
	mild := func(p bench.Pair) float64 { return 1 / (1 + float64(p.From+p.To)/20) } // up to 1.65 times
	if v := test(t, fabric(places, 1, 0.1, mild), Scope{Name: ScopeAll}, "latency"); v.Outcome != Pass {
		t.Errorf("%s: %s", v.Outcome, v.Statement)
	}
}

// Where pairs fall into two kinds that nobody has told of, no single one of them is to blame.
func TestTwoSpeeds(t *testing.T) {
	places := on(12, 1)
	v := test(t, fabric(places, 1, 0.01, func(p bench.Pair) float64 {
		if (p.From*7+p.To*7+p.From*p.To)%3 == 0 {
			return 0.7
		}
		return 1
	}), Scope{Name: ScopeAll}, "bandwidth")
	if v.Outcome != Inconclusive || !strings.Contains(v.Statement, "two speeds") {
		t.Errorf("%s: %s", v.Outcome, v.Statement)
	}
}

// Noise that strikes a pair now and then clears when it is tested again.
func TestFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred surveys")
	}
	count := map[string]int{}
	const surveys = 200
	for _, noise := range []float64{0.005, 0.03, 0.08} {
		for seed := range uint64(surveys) {
			random := rand.New(rand.NewPCG(seed, 9))
			spikes := func(bench.Pair) float64 {
				if random.Float64() < 0.01 {
					return 0.6
				}
				return 1
			}
			if v := test(t, fabric(on(8, 1), seed, noise, spikes), Scope{Name: ScopeAll}, "bandwidth"); len(v.Findings) > 0 {
				count[fmt.Sprint(noise)]++
				t.Logf("noise %g, seed %d: %s", noise, seed, v.Statement)
			}
		}
	}
	for noise, n := range count {
		if n > surveys/100 {
			t.Errorf("noise %s: %d of %d surveys of a fabric that is well name somebody", noise, n, surveys)
		}
	}
}

// The slow one is found in a sample too, as often as is promised.
func TestPowerOfASample(t *testing.T) {
	const surveys = 60
	found := 0
	var promised *Power
	for seed := range uint64(surveys) {
		places := on(64, 1)
		rank := 0.0
		if promised != nil {
			rank = promised.Rank
		}
		v := test(t, fabric(places, seed, 0.04, host(places, max(rank, 0.01), 1, "vm17")), Scope{ScopeSample, 6}, "bandwidth")
		if promised == nil { // the first survey says what the others have to find
			promised = test(t, fabric(places, seed, 0.04, nil), Scope{ScopeSample, 6}, "bandwidth").Tables[0].Power
			if promised == nil || promised.Partners != 6 || promised.Rank < 0.6 || promised.Rank > 0.95 {
				t.Fatalf("power %+v", promised)
			}
			continue
		}
		for _, f := range v.Findings {
			if f.Host == "vm17" && f.Direction == Sends && f.Level == LevelHost {
				found++
			}
		}
	}
	if found < surveys*80/100 {
		t.Errorf("found %d of %d, promised 95 %%", found, surveys-1)
	}
	t.Logf("found %d of %d; %s", found, surveys-1, promised)
}

func TestFans(t *testing.T) {
	places := on(8, 1)
	for scope, want := range map[string]string{ScopeIncast: "vm5 receives at 50 %", ScopeOutcast: "vm5 sends at 50 %"} {
		v := test(t, fabric(places, 1, 0.01, func(p bench.Pair) float64 {
			if scope == ScopeIncast && p.To == 5 || scope == ScopeOutcast && p.From == 5 {
				return 0.5
			}
			return 1
		}), Scope{Name: scope}, "bandwidth")
		if v.Outcome != Fail || len(v.Findings) != 1 || !strings.HasPrefix(v.Statement, want) {
			t.Errorf("%s: %s: %s", scope, v.Outcome, v.Statement)
		}
	}
}

func TestNothingToCompare(t *testing.T) {
	v := test(t, fabric(on(2, 1), 1, 0.01, nil), Scope{Name: ScopeAll}, "bandwidth")
	if v.Outcome != Inconclusive || !strings.Contains(v.Statement, "too few pairs") {
		t.Errorf("%s: %s", v.Outcome, v.Statement)
	}
}
