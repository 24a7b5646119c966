package history

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A loss of 10 % that came with a kernel and a commit is found at its session, with both; what did not change is not.
func TestTrend(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	h := newHistory(t)
	var made []session
	for day := range 30 {
		s := session{day: day, kernel: "6.1", commit: "aaa", launches: 3}
		level := 1e-3
		if day >= 18 {
			s.kernel, s.commit = "6.2", "bbb"
			level *= 1.1
		}
		s.seconds = func(bytes int64, _ int) float64 {
			if bytes == madeSizes[0] {
				return 1e-5 * (1 + 0.02*random.NormFloat64())
			}
			return level * (1 + 0.02*random.NormFloat64())
		}
		made = append(made, s)
	}
	addSessions(t, h, made...)
	addSessions(t, h, session{id: "elsewhere", day: 31, cpu: "Other CPU", seconds: func(int64, int) float64 { return 1 }})
	machines, err := h.Index.Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Trend(t.Context(), machines[0], madeCase(madeSizes[1]), 0)
	if err != nil || len(got.Sessions) != 30 || len(got.Changes) != 1 {
		t.Fatalf("%d sessions, changes %s, %v", len(got.Sessions), text(t, got.Changes), err)
	}
	c := got.Changes[0]
	if c.Before.ID != "run-017" || c.After.ID != "run-018" || c.Before.Commit != "aaa" || c.After.Commit != "bbb" ||
		!slices.Equal(c.Environment, []string{"kernel: 6.1 → 6.2"}) || c.Seconds/c.Earlier < 1.08 || c.Seconds/c.Earlier > 1.12 || c.P > Doubt {
		t.Errorf("%s", text(t, c))
	}
	if flat, err := h.Trend(t.Context(), machines[0], madeCase(madeSizes[0]), 0); err != nil || len(flat.Changes) > 0 {
		t.Errorf("a change without one: %s, %v", text(t, flat.Changes), err)
	}
	if none, err := h.Trend(t.Context(), machines[0], madeCase(77), 0); err != nil || len(none.Sessions) > 0 || len(none.Changes) > 0 {
		t.Errorf("no such case: %+v, %v", none, err)
	}
}
