// Package stat has the few statistics that figures rest on: the median and its interval, quantiles, and whether a
// series of times has become steady. None assumes a distribution: times of communication are skewed, with spikes.
//
// It is used where samples are taken, to know when there are enough, and where they are summarised.
package stat

import (
	"cmp"
	"math"
	"slices"
	"sort"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the least confidence of the intervals here.
const Confidence = 0.95

// MinInterval is the least number of values for which MedianInterval has an answer: the whole range of 5 values
// covers the median with 1 − 2/2⁵ = 93.75 %, that of 6 with 96.9 %.
const MinInterval = 6

// Median is the middle of the values, or the mean of the two in the middle; NaN without values.
func Median(values []float64) float64 { return middle(sorted(values)) }

func middle(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func sorted(values []float64) []float64 {
	v := slices.Clone(values)
	slices.Sort(v)
	return v
}

// MedianInterval is the order-statistic interval of the median with at least 95 % confidence: from the k-th
// smallest to the k-th largest value. ok is false with fewer than MinInterval values, for which there is none.
//
// The number of values below the median is binomial(n, ½); k is the largest number with P(fewer than k) ≤ 2.5 %
// (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2; David and Nagaraja, Order Statistics,
// section 7.1). The values must be independent; the confidence is between 95 and 99 %, as k is a whole number.
func MedianInterval(values []float64) (low, high float64, ok bool) {
	k := intervalRank(len(values))
	if k == 0 {
		return 0, 0, false
	}
	v := sorted(values)
	return v[k-1], v[len(v)-k], true
}

// intervalRank is k of MedianInterval for n values; 0: none.
func intervalRank(n int) int {
	if n < MinInterval {
		return 0
	}
	below := distuv.Binomial{N: float64(n), P: 0.5}
	return sort.Search(n/2, func(k int) bool { return below.CDF(float64(k)) > (1-Confidence)/2 })
}

// Quantile is the smallest value that at least the fraction p of the values do not exceed, 0 ≤ p ≤ 1; NaN without
// values. It is definition 1 of Hyndman and Fan (1996), the inverse of the empirical distribution: always a value
// that was measured. With fewer than 1/(1−p) values it is the largest.
func Quantile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	// 0.99 × 100 must be 99 for a quantile, not 99.00000000000001.
	n := float64(len(values))
	rank := math.Round(p * n)
	if math.Abs(rank-p*n) < 1e-9*n {
		p = min(max(0, (rank-0.5)/n), 1)
	}
	return gonum.Quantile(p, gonum.Empirical, sorted(values), nil)
}

// The rule of Steady.
const (
	steadyLeast     = 4    // times
	steadyTolerance = 0.05 // relative
	trendLeast      = 8    // values that a test for a trend needs
	trendMost       = 256  // values that it looks at
	trendLimit      = 1.96 // standard deviations: 5 %, two-sided
)

// Steady says whether a series of times has reached its steady state, so that warming up may end. The first quarter
// is taken to be the start-up and is ignored. The series is steady if the median of its last half differs by 5 % or
// less from that of the quarter before, or, where noise is larger than that, if the last three quarters show no
// trend by the Mann–Kendall test at 5 %. There must be 4 times for the first and 11 for the second.
//
// Comparing consecutive windows is the method of Georges, Buytaert and Eeckhout (OOPSLA 2007, section 4.1), who
// look at the coefficient of variation; medians are used here because one spike must not prolong the warm-up.
func Steady(times []float64) bool {
	n := len(times)
	if n < steadyLeast {
		return false
	}
	before, last := Median(times[n/4:n/2]), Median(times[n/2:])
	return math.Abs(last-before) <= steadyTolerance*last || trendless(times[n/4:])
}

// trendless is the Mann–Kendall test: the number of pairs in order less those out of order, S, has mean 0 and
// variance n(n−1)(2n+5)/18 without a trend (Mann 1945; Kendall, Rank Correlation Methods, 1975; ties make the
// variance smaller, which is ignored). Long series are thinned: the test looks at all pairs.
func trendless(values []float64) bool {
	stride := 1 + (len(values)-1)/trendMost
	var x []float64
	for i := 0; i < len(values); i += stride {
		x = append(x, values[i])
	}
	if len(x) < trendLeast {
		return false
	}
	s := 0
	for i := range x {
		for j := range i {
			s += cmp.Compare(x[i], x[j])
		}
	}
	n := float64(len(x))
	return math.Abs(float64(s)) <= trendLimit*math.Sqrt(n*(n-1)*(2*n+5)/18)
}
