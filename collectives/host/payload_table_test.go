package host

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"collbench/collectives"
)

// TestTolerance averages as NCCL does, in random orders, and looks at how far off that is.
func TestTolerance(t *testing.T) {
	for _, ranks := range []int{1, 2, 3, 5, 7, 8, 24, 64, 100, 1000} {
		for _, d := range collectives.DataTypes {
			if !d.Floating() {
				continue
			}
			p := NewPayload(collectives.Shape{Collective: collectives.AllReduce, Ranks: ranks, Count: period, Chunks: 1, Local: ranks, Radix: 40}, d, collectives.Avg)
			times, plus := Combiner(d, collectives.Prod), Combiner(d, collectives.Sum)
			share := make([]byte, 0, period*d.Size())
			for range period {
				share = append(share, putFloat(d, 1)...)
			}
			Average(d, ranks, share)
			total := make([]byte, period*d.Size())
			for _, rank := range rand.Perm(ranks) {
				data := make([]byte, period*d.Size())
				p.Fill(rank, 0, data)
				times(data, data, share)
				plus(total, total, data)
			}
			bound, furthest := Tolerance(d, collectives.Avg, ranks), 0.0
			for i := range period {
				of := func(data []byte) float64 {
					v, _ := strconv.ParseFloat(text(d, data[i*d.Size():]), 64)
					return v
				}
				furthest = max(furthest, math.Abs(of(total)-of(p.reduced)))
			}
			if furthest > bound {
				t.Errorf("%s, %d ranks: off by %g, more than the bound of %g", d, ranks, furthest, bound)
			}
			if (bound == 0) != (ranks&(ranks-1) == 0) || Tolerance(d, collectives.Sum, ranks) != 0 {
				t.Errorf("%s, %d ranks: the bound is %g", d, ranks, bound)
			}
		}
	}
}
