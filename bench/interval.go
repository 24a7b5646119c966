package bench

import (
	"math"
	"slices"
)

// median is the middle of the values; NaN without any.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	v := slices.Clone(values)
	slices.Sort(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// medianInterval is the median's order-statistic interval of at least 95 % confidence, without any assumption about
// the distribution: the number of values below the median is binomial(n, ½) (Conover, Practical Nonparametric
// Statistics, 3.2). ok is false with fewer than 6 values, for which there is none.
func medianInterval(values []float64) (low, high float64, ok bool) {
	n := len(values)
	// The largest k with P(X < k) ≤ 2.5 %, in logarithms because 2^−n underflows.
	k, tail := 0, 0.0
	logn, _ := math.Lgamma(float64(n) + 1)
	for k < n/2 {
		a, _ := math.Lgamma(float64(k) + 1)
		b, _ := math.Lgamma(float64(n-k) + 1)
		tail += math.Exp(logn - a - b - float64(n)*math.Ln2)
		if tail > 0.025 {
			break
		}
		k++
	}
	if k == 0 {
		return 0, 0, false
	}
	v := slices.Clone(values)
	slices.Sort(v)
	return v[k-1], v[n-k], true
}

// steady says whether times have stopped falling or rising: there are at least 4, and the median of the last half
// is within a tenth of that of the quarter before it.
func steady(times []float64) bool {
	n := len(times)
	if n < 4 {
		return false
	}
	before, last := median(times[n/4:n/2]), median(times[n/2:])
	return math.Abs(last-before) <= 0.1*before
}
