package gate

import (
	"math"

	"collbench/bench/stat"
)

// Sample is what was measured of the cases that two sides share: logarithms of seconds, launch × case. Cases that
// are neighbours in size stand beside each other; Groups says how many belong together, in order.
type Sample struct {
	Base, New [][]float64
	Order     []int // place in time of each launch, those of Base first; nil: the sides were not interleaved
	Groups    []int
	Between   stat.Between // of the difference of the sides: zero where they were interleaved
}

// Levels are the chances of error: of a wrong fail over all cases together, and of a wrong bound of a pass.
type Levels struct{ Fail, Pass float64 }

// Fixed are the levels of a gate that looks once.
var Fixed = Levels{Fail: 0.05, Pass: 0.05}

// permutations of the test; its smallest p-value is one ten-thousandth.
const permutations = 9999

// detectablePower is the chance with which what is called detectable is failed.
const detectablePower = 0.95

// noiseReach makes a standard error the noise of a machine against itself: within it lie 95 % of comparisons.
const noiseReach = 1.96

// Comparison is what a Sample tells about each case (in the order of its columns) and each window of cases.
type Comparison struct {
	Margin  []float64       // of each case: the loss, as a logarithm, that has to be exceeded
	Shift   []stat.Interval // of each case: new against base as a logarithm, 95 %
	Upper   []float64       // of each case: the bound of the loss that holds with 1 − Levels.Pass
	Windows []stat.Window
	Test    stat.ShiftTest
}

// Compare tests a sample. Quick leaves out what only a reader wants: it ends as soon as nothing can fail any more.
func (r Relative) Compare(s Sample, levels Levels, quick bool) Comparison {
	cases := len(s.Base[0])
	c := Comparison{Margin: make([]float64, cases), Shift: make([]stat.Interval, cases), Upper: make([]float64, cases)}
	base, changed := make([]float64, len(s.Base)), make([]float64, len(s.New))
	spread := math.Sqrt(s.Between.Common*s.Between.Common + s.Between.Each*s.Between.Each)
	for k := range cases {
		for i, row := range s.Base {
			base[i] = row[k]
		}
		for i, row := range s.New {
			changed[i] = row[k]
		}
		c.Margin[k] = max(math.Log1p(r.MinimumEffect), noise(base, changed))
		bound, _ := stat.HodgesLehmann(base, changed, levels.Pass)
		c.Upper[k] = widened(bound, stat.NormalQuantile(1-levels.Pass)*spread).High
		if !quick {
			both, _ := stat.HodgesLehmann(base, changed, 0.025)
			c.Shift[k] = widened(both, noiseReach*spread)
		}
	}
	first := 0
	for _, n := range s.Groups {
		c.Windows = append(c.Windows, stat.Windows(first, n)...)
		first += n
	}
	shifts := stat.Shifts{Base: s.Base, New: s.New, Order: s.Order, Windows: c.Windows, Margin: c.Margin, Between: s.Between, Seed: 1}
	n := permutations
	if quick {
		n = quickPermutations(levels.Fail)
	}
	c.Test = shifts.Test(levels.Fail, n, quick)
	return c
}

// quickPermutations are enough to tell whether p is at most α: ten or more of them may then lie above.
func quickPermutations(alpha float64) int {
	return max(399, min(permutations, int(math.Ceil(10/alpha))-1))
}

// noise is what the machine differs from itself by: 95 % of comparisons of so many launches with so many others of
// the same lie within it, by the spread within both sides. A logarithm.
func noise(base, changed []float64) float64 {
	within := make([]float64, 0, len(base)+len(changed))
	for _, side := range [][]float64{base, changed} {
		middle := stat.Median(side)
		for _, v := range side {
			within = append(within, v-middle)
		}
	}
	return noiseReach * stat.MedianDeviation(within) * math.Sqrt(1/float64(len(base))+1/float64(len(changed)))
}

// widened adds an independent error to both sides of an interval.
func widened(i stat.Interval, by float64) stat.Interval {
	if by > 0 {
		i.Low = i.Estimate - math.Hypot(i.Estimate-i.Low, by)
		i.High = i.Estimate + math.Hypot(i.High-i.Estimate, by)
	}
	return i
}

// Failed says whether a loss beyond its margin is shown, in any case or window of cases.
func (c Comparison) Failed(levels Levels) bool {
	for _, p := range c.Test.P {
		if p <= levels.Fail {
			return true
		}
	}
	return false
}

// Excludes says whether a loss, as a fraction, is excluded in every case.
func (c Comparison) Excludes(loss float64) bool {
	for _, u := range c.Upper {
		if !(u < math.Log1p(loss)) {
			return false
		}
	}
	return true
}
