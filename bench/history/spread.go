package history

import (
	"context"
	"math"

	"collbench/bench"
	"collbench/bench/stat"
)

// Spread is how much sessions on a machine differ although nothing has changed, as standard deviations of the
// natural logarithm of the time, which for a few per cent are relative standard deviations.
type Spread struct {
	Sessions int                    `json:"sessions"` // that it rests on
	Common   float64                `json:"common"`   // of what moves all cases of a session together
	Specific map[bench.Case]float64 `json:"-"`        // of what moves a case by itself
}

// Each is one figure for what moves a case by itself: the root mean square over the cases.
func (s Spread) Each() float64 {
	sum := 0.0
	for _, v := range s.Specific {
		sum += v * v
	}
	if len(s.Specific) == 0 {
		return 0
	}
	return math.Sqrt(sum / float64(len(s.Specific)))
}

// leastSessions is the least number of sessions from which a spread is estimated: with fewer differences a median
// absolute deviation says nothing.
const leastSessions = 6

// consistency makes a median absolute deviation of normal values an estimate of their standard deviation: 1 ÷ the
// third quartile of the standard normal distribution.
const consistency = 1.4826

// Spread estimates the variance between sessions from a span of them on a machine, for those of the cases that at
// least 6 sessions have. ok is false where there are none. A run that is judged by it should not be in the span.
//
// With x the logarithm of a session's median, successive sessions differ by twice the variance between sessions and
// twice the noise of a median of launches, whatever happened before and after: so a lasting change in the history,
// which is one difference of many, hardly matters to a median absolute deviation. What all cases have in common is
// the median of their differences; the rest is the case's own. The noise of a median of n launches, 1.57 × their
// variance ÷ n (Kendall and Stuart, The Advanced Theory of Statistics I, section 10.10, for normal values), is taken
// off, as those who compare launches count it themselves.
func (h History) Spread(ctx context.Context, machine string, cases []bench.Case, span Span) (s Spread, ok bool, err error) {
	series := map[bench.Case]map[string]Point{} // by the run's ID
	var order []string                          // of the runs, from the case that has most
	for _, c := range cases {
		sessions, err := h.Index.Series(ctx, machine, c, span)
		if err != nil {
			return s, false, err
		}
		points := map[string]Point{}
		var runs []string
		for _, e := range sessions {
			if e.Point.Seconds != nil {
				points[e.Run.ID] = e.Point
				runs = append(runs, e.Run.ID)
			}
		}
		if len(runs) < leastSessions {
			continue
		}
		series[c] = points
		if len(runs) > len(order) {
			order = runs
		}
	}
	if len(series) == 0 {
		return s, false, nil
	}
	s = spread(series, order)
	return s, s.Sessions >= leastSessions, nil
}

func spread(series map[bench.Case]map[string]Point, order []string) Spread {
	s := Spread{Sessions: len(order), Specific: map[bench.Case]float64{}}
	var common []float64
	own := map[bench.Case][]float64{}
	var sampling []float64 // variance of the median over the cases, from what a case does by itself
	for i := 1; i < len(order); i++ {
		steps := map[bench.Case]float64{}
		var all []float64
		for c, points := range series {
			before, ok := points[order[i-1]]
			after, also := points[order[i]]
			if ok && also {
				steps[c] = math.Log(*after.Seconds) - math.Log(*before.Seconds)
				all = append(all, steps[c])
			}
		}
		if len(all) == 0 {
			continue
		}
		middle := 0.0
		if len(all) > 1 { // of one case nothing is common
			middle = stat.Median(all)
			common = append(common, middle)
		}
		for c, step := range steps {
			own[c] = append(own[c], step-middle)
		}
	}
	for c, steps := range own {
		total := square(deviation(steps)) / 2
		sampling = append(sampling, total)
		s.Specific[c] = math.Sqrt(max(0, total-noise(series[c])))
	}
	if len(common) > 0 {
		s.Common = math.Sqrt(max(0, square(deviation(common))/2-math.Pi/2*stat.Median(sampling)/float64(len(series))))
	}
	return s
}

func square(v float64) float64 { return v * v }

// deviation estimates the standard deviation of differences whose mean is 0, by their median absolute value.
func deviation(differences []float64) float64 {
	var sizes []float64
	for _, d := range differences {
		sizes = append(sizes, math.Abs(d))
	}
	return consistency * stat.Median(sizes)
}

// noise is the variance of a session's median that its launches explain: the middle one over the sessions. With one
// launch a session nothing tells it from the variance between sessions, and it is 0.
func noise(points map[string]Point) float64 {
	var variances []float64
	for _, p := range points {
		if len(p.Launches) < 3 {
			continue
		}
		var steps []float64
		for _, v := range p.Launches {
			steps = append(steps, math.Log(v)-math.Log(*p.Seconds))
		}
		variances = append(variances, math.Pi/2*square(deviation(steps))/float64(len(p.Launches)))
	}
	if len(variances) == 0 {
		return 0
	}
	return stat.Median(variances)
}
