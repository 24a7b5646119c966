package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"collbench/collectives"
)

func TestPointToPointPlans(t *testing.T) {
	for _, c := range []struct {
		flags Settings
		want  string // the cases with pairs and windows
	}{
		{flags("operation", "latency", "bytes", "8,1K"), "[latency 8 B [{0 3}] 0 latency 1 KiB [{0 3}] 0]"},
		{flags("operation", "latency,bandwidth", "bytes", "8", "pair", "2,1"), "[latency 8 B [{2 1}] 0 bandwidth 8 B [{2 1}] 64]"},
		{flags("operation", "multi_bandwidth", "bytes", "8", "window", "7"), "[multi_bandwidth 8 B [{0 2} {1 3}] 7]"},
		{flags("operation", "bibandwidth", "bytes", "8", "dtype", "int8,float64"), "[bibandwidth 8 B [{0 3}] 64 bibandwidth 8 B [{0 3}] 64]"},
	} {
		p, err := Resolve(PlanFile{}, c.flags, here)
		var got []string
		for _, one := range p.Cases {
			got = append(got, fmt.Sprint(one, one.Pairs(), one.What.Window))
			if w := one.What; w.Collective != 0 || w.Reduction != 0 || w.Root != 0 || w.InPlace || w.Algorithm != Auto {
				t.Errorf("%s has what only a collective has: %+v", one, w)
			}
		}
		if fmt.Sprint(got) != c.want || err != nil {
			t.Errorf("%v: %v %v, want %s", c.flags, got, err, c.want)
		}
	}
}

func TestPointToPointSettingsThatAreWrong(t *testing.T) {
	for want, f := range map[string]Settings{
		`--operation: unknown operation "ping": want one of latency`: flags("operation", "ping"),
		"--collective: point-to-point tests":                         flags("operation", "latency", "collective", "all_reduce"),
		"--algorithm: point-to-point tests":                          flags("operation", "latency", "algorithm", "ring"),
		"--pair: \"1,1\": want two different ranks":                  flags("operation", "latency", "pair", "1,1"),
		"--pair: \"0,4\": want two different ranks":                  flags("operation", "latency", "pair", "0,4"),
		"--pair: \"0\": want two different ranks":                    flags("operation", "latency", "pair", "0"),
		"--pair: only point-to-point tests have it":                  flags("pair", "0,1"),
		"--window: only point-to-point tests have it":                flags("window", "3"),
		"--window: 0: want 1":                                        flags("operation", "bandwidth", "window", "0"),
		"--bytes: 3 bytes of float32":                                flags("operation", "latency", "bytes", "3"),
		"needs 2 ranks or more: there is 1":                          flags("operation", "latency", "ranks", "1"),
	} {
		if _, err := Resolve(PlanFile{}, f, here); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", f, err, want)
		}
	}
}

// TestLibraryBackends has a backend with algorithms and a transport of its own.
func TestLibraryBackends(t *testing.T) {
	site := here
	site.Backends = []string{"host", "lib"}
	site.Supports = func(Case) error { return nil }
	site.Algorithms = func(_ string, c collectives.Collective) []string {
		if c == collectives.Broadcast {
			return []string{"chain"}
		}
		return []string{"ring", "magic"}
	}
	p, err := Resolve(PlanFile{}, flags("backend", "lib", "algorithm", "all", "bytes", "8"), site)
	if err != nil || fmt.Sprint(p.Cases) != "[all_reduce 8 B ring all_reduce 8 B magic]" || p.Cases[0].How.Transport != TransportLibrary {
		t.Errorf("%v %v", p.Cases, err)
	}
	_, err = Resolve(PlanFile{}, flags("backend", "lib", "algorithm", "chain", "bytes", "8"), site)
	if err == nil || !strings.Contains(err.Error(), `all_reduce has no algorithm "chain": it is one for broadcast`) {
		t.Error(err)
	}
	_, err = Resolve(PlanFile{}, flags("backend", "lib", "algorithm", "sharp", "bytes", "8"), site)
	if err == nil || !strings.Contains(err.Error(), `unknown algorithm "sharp": want one of ring, magic, chain`) {
		t.Error(err)
	}
}

func pairCase(name string, bytes int64) Case {
	c := testCases(bytes, Auto)[0]
	c.What.Operation, c.What.Window = name, 4
	c.Where.Ranks, c.Where.From, c.Where.To = 4, 3, 1
	return c
}

func TestMoved(t *testing.T) {
	for name, want := range map[string]int64{"latency": 0, "bandwidth": 4 * 8, "bibandwidth": 2 * 4 * 8, "multi_bandwidth": 2 * 4 * 8} {
		if got := pairCase(name, 11).Moved(); got != want { // 11 bytes: two elements of four
			t.Errorf("%s: %d bytes, want %d", name, got, want)
		}
	}
}

// TestOnlyThoseWhoTakePartGiveSamples has the measuring loop take samples of one rank of four, and refuse others.
func TestOnlyThoseWhoTakePartGiveSamples(t *testing.T) {
	c := pairCase("latency", 8)
	for _, giver := range []int{3, 1} {
		f := &fake{cost: constant(0.001), evidence: func(Case) Evidence { return Evidence{Source: "library"} }}
		team := &lonelyTeam{f, giver}
		var results []Result
		err := Runner{Plan: Plan{Cases: []Case{c}, Launches: 1, Precision: 0.01, Budget: 1}, Launcher: team, Now: func() time.Time { return f.now },
			Sink: func(r Result) error { results = append(results, r); return nil }}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := results[0]
		if giver == 3 && (r.Status != OK || len(r.Seconds) != 4 || len(r.Seconds[3]) < minSamples || len(r.Seconds[0])+len(r.Seconds[1])+len(r.Seconds[2]) > 0) {
			t.Errorf("%s %s: %d samples", r.Status, r.Error, count(r.Seconds))
		}
		if giver == 1 && (r.Status != Failed || !strings.Contains(r.Error, "rank 1: ")) {
			t.Errorf("samples of a rank whose clock does not count: %s %s", r.Status, r.Error)
		}
	}
}

// lonelyTeam is a fake of four ranks of which one gives samples.
type lonelyTeam struct {
	*fake
	giver int
}

func (l *lonelyTeam) Launch(context.Context, []string) (Team, error) { return l, nil }

func (l *lonelyTeam) Run(ctx context.Context, n int, stage Stage) (Batch, error) {
	b, err := l.fake.Run(ctx, n, stage)
	samples := b.Seconds[1]
	b.Seconds, b.Counted = make([][]float64, 4), nil
	b.Seconds[l.giver] = samples
	return b, err
}

func TestPointToPointJSON(t *testing.T) {
	c := pairCase("bandwidth", 8)
	text, err := json.Marshal(Result{Case: c})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "collective") || strings.Contains(string(text), `"op"`) || !strings.Contains(string(text), `"operation":"bandwidth"`) {
		t.Errorf("%s", text)
	}
	var back Result
	if err := json.Unmarshal(text, &back); err != nil || back.Case != c {
		t.Errorf("%+v %v, want %+v", back.Case, err, c)
	}
	old := testCases(8, "ring")[0]
	text, _ = json.Marshal(old)
	if strings.Contains(string(text), "window") || strings.Contains(string(text), "operation") || strings.Contains(string(text), "from") ||
		!strings.Contains(string(text), `"collective":"all_reduce"`) {
		t.Errorf("a collective's line has changed: %s", text)
	}
}
