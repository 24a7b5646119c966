package gate

import (
	"cmp"
	"math"
	"slices"

	"collbench/bench/stat"
)

// Policy is what runs are held against.
type Policy struct {
	Relative Relative
}

// ClearLoss is the loss, as a fraction, that until-clear wants to have shown or excluded before it stops.
const ClearLoss = 0.05

// DefaultPolicy is the one without a file.
func DefaultPolicy() Policy {
	return Policy{Relative: Relative{
		MinimumEffect: 0.03, Excluded: 0.10, Launches: 5,
		Between: Between{Common: 0.014, Each: 0.007},
	}}
}

// Sessions is by how much two sides differ that were measured in so many sessions each.
func Sessions(b Between, base, changed int) stat.Between {
	f := math.Sqrt(1/float64(base) + 1/float64(changed))
	return stat.Between{Common: f * b.Common, Each: f * b.Each}
}

// Ranks are the places 0, 1, … that values have among themselves.
func Ranks(values []int) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks := make([]int, len(values))
	for place, i := range order {
		ranks[i] = place
	}
	return ranks
}
