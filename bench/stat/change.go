package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The rule of Changes.
const (
	changeLeast        = 3   // values that a segment needs
	changePermutations = 999 // of each test
	changeMost         = 200 // values that are looked at, the last ones: the time grows with their square
)

// Change is a point at which a series changed: the mean before and after it, up to the neighbouring changes.
type Change struct {
	At            int // index of the first value after the change
	Before, After float64
	P             float64
}

// Changes finds the points at which the distribution of a series changed, in their order: E-divisive with hierarchical
// bisection (Matteson and James, JASA 2014, with exponent 1). The point that maximises the energy distance between
// the two parts of a segment is a change if fewer than α of the permutations of the segment have a larger distance;
// both parts are then searched in turn. The permutations are drawn from a fixed seed: the same series gives the same
// answer. A series of fewer than 6 values has none; of a long one the last 200 values are looked at. It describes a
// history; as a gate it would cry wolf in half of all nights (docs/gating.md).
func Changes(series []float64, alpha float64) []Change {
	first := max(0, len(series)-changeMost)
	var points []Change
	divide(series, first, len(series), alpha, &points)
	slices.SortFunc(points, func(a, b Change) int { return a.At - b.At })
	for i := range points {
		from, to := first, len(series)
		if i > 0 {
			from = points[i-1].At
		}
		if i+1 < len(points) {
			to = points[i+1].At
		}
		points[i].Before, points[i].After = mean(series[from:points[i].At]), mean(series[points[i].At:to])
	}
	return points
}

// divide adds the changes of series[from:to].
func divide(series []float64, from, to int, alpha float64, points *[]Change) {
	if to-from < 2*changeLeast {
		return
	}
	segment := slices.Clone(series[from:to])
	at, distance := split(segment)
	if at < 0 || distance <= 0 {
		return
	}
	r := rand.New(rand.NewPCG(uint64(from), uint64(to)))
	reached := 1
	for range changePermutations {
		if float64(reached) > alpha*(changePermutations+1) {
			return // p can only be larger
		}
		r.Shuffle(len(segment), func(i, j int) { segment[i], segment[j] = segment[j], segment[i] })
		if _, d := split(segment); d >= distance {
			reached++
		}
	}
	p := float64(reached) / (changePermutations + 1)
	if p > alpha {
		return
	}
	*points = append(*points, Change{At: from + at, P: p})
	divide(series, from, from+at, alpha, points)
	divide(series, from+at, to, alpha, points)
}

// split is the place with the largest scaled energy distance between what lies before and after it,
// mn/(m+n) · (2 E|X−Y| − E|X−X'| − E|Y−Y'|), and that distance; −1 where the segment is too short. Sums of distances
// within the parts are updated as a value goes from one to the other.
func split(segment []float64) (at int, distance float64) {
	n := len(segment)
	at, distance = -1, math.Inf(-1)
	var left, right, across float64 // sums over pairs
	for i := range n {
		for j := range i {
			right += math.Abs(segment[i] - segment[j])
		}
	}
	for i := 1; i < n; i++ { // segment[i-1] goes to the left
		var toLeft, toRight float64
		for j := range i - 1 {
			toLeft += math.Abs(segment[i-1] - segment[j])
		}
		for j := i; j < n; j++ {
			toRight += math.Abs(segment[i-1] - segment[j])
		}
		left, right, across = left+toLeft, right-toRight, across-toLeft+toRight
		if i < changeLeast || n-i < changeLeast {
			continue
		}
		m, k := float64(i), float64(n-i)
		q := m * k / (m + k) * (2*across/(m*k) - 2*left/(m*(m-1)) - 2*right/(k*(k-1)))
		if q > distance {
			at, distance = i, q
		}
	}
	return at, distance
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
