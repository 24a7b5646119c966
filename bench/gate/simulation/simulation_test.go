package simulation

import (
	"math"
	"math/rand/v2"
	"testing"

	"collbench/bench/gate"
)

// TestMachine: the machine has the noise that it says.
func TestMachine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var plain, modes, product []float64
	for range 4000 {
		row := Machine{CV: 0.02}.launch(r, 0)
		if math.Max(row[0], math.Max(row[1], row[3])) < math.Log(1.1) { // no spike
			plain, modes, product = append(plain, row[0]), append(modes, row[3]), append(product, row[0]*row[1])
		}
	}
	a, b := moments(plain), moments(modes)
	if math.Abs(math.Sqrt(a.variance)-0.02) > 0.001 || math.Abs(math.Sqrt(b.variance)-0.02) > 0.001 {
		t.Errorf("standard deviations %g and %g, want 0.02", math.Sqrt(a.variance), math.Sqrt(b.variance))
	}
	if c := moments(product).mean / 0.0004; math.Abs(c-0.3) > 0.05 {
		t.Errorf("correlation %g, want 0.3", c)
	}
	s := Machine{CV: 0.02, Launches: 5, Loss: 0.1, Width: 8}.Draw(r)
	if len(s.Base) != 5 || len(s.New) != 5 || len(s.Order) != 10 || s.Order[0] != 0 || s.Order[5] != 1 || s.Order[6] != 2 {
		t.Errorf("%d and %d launches in the order %v, want A B B A", len(s.Base), len(s.New), s.Order)
	}
}

// few gates of each kind: enough to see a promise broken, not to prove it (make bench-gate does).
const few = 300

// TestPromises: with 300 gates, 3 false alarms are expected of a rule with 1 %, 9 happen once in 250 times; a power of
// 97 % shows 92 % or less once in 10,000 times.
func TestPromises(t *testing.T) {
	ours := All[len(All)-1].Fails
	for _, m := range []Machine{{CV: 0.01, Launches: 5}, {CV: 0.05, Launches: 5}, {CV: 0.02, Launches: 20}, {CV: 0.05, Launches: 10},
		{CV: 0.01, Launches: 5, Stored: true}, {CV: 0.02, Launches: 40, Stored: true}} {
		if c := Once(m, ours, few, 1); c.Failed > 8 {
			t.Errorf("%+v: %d false alarms of %d", m, c.Failed, few)
		}
	}
	for _, m := range []Machine{{CV: 0.02, Launches: 20, Loss: 0.05, Width: 8}, {CV: 0.02, Launches: 24, Loss: 0.07, Width: 1}} {
		if c := Once(m, ours, few, 2); c.Share() <= 0.92 {
			t.Errorf("%+v: %d failed of %d, want 95 %%", m, c.Failed, few)
		}
	}
	// A loss of 3 % everywhere is the largest that is none: 5 % of gates.
	if c := Once(Machine{CV: 0.02, Launches: 20, Loss: 0.03, Width: Sizes}, ours, few, 3); c.Share() > 0.10 {
		t.Errorf("a loss of 3 %% everywhere is failed in %d of %d gates, want 15", c.Failed, few)
	}
}

func TestUntilClear(t *testing.T) {
	for _, c := range []struct {
		m            Machine
		least, most  float64 // share of gates that fail
		launchesMost float64
	}{
		{Machine{CV: 0.02, Launches: 80}, 0, 0.02, 30},
		{Machine{CV: 0.02, Launches: 80, Loss: 0.07, Width: 1}, 0.95, 1, 30},
		{Machine{CV: 0.02, Launches: 80, Loss: 0.05, Width: 8}, 0.95, 1, 30},
	} {
		if got := UntilClear(c.m, 100, 1); got.Share() < c.least || got.Share() > c.most || got.Average() > c.launchesMost {
			t.Errorf("%+v: %.2f failed with %.1f launches", c.m, got.Share(), got.Average())
		}
	}
}

// TestOthers: what the other rules are known for shows, so that they are what they are called.
func TestOthers(t *testing.T) {
	share := func(name string, m Machine) float64 {
		for _, r := range All {
			if r.Name == name {
				return Once(m, r.Fails, few, 4).Share()
			}
		}
		t.Fatalf("no rule %q", name)
		return 0
	}
	quiet, loss := Machine{CV: 0.02, Launches: 20}, Machine{CV: 0.02, Launches: 20, Loss: 0.10, Width: 1}
	if s := share("benchstat (α = 5 %)", quiet); s < 0.15 || s > 0.5 {
		t.Errorf("benchstat: %.2f false alarms", s)
	}
	if s := share("0.9 × floor", Machine{CV: 0.02, Launches: 5}); s < 0.8 {
		t.Errorf("floor: %.2f false alarms with 5 launches", s)
	}
	if s := share("Hodges–Lehmann, Holm", quiet); s > 0.01 {
		t.Errorf("Hodges–Lehmann: %.2f false alarms", s)
	}
	if s := share("Hodges–Lehmann, Holm", loss); s < 0.95 {
		t.Errorf("Hodges–Lehmann: power %.2f", s)
	}
	if s := share("Hodges–Lehmann, Holm", Machine{CV: 0.02, Launches: 5, Loss: 0.10, Width: 1}); s != 0 {
		t.Errorf("Hodges–Lehmann: fires with 5 launches in %.2f of gates, which it cannot", s)
	}
}

// TestDeterministic: the same seed gives the same counts, whatever the processors.
func TestDeterministic(t *testing.T) {
	m := Machine{CV: 0.03, Launches: 10, Loss: 0.07, Width: 1}
	rule := func(s gate.Sample) bool { return ours(s) }
	if a, b := Once(m, rule, 50, 9), Once(m, rule, 50, 9); a != b {
		t.Errorf("%+v, then %+v", a, b)
	}
}
