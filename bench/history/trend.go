package history

import (
	"context"

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
	Seconds     float64  `json:"seconds"`               // median of the sessions since, up to the next change
	Earlier     float64  `json:"earlier"`               // median of the sessions before, back to the change before
	Algorithms  string   `json:"algorithms,omitempty"`  // "ring → tree" where another algorithm ran
	Environment []string `json:"environment,omitempty"` // what else changed between the two: Differences
}

// Trend looks at the last so many sessions (0: all) of a case on a machine.
func (h History) Trend(ctx context.Context, machine Machine, c bench.Case, last int) (Trend, error) {
	t := Trend{Machine: machine, Case: c}
	series, err := h.Index.Series(ctx, machine.Fingerprint, c, Span{Last: last})
	if err != nil {
		return t, err
	}
	for _, s := range series {
		if s.Point.Seconds != nil {
			t.Sessions = append(t.Sessions, s)
		}
	}
	t.Changes = changes(t.Sessions, changePoints)
	return t, nil
}

// changes describes the changes at the sessions that find names: each the first of its kind.
func changes(sessions []Session, find func([]float64) []int) (list []Change) {
	times := make([]float64, len(sessions))
	for i, s := range sessions {
		times[i] = *s.Point.Seconds
	}
	at := append(find(times), len(times))
	start := 0
	for i := 0; i+1 < len(at); i++ {
		before, after := sessions[at[i]-1], sessions[at[i]]
		c := Change{Before: before.Run, After: after.Run, Earlier: stat.Median(times[start:at[i]]), Seconds: stat.Median(times[at[i]:at[i+1]]),
			Environment: Differences(before.Run, after.Run)}
		if a, b := before.Point.Observed, after.Point.Observed; a != b {
			c.Algorithms = known(a) + " → " + known(b)
		}
		list = append(list, c)
		start = at[i]
	}
	return list
}
