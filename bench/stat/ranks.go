package stat

import (
	"math"
	"slices"
	"sort"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactMost is the largest sample for which the distribution of U is counted; beyond it the normal one is as good.
const exactMost = 50

// MannWhitney is the p-value of the one-sided Mann–Whitney test: small if y tends to be larger than x. Twice the
// smaller of it and of its exchange is the two-sided one. It is NaN without values on a side.
//
// U is the number of pairs with y above x, a tie counting one half. Without ties and up to 50 values a side its
// distribution is counted (Mann and Whitney 1947); else it is taken to be normal, with the correction for continuity
// and for ties (Lehmann, Nonparametrics, section 1.4 there; R's wilcox.test does the same).
func MannWhitney(x, y []float64) float64 {
	m, n := len(x), len(y)
	if m == 0 || n == 0 {
		return math.NaN()
	}
	u, ties := pairsAbove(x, y)
	if ties == 0 && m <= exactMost && n <= exactMost {
		return upperTail(countU(m, n), int(u))
	}
	total := float64(m + n)
	mean := float64(m*n) / 2
	variance := float64(m*n) / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 {
		return 1 // all values are equal
	}
	return 1 - distuv.UnitNormal.CDF((u-mean-0.5)/math.Sqrt(variance))
}

// pairsAbove is U, and the sum of t³−t over groups of t tied values.
func pairsAbove(x, y []float64) (u, ties float64) {
	a, b := sorted(x), sorted(y)
	below, upTo := 0, 0
	for _, v := range b {
		for below < len(a) && a[below] < v {
			below++
		}
		for upTo < len(a) && a[upTo] <= v {
			upTo++
		}
		u += float64(below) + float64(upTo-below)/2
	}
	all := sorted(append(a, b...))
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j] == all[i] {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return u, ties
}

type sizes struct{ m, n int }

var (
	countsLock sync.Mutex
	counts     = map[sizes][]float64{}
)

// countU is P(U ≤ u) under no difference for u = 0 … m·n: how many of the C(m+n, m) arrangements have each U, by the
// recurrence of Mann and Whitney (1947), which multiplies out the Gaussian binomial coefficient.
func countU(m, n int) []float64 {
	m, n = min(m, n), max(m, n)
	countsLock.Lock()
	defer countsLock.Unlock()
	if c, ok := counts[sizes{m, n}]; ok {
		return c
	}
	c := make([]float64, m*n+1)
	c[0] = 1
	for i := 1; i <= m; i++ { // times (1 − q^(n+i)) ÷ (1 − q^i)
		for u := len(c) - 1; u >= n+i; u-- {
			c[u] -= c[u-n-i]
		}
		for u := i; u < len(c); u++ {
			c[u] += c[u-i]
		}
	}
	for u := 1; u < len(c); u++ {
		c[u] += c[u-1]
	}
	total := c[len(c)-1]
	for u := range c {
		c[u] /= total
	}
	counts[sizes{m, n}] = c
	return c
}

// upperTail is P(U ≥ u), by the symmetry of U.
func upperTail(cumulative []float64, u int) float64 {
	mirrored := len(cumulative) - 1 - u
	return cumulative[mirrored]
}

// Interval is an estimate and its interval.
type Interval struct{ Estimate, Low, High float64 }

// HodgesLehmann estimates by how much y is shifted against x: the median of all differences y − x, and the interval
// from the k-th smallest to the k-th largest difference, where k is the largest number with P(U < k) ≤ tail on each
// side, so that each bound by itself holds with confidence 1 − tail (Hodges and Lehmann 1963; Hollander, Wolfe and
// Chicken, Nonparametric Statistical Methods, 3rd ed., section 4.3). Beyond 50 values a side U is taken to be normal.
// ok is false if there are too few values for such a tail: one of 5 % takes 3 a side, of 2.5 % takes 4.
func HodgesLehmann(x, y []float64, tail float64) (shift Interval, ok bool) {
	a, b := sorted(x), sorted(y)
	total := len(a) * len(b)
	if total == 0 {
		return Interval{math.NaN(), math.Inf(-1), math.Inf(1)}, false
	}
	low, high := kthDifference(a, b, (total-1)/2), kthDifference(a, b, total/2)
	shift = Interval{(low + high) / 2, math.Inf(-1), math.Inf(1)}
	k := intervalRankU(len(a), len(b), tail)
	if k == 0 {
		return shift, false
	}
	shift.Low, shift.High = kthDifference(a, b, k-1), kthDifference(a, b, total-k)
	return shift, true
}

// intervalRankU is k of HodgesLehmann; 0: none.
func intervalRankU(m, n int, tail float64) int {
	if m <= exactMost && n <= exactMost {
		return sort.Search(m*n+1, func(u int) bool { return countU(m, n)[u] > tail })
	}
	mean, sd := float64(m*n)/2, math.Sqrt(float64(m*n)*float64(m+n+1)/12)
	return max(0, int(math.Floor(mean-0.5-distuv.UnitNormal.Quantile(1-tail)*sd))+1)
}

// kthDifference is the k-th smallest (from 0) of all differences of sorted values b − a. It narrows an interval that
// holds it, counting in time len(a)+len(b) how many lie below, and so never makes the differences themselves.
func kthDifference(a, b []float64, k int) float64 {
	low, high := b[0]-a[len(a)-1], b[len(b)-1]-a[0]
	for low < high {
		middle := low + (high-low)/2
		if middle >= high || middle < low {
			break
		}
		count, largest, next := differencesUpTo(a, b, middle)
		switch {
		case count > k:
			high = largest // the largest difference that is not above the middle
		default:
			low = next // the smallest one above the middle
		}
	}
	return low
}

// differencesUpTo counts the differences b − a that are not above the limit, and tells the largest of those and the
// smallest of the others.
func differencesUpTo(a, b []float64, limit float64) (count int, largest, next float64) {
	largest, next = math.Inf(-1), math.Inf(1)
	i := 0 // a[i:] are those that bring the difference down to the limit
	for _, v := range b {
		for i < len(a) && v-a[i] > limit {
			i++
		}
		count += len(a) - i
		if i < len(a) {
			largest = max(largest, v-a[i])
		}
		if i > 0 {
			next = min(next, v-a[i-1])
		}
	}
	return count, largest, next
}

// RatioInterval is HodgesLehmann on logarithms: the ratio of y to x, both above 0, with its interval.
func RatioInterval(x, y []float64, tail float64) (ratio Interval, ok bool) {
	shift, ok := HodgesLehmann(logs(x), logs(y), tail)
	return Interval{math.Exp(shift.Estimate), math.Exp(shift.Low), math.Exp(shift.High)}, ok
}

func logs(values []float64) []float64 {
	l := make([]float64, len(values))
	for i, v := range values {
		l[i] = math.Log(v)
	}
	return l
}

// Holm adjusts p-values for their number by Holm's step-down procedure (Holm 1979): those that are at most α after it
// are rejected with a chance of at most α that one of them is rejected wrongly, whatever their dependence.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if p[a] < p[b] {
			return -1
		}
		if p[a] > p[b] {
			return 1
		}
		return a - b
	})
	adjusted := make([]float64, len(p))
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = largest
	}
	return adjusted
}
