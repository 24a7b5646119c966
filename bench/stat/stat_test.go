package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 3, 2, 1}, 2.5}} {
		if got := Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %g, want %g", c.values, got, c.want)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing is not NaN")
	}
	values := []float64{3, 1, 2}
	Median(values)
	if values[0] != 3 {
		t.Error("Median sorted its argument")
	}
}

// TestIntervalRank holds the ranks against the table of the sign test's critical values (two-sided, 5 %; Conover,
// table A3 and any textbook): the interval begins one rank above the critical value.
func TestIntervalRank(t *testing.T) {
	critical := map[int]int{
		6: 0, 7: 0, 8: 0, 9: 1, 10: 1, 11: 1, 12: 2, 13: 2, 14: 2, 15: 3, 16: 3, 17: 4, 18: 4, 19: 4, 20: 5,
		25: 7, 30: 9, 35: 11, 40: 13, 45: 15, 50: 17, 60: 21, 70: 26, 80: 30, 90: 35, 100: 39,
	}
	for n, c := range critical {
		if got := intervalRank(n); got != c+1 {
			t.Errorf("n = %d: from rank %d, want %d", n, got, c+1)
		}
	}
	for n := range 6 {
		if _, _, ok := MedianInterval(make([]float64, n)); ok {
			t.Errorf("an interval from %d values", n)
		}
	}
	// By the normal approximation k ≈ n/2 − 0.98 √n, where 2⁻ⁿ underflows.
	if got, want := float64(intervalRank(10000)), 5000-0.98*100; math.Abs(got-want) > 2 {
		t.Errorf("n = 10000: from rank %g, want about %g", got, want)
	}
}

func TestMedianInterval(t *testing.T) {
	values := []float64{12, 1, 10, 3, 8, 5, 6, 7, 4, 9, 2, 11}
	if low, high, ok := MedianInterval(values); !ok || low != 3 || high != 10 {
		t.Errorf("1 … 12: %g … %g, %v; want 3 … 10", low, high, ok)
	}
}

// TestCoverage draws from a skewed distribution and counts how often the interval holds the true median.
func TestCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 7))
	const trials = 4000
	for _, n := range []int{6, 20, 51} {
		held := 0
		for range trials {
			values := make([]float64, n)
			for i := range values {
				values[i] = r.ExpFloat64()
			}
			if low, high, _ := MedianInterval(values); low <= math.Ln2 && math.Ln2 <= high {
				held++
			}
		}
		if coverage := float64(held) / trials; coverage < 0.945 || coverage > 0.985 {
			t.Errorf("n = %d: the interval holds the median in %.1f %% of cases, want 95 … 98 %%", n, coverage*100)
		}
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values  []float64
		p, want float64
	}{
		{hundred, 0.99, 99}, {hundred, 0.5, 50}, {hundred, 1, 100}, {hundred, 0, 1}, {hundred, 0.991, 100}, {hundred[:50], 0.99, 100}, {[]float64{7}, 0.99, 7},
		// Definition 1 of Hyndman and Fan, as R's quantile(c(1, 2, 4, 8, 16), type = 1).
		{[]float64{16, 8, 4, 2, 1}, 0.25, 2}, {[]float64{16, 8, 4, 2, 1}, 0.6, 4}, {[]float64{16, 8, 4, 2, 1}, 0.61, 8},
	} {
		if got := Quantile(c.values, c.p); got != c.want {
			t.Errorf("Quantile(%d values, %g) = %g, want %g", len(c.values), c.p, got, c.want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("the quantile of nothing is not NaN")
	}
}

// TestTrend holds S and its limit against a worked example: of 10 values in order S is 45, its standard deviation
// √125 = 11.18 (Kendall's table: S = 23 has p = 0.023 one-sided, S = 21 p = 0.036).
func TestTrend(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   bool
	}{
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, false},
		{[]float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, false},
		{[]float64{5, 9, 1, 10, 3, 7, 2, 8, 6, 4}, true},
		{[]float64{1, 2, 3}, false}, // too few to tell
	} {
		if got := trendless(c.values); got != c.want {
			t.Errorf("%v: trendless %v, want %v", c.values, got, c.want)
		}
	}
}

func TestSteady(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	series := func(n int, f func(i int) float64) []float64 {
		s := make([]float64, n)
		for i := range s {
			s[i] = f(i)
		}
		return s
	}
	for _, c := range []struct {
		what  string
		times []float64
		want  bool
	}{
		{"three times", []float64{1, 1, 1}, false},
		{"four equal times", []float64{1, 1, 1, 1}, true},
		{"slow first quarter", []float64{90, 50, 1, 1, 1, 1, 1, 1}, true},
		{"falling by half each time", series(8, func(i int) float64 { return math.Pow(0.5, float64(i)) }), false},
		{"falling steadily", series(16, func(i int) float64 { return 100 - 5*float64(i) }), false},
		{"rising steadily", series(16, func(i int) float64 { return 10 + 2*float64(i) }), false},
		{"a step in the middle", series(16, func(i int) float64 { return 1 + float64(i/8) }), false},
		{"one spike", series(16, func(i int) float64 { return 1 + 50*float64(i/15) }), true},
		{"30 % of noise", series(32, func(int) float64 { return 1 + 0.3*r.NormFloat64() }), true},
		{"long fall", series(5000, func(i int) float64 { return 5000 - float64(i) }), false},
		{"exponential decay that has ended", series(64, func(i int) float64 { return 1 + 10*math.Exp(-float64(i)/4) }), true},
		{"exponential decay that goes on", series(12, func(i int) float64 { return 1 + 10*math.Exp(-float64(i)/4) }), false},
	} {
		if got := Steady(c.times); got != c.want {
			t.Errorf("%s: steady %v, want %v", c.what, got, c.want)
		}
	}
}
