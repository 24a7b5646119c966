package gate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
)

// CalibrationSchema is the name of what a calibration is as JSON.
const CalibrationSchema = "collbench.calibration/1"

// Calibration is what gating can do on one machine, by its own noise: a run against itself.
type Calibration struct {
	Schema   string      `json:"schema"`
	Launches int         `json:"launches"` // that were resampled
	Cases    []CaseNoise `json:"cases"`
	Trials   []Trial     `json:"trials"`
}

// CaseNoise is the noise of one case.
type CaseNoise struct {
	Case  bench.Case `json:"case"`
	CV    float64    `json:"cv"`    // robust, of the launches
	Noise float64    `json:"noise"` // 95 % of comparisons of 5 launches with 5 others (medians) differ by less, as a fraction
}

// Trial is how gates of so many launches a side came out.
type Trial struct {
	Launches    int      `json:"launches"`
	Gates       int      `json:"gates"`
	FalseAlarms float64  `json:"false_alarms"`         // fraction of gates without a change that failed
	One         *float64 `json:"detectable,omitempty"` // loss at one case that is failed in 95 % of gates; absent: above the largest tried
	All         *float64 `json:"detectable_at_all,omitempty"`
}

// What Calibrate tries.
var calibrated = []int{5, 8, 10, 20, 40}

const (
	calibrationGates  = 400
	calibrationSearch = 100 // gates at each loss of a search
	largestLoss       = 1.0 // that is tried
	leastCalibration  = 8   // launches
)

// Calibrate draws two sides again and again from the launches of one: with what differs between launches but for
// chance left out, every fail is a false alarm. A loss is put upon one side to see which are failed. Launches are
// drawn with replacement where there are not enough for two sides.
func Calibrate(p Policy, runs []Run) (Calibration, error) {
	s := newSide(runs)
	in := &input{policy: p, base: &s, changed: s, levels: Fixed}
	families, _ := in.families()
	c := Calibration{Schema: CalibrationSchema, Cases: []CaseNoise{}}
	var f family
	for _, other := range families {
		if len(other.cases)*len(other.base) > len(f.cases)*len(f.base) {
			f = other
		}
	}
	if len(f.base) < leastCalibration {
		return c, fmt.Errorf("%s with the same cases: want %d or more, better 20, to draw from", plural(len(f.base), "launch"), leastCalibration)
	}
	c.Launches = len(f.base)
	sample := in.sample(f)
	r := rand.New(rand.NewPCG(1, 2))
	for k, of := range f.cases {
		var times []float64
		for _, row := range sample.Base {
			times = append(times, math.Exp(row[k]))
		}
		c.Cases = append(c.Cases, CaseNoise{of, stat.RobustCV(times), noiseOfFive(times, r)})
	}
	for _, n := range calibrated {
		if n >= p.Relative.Launches {
			c.Trials = append(c.Trials, trial(p.Relative, sample, n))
		}
	}
	return c, nil
}

// noiseOfFive is the 95th percentile of |ratio − 1| of medians of 5 launches and 5 others, as the field measures it.
func noiseOfFive(times []float64, r *rand.Rand) float64 {
	var off []float64
	for range 1000 {
		drawn := draw(len(times), 10, r)
		pick := func(at []int) (v []float64) {
			for _, i := range at {
				v = append(v, times[i])
			}
			return v
		}
		off = append(off, math.Abs(stat.Median(pick(drawn[:5]))/stat.Median(pick(drawn[5:]))-1))
	}
	return stat.Quantile(off, 0.95)
}

// draw picks so many of n: all different if there are enough.
func draw(n, many int, r *rand.Rand) []int {
	if many <= n {
		return r.Perm(n)[:many]
	}
	drawn := make([]int, many)
	for i := range drawn {
		drawn[i] = r.IntN(n)
	}
	return drawn
}

// trial plays gates of n launches a side.
func trial(rule Relative, s Sample, n int) Trial {
	t := Trial{Launches: n, Gates: calibrationGates, FalseAlarms: play(rule, s, n, 0, 0, calibrationGates)}
	cases := len(s.Base[0])
	t.One = leastLoss(func(loss float64) float64 { return play(rule, s, n, loss, 1, calibrationSearch) })
	t.All = leastLoss(func(loss float64) float64 { return play(rule, s, n, loss, cases, calibrationSearch) })
	return t
}

// play is the fraction of gates that fail with a loss at so many neighbouring cases.
func play(rule Relative, s Sample, n int, loss float64, width, gates int) float64 {
	failed := 0
	for g := range gates {
		r := rand.New(rand.NewPCG(3, uint64(g)))
		drawn := draw(len(s.Base), 2*n, r)
		at := 0
		if width > 0 {
			at = r.IntN(len(s.Base[0]) - width + 1)
		}
		two := Sample{Groups: s.Groups}
		for i, from := range drawn {
			row := slices.Clone(s.Base[from])
			if i%2 == 0 {
				two.Base = append(two.Base, row)
				continue
			}
			for k := range width {
				row[at+k] += math.Log1p(loss)
			}
			two.New = append(two.New, row)
		}
		if rule.Compare(two, Fixed, true).Failed(Fixed) {
			failed++
		}
	}
	return float64(failed) / float64(gates)
}

// leastLoss halves the interval that holds the least loss with the power wanted; nil: the largest has it not.
func leastLoss(power func(loss float64) float64) *float64 {
	low, high := 0.0, largestLoss
	if power(high) < detectablePower {
		return nil
	}
	for range 9 {
		if middle := (low + high) / 2; power(middle) < detectablePower {
			low = middle
		} else {
			high = middle
		}
	}
	return &high
}
