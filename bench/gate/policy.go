package gate

import (
	"cmp"
	"math"
	"slices"

	"collbench/bench/stat"
)

// Policy is what runs are held against. ParsePolicy reads one; DefaultPolicy is the one without a file.
type Policy struct {
	Relative   Relative
	Floors     []Floor
	Models     []ModelShare
	Algorithms []Proof
	Variants   []Speedup
	Stragglers []Straggler
	Verified   bool // whether a result that nobody verified is inconclusive
}

// Relative are the settings of the comparison with a baseline.
type Relative struct {
	Required      bool     // a policy speaks of it: without a baseline the verdict is inconclusive
	MinimumEffect float64  // loss of time, as a fraction, that a fail must have shown to be exceeded
	Excluded      float64  // loss, as a fraction, that a pass must have excluded
	Launches      int      // fewer of them on a side are inconclusive
	Between       Between  // what comes and goes from session to session
	Same          []string // what of the environments must be alike, by the names of environmentFacts
}

// Between are the standard deviations of one session's times, as fractions: of what all cases share and of what each
// has to itself. Two sessions differ by √2 of that.
type Between struct{ Common, Each float64 }

// ClearLoss is the loss, as a fraction, that until-clear wants to have shown or excluded before it stops.
const ClearLoss = 0.05

// DefaultPolicy is the one without a file. The variance between sessions is what the simulation has; a history can
// tell a machine's own.
func DefaultPolicy() Policy {
	return Policy{Relative: Relative{
		MinimumEffect: 0.03, Excluded: 0.10, Launches: 5,
		Between: Between{Common: 0.014, Each: 0.007},
		Same:    []string{"cpu", "cpus", "memory", "numa-nodes", "hypervisor"},
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
