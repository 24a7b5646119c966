package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRobustCV: R's mad(v)/median(v) of 1, 2, 3, 4, 100 is 0.4942.
func TestRobustCV(t *testing.T) {
	if got := RobustCV([]float64{1, 2, 3, 4, 100}); math.Abs(got-0.4942) > 1e-4 {
		t.Errorf("%g, want 0.4942", got)
	}
	if !math.IsNaN(RobustCV([]float64{1, 2})) {
		t.Error("a spread of 2 values")
	}
}

// TestMeanInterval holds against R's t.test(v) and t.test(v, alternative = "less") where nothing is far out.
func TestMeanInterval(t *testing.T) {
	v := []float64{0.1, -0.2, 0.05, 0.3, -0.1, 0.15}
	m, p, ok := MeanInterval(v, 0.025)
	if !ok || !close(m.Estimate, 0.05) || !close(m.Low, -0.137728754305473) || !close(m.High, 0.237728754305473) || !close(p, 0.737998813309105) {
		t.Errorf("%+v p = %.12g", m, p)
	}
	spiked, _, _ := MeanInterval([]float64{0.1, -0.2, 0.05, 0.3, -0.1, 9}, 0.025)
	if spiked.High > 0.7 {
		t.Errorf("one spike widens the interval to %+v", spiked)
	}
	if _, p, _ := MeanInterval([]float64{-1, -1, -1}, 0.05); p != 0 {
		t.Errorf("p = %g of three equal values below 0", p)
	}
	if _, _, ok := MeanInterval([]float64{1, 2}, 0.05); ok {
		t.Error("an interval of 2 values")
	}
}

func TestBootstrapRatio(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	held := 0
	const trials = 300
	for trial := range trials {
		x, y := make([]float64, 25), make([]float64, 25)
		for i := range x {
			x[i], y[i] = math.Exp(0.1*r.NormFloat64()), 1.5*math.Exp(0.1*r.NormFloat64())
		}
		ratio, ok := BootstrapRatio(x, y, 0.025, 400, uint64(trial))
		again, _ := BootstrapRatio(x, y, 0.025, 400, uint64(trial))
		if !ok || ratio != again {
			t.Fatalf("%+v, then %+v of the same values", ratio, again)
		}
		if ratio.Low <= 1.5 && 1.5 <= ratio.High {
			held++
		}
	}
	if share := float64(held) / trials; share < 0.91 || share > 0.99 {
		t.Errorf("the interval holds the ratio in %.1f %% of cases, want about 95 %%", 100*share)
	}
	if _, ok := BootstrapRatio([]float64{1, 2, 3}, []float64{1, 2, 3}, 0.025, 100, 1); ok {
		t.Error("an interval of 3 values")
	}
}

// TestPower: R's pnorm(2.5 - 1.645) and qnorm(0.95).
func TestPower(t *testing.T) {
	if got := Power(0.05, 0.02, 1.645); !close(got, 0.803724426125456) {
		t.Errorf("%.15g", got)
	}
	if got := NormalQuantile(0.95); !close(got, 1.64485362695147) {
		t.Errorf("%.15g", got)
	}
	if d := Detectable(0.8, 0.02, 1.645); !close(Power(d, 0.02, 1.645), 0.8) {
		t.Errorf("a shift of %g has a power of %g, want 0.8", d, Power(d, 0.02, 1.645))
	}
}
