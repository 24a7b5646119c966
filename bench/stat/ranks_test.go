package stat

import (
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/perf/benchmath"
)

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

// permeability is Hollander and Wolfe's example of the human chorioamnion, as in R's ?wilcox.test. The answers are R
// 4.2.2's: wilcox.test(y, x, alternative = "greater"), and conf.int = TRUE with conf.level 0.95 and 0.90.
var (
	atTerm = []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	early  = []float64{1.15, 0.88, 0.90, 0.74, 1.21}
)

func TestMannWhitney(t *testing.T) {
	for _, c := range []struct {
		what string
		x, y []float64
		want float64
	}{
		{"exact", atTerm, early, 0.896769896769897},
		{"exact, exchanged", early, atTerm, 0.127206127206127},
		{"ties: wilcox.test(b, a, alternative = \"greater\", exact = FALSE)", []float64{1, 2, 2, 3, 5, 7}, []float64{2, 4, 4, 6, 8, 8, 9}, 0.0488035347366762},
		{"all equal", []float64{1, 1, 1}, []float64{1, 1}, 1},
		{"smallest of 5 and 5: 1 in 252", []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 1. / 252},
	} {
		if got := MannWhitney(c.x, c.y); !close(got, c.want) {
			t.Errorf("%s: %.12g, want %.12g", c.what, got, c.want)
		}
	}
	if !math.IsNaN(MannWhitney(nil, []float64{1})) {
		t.Error("a p-value of nothing")
	}
}

// TestCountU holds the distribution against R's pwilcox.
func TestCountU(t *testing.T) {
	for u, want := range []float64{0.05, 0.10, 0.20, 0.35, 0.50, 0.65, 0.80, 0.90, 0.95, 1} {
		if got := countU(3, 3)[u]; !close(got, want) {
			t.Errorf("pwilcox(%d, 3, 3) = %g, want %g", u, got, want)
		}
	}
	if got := countU(20, 20)[127]; !close(got, 0.0245451625946862) {
		t.Errorf("pwilcox(127, 20, 20) = %.15g", got)
	}
	if got := countU(50, 50)[1000]; !close(got, 0.0427256077591364) {
		t.Errorf("pwilcox(1000, 50, 50) = %.15g", got)
	}
}

// TestMannWhitneyAgainstBenchstat: without ties, twice the smaller side is what benchstat prints.
func TestMannWhitneyAgainstBenchstat(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		x, y := make([]float64, 3+r.IntN(12)), make([]float64, 3+r.IntN(12))
		for i := range x {
			x[i] = r.Float64()
		}
		for i := range y {
			y[i] = r.Float64() + 0.2
		}
		want := benchmath.AssumeNothing.Compare(benchmath.NewSample(x, &benchmath.DefaultThresholds), benchmath.NewSample(y, &benchmath.DefaultThresholds)).P
		if got := min(1, 2*min(MannWhitney(x, y), MannWhitney(y, x))); math.Abs(got-want) > 1e-6 {
			t.Errorf("%v and %v: p = %g, benchstat has %g", x, y, got, want)
		}
	}
}

func TestHodgesLehmann(t *testing.T) {
	shift, ok := HodgesLehmann(atTerm, early, 0.025)
	if !ok || !close(shift.Estimate, -0.305) || !close(shift.Low, -0.76) || !close(shift.High, 0.15) {
		t.Errorf("%+v %v, want R's -0.305 (-0.76 … 0.15)", shift, ok)
	}
	if shift, _ = HodgesLehmann(atTerm, early, 0.05); !close(shift.Low, -0.72) || !close(shift.High, 0.08) {
		t.Errorf("%+v, want R's -0.72 … 0.08", shift)
	}
	if _, ok := HodgesLehmann([]float64{1, 2, 3}, []float64{4, 5, 6}, 0.025); ok {
		t.Error("an interval with 2.5 % beyond each bound of 3 values a side")
	}
	if shift, ok := HodgesLehmann([]float64{1, 2, 3}, []float64{4, 5, 6}, 0.05); !ok || shift.Low != 1 || shift.High != 5 {
		t.Errorf("%+v %v: of 3 values a side the whole range covers 90 %%", shift, ok)
	}
	if shift, ok := HodgesLehmann(nil, []float64{1}, 0.05); ok || !math.IsNaN(shift.Estimate) {
		t.Errorf("%+v of nothing", shift)
	}
	ratio, ok := RatioInterval([]float64{1, 1, 1, 1, 1}, []float64{2, 2, 2, 2, 2}, 0.025)
	if !ok || !close(ratio.Estimate, 2) || !close(ratio.Low, 2) || !close(ratio.High, 2) {
		t.Errorf("ratio %+v, want 2", ratio)
	}
}

// TestKthDifference holds the search against sorting all differences.
func TestKthDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 100 {
		a, b := make([]float64, 1+r.IntN(9)), make([]float64, 1+r.IntN(9))
		for i := range a {
			a[i] = float64(r.IntN(12)) / 7
		}
		for i := range b {
			b[i] = float64(r.IntN(12)) / 3
		}
		var all []float64
		for _, x := range a {
			for _, y := range b {
				all = append(all, y-x)
			}
		}
		all = sorted(all)
		for k := range all {
			if got := kthDifference(sorted(a), sorted(b), k); !close(got, all[k]) {
				t.Fatalf("%d-th difference of %v and %v: %g, want %g", k, a, b, got, all[k])
			}
		}
	}
}

// TestHodgesLehmannCoverage draws skewed values with a known shift, with few values and with so many that U is taken
// to be normal.
func TestHodgesLehmannCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 7))
	const trials = 2000
	for _, n := range []int{6, 20, 60} {
		held := 0
		for range trials {
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i], y[i] = r.ExpFloat64(), r.ExpFloat64()+3
			}
			if s, ok := HodgesLehmann(x, y, 0.025); ok && s.Low <= 3 && 3 <= s.High {
				held++
			}
		}
		if coverage := float64(held) / trials; coverage < 0.935 || coverage > 0.985 {
			t.Errorf("n = %d: the interval holds the shift in %.1f %% of cases, want about 95 %%", n, 100*coverage)
		}
	}
}

// TestHolm holds against R's p.adjust(p, "holm").
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005, 0.2})
	for i, want := range []float64{0.04, 0.09, 0.09, 0.025, 0.2} {
		if !close(got[i], want) {
			t.Errorf("Holm: %v", got)
		}
	}
	if len(Holm(nil)) != 0 {
		t.Error("adjusted p-values of none")
	}
}
