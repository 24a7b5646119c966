package gate

import (
	"math"
	"testing"

	"collbench/bench"
)

// TestLooksSpendNoMore: the parts of all looks add up to what there is, whatever the looks.
func TestLooksSpendNoMore(t *testing.T) {
	for _, looks := range [][]float64{{1}, {0.1, 0.2, 0.9, 1}, {0.3, 0.2, 0.5, 1.4, 2}, {0.5}} {
		var l Looks
		fail, pass := 0.0, 0.0
		for _, at := range looks {
			levels := l.Levels(at)
			fail, pass = fail+levels.Fail, pass+levels.Pass
			if levels.Fail < 0 {
				t.Errorf("%v: level %g", looks, levels.Fail)
			}
		}
		if most := Fixed.Fail * failGain; fail > most+1e-12 || looks[len(looks)-1] >= 1 && math.Abs(fail-most) > 1e-12 || pass > Fixed.Pass*passGain+1e-12 {
			t.Errorf("%v: spent %g and %g", looks, fail, pass)
		}
	}
}

func TestNextLook(t *testing.T) {
	at := 0
	for _, want := range []int{6, 8, 11, 15, 21, 29} {
		if at = NextLook(at); at != want {
			t.Errorf("%d, want %d", at, want)
		}
	}
}

func TestLook(t *testing.T) {
	base := made{launches: 8, seed: 1}
	for _, c := range []struct {
		name    string
		changed made
		spent   float64
		outcome Outcome
		clear   bool
	}{
		{"unchanged", made{launches: 8, seed: 2, place: second}, 0.5, Pass, true},
		{"slower", made{launches: 8, seed: 2, place: second, slower: at(1<<20, 1.2)}, 0.5, Fail, true},
		{"between", made{launches: 8, seed: 2, place: second, slower: at(1<<20, 1.04), cv: 0.02}, 0.5, Inconclusive, false},
		{"between, at the end", made{launches: 8, seed: 2, place: second, slower: at(1<<20, 1.04), cv: 0.02}, 1, Pass, true},
		{"a size is missing", made{launches: 8, seed: 2, place: second, sizes: sizes[1:]}, 0.5, Inconclusive, true},
	} {
		var l Looks
		v, clear := l.Look(DefaultPolicy(), base.runs(), c.changed.runs(), c.spent)
		if v.Outcome != c.outcome || clear != c.clear {
			t.Errorf("%s: %s, clear %v: %s", c.name, v.Outcome, clear, v.Findings[0].Message)
		}
	}
}

func TestCalibrate(t *testing.T) {
	k, err := Calibrate(DefaultPolicy(), made{launches: 20, cv: 0.02, sizes: sizes[:4]}.runs())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range k.Cases {
		if c.CV < 0.008 || c.CV > 0.04 || c.Noise < 0.01 || c.Noise > 0.06 {
			t.Errorf("%s: cv %g, noise %g, want about 2 and 3 %%", c.Case, c.CV, c.Noise)
		}
	}
	last := 1.0
	for _, trial := range k.Trials {
		if trial.FalseAlarms > 0.02 || trial.One == nil || trial.All == nil || *trial.All > *trial.One || *trial.One > last || *trial.One < 0.03 {
			t.Errorf("%+v after %g", trial, last)
			continue
		}
		last = *trial.One + 0.01
	}
	if len(k.Trials) != len(calibrated) || k.Launches != 20 {
		t.Errorf("%+v", k)
	}
	if _, err := Calibrate(DefaultPolicy(), made{launches: 3}.runs()); err == nil {
		t.Error("calibrated by 3 launches")
	}
	if _, err := Calibrate(DefaultPolicy(), made{launches: 30, change: func(_ int, r *bench.Result) { r.Simulated = true }}.runs()); err == nil {
		t.Error("calibrated by simulated results")
	}
}
