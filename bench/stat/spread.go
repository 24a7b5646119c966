package stat

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// normalMAD makes the median absolute deviation of normal values their standard deviation: 1 ÷ Φ⁻¹(¾)
// (Rousseeuw and Croux 1993).
const normalMAD = 1.4826022185056018

// MedianDeviation is the median absolute deviation from the median, × 1.4826 so that it is the standard deviation of
// normal values; NaN without values.
func MedianDeviation(values []float64) float64 {
	center := Median(values)
	deviations := make([]float64, len(values))
	for i, v := range values {
		deviations[i] = math.Abs(v - center)
	}
	return normalMAD * Median(deviations)
}

// RobustCV is the coefficient of variation that spikes leave alone: MedianDeviation ÷ median. It is NaN with fewer
// than 3 values, of which none tells a spread.
func RobustCV(values []float64) float64 {
	if len(values) < 3 {
		return math.NaN()
	}
	return MedianDeviation(values) / Median(values)
}

// BootstrapRatio is the ratio of the medians of y and x, with the percentile interval of so many resamples of both
// (Efron and Tibshirani, An Introduction to the Bootstrap, section 13.3); tail is what lies beyond each bound. The
// same seed gives the same interval. ok is false with fewer than 6 values a side, whose resamples are too alike.
func BootstrapRatio(x, y []float64, tail float64, resamples int, seed uint64) (ratio Interval, ok bool) {
	ratio = Interval{Median(y) / Median(x), 0, math.Inf(1)}
	if len(x) < MinInterval || len(y) < MinInterval || resamples < 1 {
		return ratio, false
	}
	r := rand.New(rand.NewPCG(seed, 0))
	a, b := make([]float64, len(x)), make([]float64, len(y))
	ratios := make([]float64, resamples)
	for i := range ratios {
		ratios[i] = Median(resample(b, y, r)) / Median(resample(a, x, r))
	}
	ratio.Low, ratio.High = Quantile(ratios, tail), Quantile(ratios, 1-tail)
	return ratio, true
}

func resample(into, from []float64, r *rand.Rand) []float64 {
	for i := range into {
		into[i] = from[r.IntN(len(from))]
	}
	return into
}

// Power is the chance that a one-sided test with a critical value, in standard errors, finds a shift: Φ(shift ÷ error
// − critical) (Lehmann and Romano, Testing Statistical Hypotheses, section 11.2). shift and standardError have one
// unit, such as the logarithm of a ratio.
func Power(shift, standardError, critical float64) float64 {
	return distuv.UnitNormal.CDF(shift/standardError - critical)
}

// Detectable is the shift that Power finds with the given chance: (critical + Φ⁻¹(power)) standard errors.
func Detectable(power, standardError, critical float64) float64 {
	return (critical + distuv.UnitNormal.Quantile(power)) * standardError
}

// MeanInterval is Student's interval of the mean of values, with the tail beyond each bound; p is the one-sided
// p-value for a mean below 0. Values beyond two median deviations and a half are drawn in to there, so that spikes do
// not widen it (winsorizing; Wilcox, Introduction to Robust Estimation, section 3.3, in the form of Huber). ok is
// false with fewer than 3 values.
func MeanInterval(values []float64, tail float64) (mean Interval, p float64, ok bool) {
	n := len(values)
	if n < 3 {
		return Interval{Median(values), math.Inf(-1), math.Inf(1)}, 1, false
	}
	center, reach := Median(values), 2.5*MedianDeviation(values)
	if reach == 0 {
		reach = math.Inf(1)
	}
	var sum, squares float64
	for _, v := range values {
		sum += min(max(v, center-reach), center+reach)
	}
	m := sum / float64(n)
	for _, v := range values {
		d := min(max(v, center-reach), center+reach) - m
		squares += d * d
	}
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}
	e := math.Sqrt(squares / float64(n-1) / float64(n))
	half := student.Quantile(1-tail) * e
	switch {
	case e > 0:
		p = student.CDF(m / e)
	case m < 0:
		p = 0
	default:
		p = 1
	}
	return Interval{m, m - half, m + half}, p, true
}

// NormalQuantile is the value below which the fraction p of the standard normal distribution lies.
func NormalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
