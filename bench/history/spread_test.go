package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"collbench/bench"
	"collbench/bench/stat"
)

// TestSpread makes sessions whose variance is known: 1.4 % common, 0.7 % of a size by itself, 2 % between launches,
// and a lasting loss of 20 % in the middle that must not count as noise.
func TestSpread(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const sessions, launches, sizes = 60, 20, 24
	series := map[bench.Case]map[string]Point{}
	var order []string
	for s := range sessions {
		id := fmt.Sprint(s)
		order = append(order, id)
		common := 0.014 * random.NormFloat64()
		if s >= sessions/2 {
			common += 0.2
		}
		for c := range sizes {
			own := common + 0.007*random.NormFloat64()
			var times []float64
			for range launches {
				times = append(times, 1e-3*math.Exp(own+0.02*random.NormFloat64()))
			}
			middle := stat.Median(times)
			if series[madeCase(int64(c))] == nil {
				series[madeCase(int64(c))] = map[string]Point{}
			}
			series[madeCase(int64(c))][id] = Point{Launches: times, Seconds: &middle}
		}
	}
	got := spread(series, order)
	if got.Sessions != sessions || math.Abs(got.Common/0.014-1) > 0.3 {
		t.Errorf("common %.4f of %d sessions, want about 0.014", got.Common, got.Sessions)
	}
	mean := 0.0
	for _, v := range got.Specific {
		mean += v / sizes
	}
	if len(got.Specific) != sizes || math.Abs(mean/0.007-1) > 0.3 {
		t.Errorf("specific %.4f of %d sizes on the average, want about 0.007", mean, len(got.Specific))
	}
}

func TestSpreadNeedsSessions(t *testing.T) {
	h := newHistory(t)
	var made []session
	for i := range leastSessions {
		made = append(made, session{day: i, seconds: func(int64, int) float64 { return 1e-3 * (1 + 0.01*float64(i%2)) }})
	}
	cases := []bench.Case{madeCase(1 << 10), madeCase(1 << 20)}
	addSessions(t, h, made[:leastSessions-1]...)
	runs, err := h.Index.Runs(t.Context(), Query{Last: 1})
	if err != nil {
		t.Fatal(err)
	}
	machine := runs[0].Machine.Fingerprint
	if _, ok, err := h.Spread(t.Context(), machine, cases, Span{}); ok || err != nil {
		t.Errorf("%d sessions are enough: %v", leastSessions-1, err)
	}
	made[leastSessions-1].id = "one-more"
	addSessions(t, h, made[leastSessions-1])
	if s, ok, err := h.Spread(t.Context(), machine, cases, Span{}); !ok || err != nil || s.Sessions != leastSessions || s.Common == 0 {
		t.Errorf("%+v, %v, %v", s, ok, err)
	}
}
