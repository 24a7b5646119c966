package gate

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/collectives/model"
)

// policy reads a policy that must be right.
func policy(t *testing.T, text string) Policy {
	t.Helper()
	p, err := ParsePolicy("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAbsoluteRules: without a baseline. A ring all-reduce of 1 MiB takes 10.6 ms: an algbw of 99 MB/s.
func TestAbsoluteRules(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		runs         made
		outcome      Outcome
		want         map[string]int
	}{
		{"no rule at all", "wrong: 0", made{launches: 3, sizes: []int64{}}, Inconclusive, map[string]int{"missing inconclusive": 1}},
		{"no baseline", "{relative: {launches: 5}, floors: [{bytes: 1MiB, algbw: 90MB/s}]}", made{launches: 5}, Inconclusive, map[string]int{"floor pass": 1, "missing inconclusive": 1}},
		{"floor reached", "floors: [{bytes: 1MiB, algbw: 90MB/s}]", made{launches: 5}, Pass, map[string]int{"floor pass": 1}},
		{"floor missed", "floors: [{bytes: 1MiB, algbw: 110MB/s}]", made{launches: 5}, Fail, map[string]int{"floor fail": 1}},
		{"floor within the noise", "floors: [{bytes: 1MiB, algbw: 98.6MB/s}]", made{launches: 5, cv: 0.1}, Inconclusive, map[string]int{"floor inconclusive": 1}},
		{"floor, one launch", "floors: [{bytes: 1MiB, algbw: 90MB/s}]", made{launches: 1}, Inconclusive, map[string]int{"floor inconclusive": 1}},
		{"floor of no case", "floors: [{bytes: 3MiB, algbw: 90MB/s}]", made{launches: 5}, Inconclusive, map[string]int{"missing inconclusive": 2}},
		{"ceiling", "floors: [{bytes: '>=4MiB', time: 100ms}]", made{launches: 5}, Fail, map[string]int{"floor pass": 1, "floor fail": 1}},
		{"no model", "model: [{at-least: 92%, bytes: 1MiB}]", made{launches: 5}, Inconclusive, map[string]int{"missing inconclusive": 2}},
		{"proved", "algorithms: [{proved: ring, bytes: '>=1MiB'}]", made{launches: 3}, Pass, map[string]int{"algorithm pass": 3}},
		{"another ran", "algorithms: [{proved: sharp, bytes: '>=1MiB'}]", made{launches: 3}, Fail, map[string]int{"algorithm fail": 3}},
		{"nothing shows what ran", "algorithms: [{proved: ring, bytes: '>=1MiB'}]", made{launches: 3, change: func(_ int, r *bench.Result) {
			r.Evidence, r.Status = bench.Evidence{}, bench.Unproven
		}}, Inconclusive, map[string]int{"algorithm inconclusive": 3}},
		{"fast enough", "variants: [{faster: sharp, than: ring, by: 1.5, bytes: 16MiB}]", made{launches: 5, algorithms: []string{"ring", "sharp"}, slower: func(c bench.Case) float64 {
			return map[string]float64{"ring": 1.6, "sharp": 1}[c.What.Algorithm]
		}}, Pass, map[string]int{"variant pass": 1}},
		{"not fast enough", "variants: [{faster: sharp, than: ring, by: 1.5, bytes: 16MiB}]", made{launches: 5, algorithms: []string{"ring", "sharp"}}, Fail, map[string]int{"variant fail": 1}},
		{"nothing to be faster than", "variants: [{faster: ring, than: sharp, by: 1.5, bytes: 16MiB}]", made{launches: 5}, Inconclusive, map[string]int{"missing inconclusive": 2}},
		{"no straggler", "stragglers: [{at-most: 10%, bytes: 1MiB}]", made{launches: 5}, Pass, map[string]int{"straggler pass": 1}},
		{"straggler", "stragglers: [{at-most: 10%, bytes: 1MiB}]", made{launches: 5, change: func(_ int, r *bench.Result) {
			for i := range r.Seconds[2] {
				r.Seconds[2][i] *= 1.3
			}
		}}, Fail, map[string]int{"straggler fail": 1}},
		{"one figure for all ranks", "stragglers: [{at-most: 10%, bytes: 1MiB}]", made{launches: 5, change: func(_ int, r *bench.Result) {
			for rank := range r.Seconds {
				r.Seconds[rank] = r.Seconds[0]
			}
		}}, Inconclusive, map[string]int{"missing inconclusive": 2}},
		{"right", "wrong: 0", made{launches: 2, sizes: []int64{8}}, Pass, map[string]int{"wrong pass": 1}},
		{"not verified", "wrong: 0", made{launches: 2, sizes: []int64{8}, change: func(_ int, r *bench.Result) { r.Wrong = nil }}, Inconclusive, map[string]int{"wrong inconclusive": 1, "missing inconclusive": 1}},
		{"wrong in one launch", "floors: [{bytes: 1MiB, algbw: 90MB/s}]", made{launches: 5, change: func(l int, r *bench.Result) {
			if l == 4 && r.What.Bytes == 8<<10 || l == 4 && r.What.Bytes == 1<<20 {
				wrong := int64(3)
				r.Wrong, r.Status = &wrong, bench.Wrong
			}
		}}, Fail, map[string]int{"wrong fail": 1, "floor pass": 1}},
		{"interrupted", "floors: [{bytes: 1MiB, algbw: 90MB/s}]", made{launches: 5, change: func(l int, r *bench.Result) {
			if l == 4 && r.What.Bytes == 1<<10 {
				r.Status = bench.Interrupted
			}
		}}, Inconclusive, map[string]int{"failed inconclusive": 1, "floor pass": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, Judge(policy(t, c.policy), nil, c.runs.runs(), Fixed), c.outcome, c.want)
		})
	}
}

// TestBoundFigures: a ratio is measured ÷ reference, of bandwidths and of times.
func TestBoundFigures(t *testing.T) {
	runs := made{launches: 5}.runs()
	v := Judge(policy(t, "floors: [{bytes: 1MiB, algbw: 198MB/s}, {bytes: 1MiB, time: 5.3ms}]"), nil, runs, Fixed)
	for i, want := range []float64{0.5, 2} {
		f := v.Findings[i]
		if f.Outcome != Fail || math.Abs(*f.Ratio-want) > 0.03*want || *f.Low > *f.Ratio || *f.High < *f.Ratio || math.Abs(*f.Measured / *f.Reference - want) > 0.03*want {
			t.Errorf("%s: ratio %g (%g … %g), want %g", f.Message, *f.Ratio, *f.Low, *f.High, want)
		}
	}
}

// TestModel: links on which the program must take about 15.7 ms for 1 MiB.
func TestModel(t *testing.T) {
	rates := []model.Rates{{Transmit: 100e6, Receive: 100e6}, {Transmit: 100e6, Receive: 100e6}, {Transmit: 100e6, Receive: 100e6}, {Transmit: 100e6, Receive: 100e6}}
	machine, err := model.Lab(rates, 1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(machine)
	if err != nil {
		t.Fatal(err)
	}
	for factor, want := range map[float64]Outcome{1.5: Pass, 2: Fail} {
		m := made{launches: 5, slower: func(bench.Case) float64 { return factor }}
		runs := m.runs()
		for i := range runs {
			runs[i].Info.Machine = raw
		}
		v := Judge(policy(t, "model: [{at-least: 92%, bytes: 1MiB}]"), nil, runs, Fixed)
		if v.Outcome != want {
			t.Errorf("%g × 10.6 ms: %s: %s", factor, v.Outcome, v.Findings[0].Message)
		}
		if !strings.Contains(v.Findings[0].Message, "of the model's bandwidth") {
			t.Error(v.Findings[0].Message)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "p.yaml: empty: want keys such as relative, floors, model",
		"florrs: []":                            "p.yaml:1:1: florrs: unknown key: want one of wrong, relative, floors, model, algorithms, variants, stragglers",
		"wrong: 0\nwrong: 0":                    "p.yaml:2:1: ",
		"wrong: 3":                              "p.yaml:1:1: wrong: want 0",
		"floors: []":                            "p.yaml:1:9: floors: want a list of rules",
		"floors:\n- bytes: 1MiB":                "p.yaml:2:8: floors: want a bound: busbw, algbw, wirebw or time",
		"floors:\n- bytes: 1MiB\n  busbw: fast": `p.yaml:3:3: busbw: rate "fast"`,
		"floors:\n- busbw: 1GB/s\n  algbw: 1GB/s": "p.yaml:3:3: algbw: the rule has the bound busbw already",
		"floors:\n- busbw: 1GB/s\n  bits: 3":      "p.yaml:3:3: bits: unknown key: want one of name, collective, algorithm",
		"floors:\n- busbw: 1GB/s\n  bytes: '>=x'": "p.yaml:3:3: bytes: bytes \"x\"",
		"floors:\n- busbw: 1GB/s\n  ranks: 0":     "p.yaml:3:3: ranks: \"0\"",
		"model:\n- bytes: 8":                      "p.yaml:2:8: model: want at-least",
		"variants:\n- faster: sharp\n  by: -1":    "p.yaml:3:3: by: \"-1\"",
		"relative:\n  minimum-effect: 3":          "p.yaml:2:3: minimum-effect: percentage",
		"relative:\n  launches: 3":                "p.yaml:2:3: launches: \"3\": want a whole number, 4 or more",
		"relative:\n  same: [colour]":             "p.yaml:2:3: same: unknown \"colour\"",
		"relative:\n  excluded: 2%":               "p.yaml:2:",
		"relative:\n  depth: 2":                   "p.yaml:2:3: depth: unknown key: want one of minimum-effect",
		"a: [":                                    "p.yaml:1:",
	} {
		_, err := ParsePolicy("p.yaml", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s…", text, err, want)
		}
	}
}

func TestPolicy(t *testing.T) {
	p := policy(t, `
relative: {minimum-effect: 2%, excluded: 8%, launches: 6, session: 1%, session-each: 0.5%, same: [cpu, links]}
floors:
- {name: large, collective: all_reduce, algorithm: [ring, sharp], ranks: 8, bytes: ["8MiB:32MiB:x2", "<1K"], busbw: 480GB/s}
variants: [{faster: sharp proto=simple, than: ring, by: 1.5x}]
`)
	if r := p.Relative; r.MinimumEffect != 0.02 || r.Excluded != 0.08 || r.Launches != 6 || r.Between != (Between{0.01, 0.005}) || len(r.Same) != 2 {
		t.Errorf("%+v", r)
	}
	s := p.Floors[0].Selector
	for size, want := range map[int64]bool{8 << 20: true, 16 << 20: true, 32 << 20: true, 12 << 20: false, 1023: true, 1024: false} {
		c := caseOf("ring", size)
		c.Where.Ranks = 8
		if s.Matches(c) != want {
			t.Errorf("%d bytes: %v, want %v", size, s.Matches(c), want)
		}
		if c.Where.Ranks = 4; s.Matches(c) {
			t.Errorf("%d bytes on 4 ranks match", size)
		}
	}
	if p.Floors[0].Bound != 480e9 || p.Variants[0].Faster != (Contender{"sharp", "proto=simple"}) || p.Variants[0].By != 1.5 {
		t.Errorf("%+v", p)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add("floors: [{bytes: '>=1MiB', busbw: 480GB/s}]\nrelative: {same: cpu}")
	f.Add("variants:\n- faster: a b\n  than: c\n  by: 2x")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy("p.yaml", []byte(text))
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("not one line: %q", err)
		}
		if err == nil {
			Judge(p, nil, made{launches: 1, sizes: []int64{8}}.runs(), Fixed)
		}
	})
}
