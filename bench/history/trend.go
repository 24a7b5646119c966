package history

import (
	"context"
	"math"

	"collbench/bench"
	"collbench/bench/stat"
)

// Trend is how a case went on a machine, and where it changed.
type Trend struct {
	Machine  Machine    `json:"machine"`
	Case     bench.Case `json:"case"`
	Sessions []Session  `json:"-"` // that have a figure, the oldest first
	Changes  []Change   `json:"changes"`
}

// Change is a lasting change of a case, between two sessions that follow each other.
type Change struct {
	Before      Run      `json:"before"`                // the last session before it
	After       Run      `json:"after"`                 // the first session after it
	Earlier     float64  `json:"earlier"`               // seconds: median of the sessions before, back to the change before
	Seconds     float64  `json:"seconds"`               // median of the sessions since, up to the next change
	P           float64  `json:"p"`                     // that an unchanged series looks like this: of a test by permutation
	Algorithms  string   `json:"algorithms,omitempty"`  // "ring → tree" where another algorithm ran
	Environment []string `json:"environment,omitempty"` // what else is different after it: Differences
}

// Doubt is how many of the series without a change show one all the same.
const Doubt = 0.01

// Trend looks at the last so many sessions (0: all) of a case on a machine. Change points are those of stat.Changes,
// in the logarithms of the sessions' medians: they describe a history, and are no gate.
func (h History) Trend(ctx context.Context, machine Machine, c bench.Case, last int) (Trend, error) {
	t := Trend{Machine: machine, Case: c}
	series, err := h.Index.Series(ctx, machine.Fingerprint, c, Span{Last: last})
	if err != nil {
		return t, err
	}
	var times, logs []float64
	for _, s := range series {
		if s.Point.Seconds != nil {
			t.Sessions = append(t.Sessions, s)
			times = append(times, *s.Point.Seconds)
			logs = append(logs, math.Log(*s.Point.Seconds))
		}
	}
	found := stat.Changes(logs, Doubt)
	for i, p := range found {
		from, to := 0, len(times)
		if i > 0 {
			from = found[i-1].At
		}
		if i+1 < len(found) {
			to = found[i+1].At
		}
		before, after := t.Sessions[p.At-1], t.Sessions[p.At]
		k := Change{Before: before.Run, After: after.Run, Earlier: stat.Median(times[from:p.At]), Seconds: stat.Median(times[p.At:to]), P: p.P,
			Environment: Differences(before.Run, after.Run)}
		if a, b := before.Point.Observed, after.Point.Observed; a != b {
			k.Algorithms = known(a) + " → " + known(b)
		}
		t.Changes = append(t.Changes, k)
	}
	return t, nil
}
