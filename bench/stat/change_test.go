package stat

import (
	"math/rand/v2"
	"testing"
	"time"
)

// series has the given means, so many values each, and noise of 1.
func series(r *rand.Rand, many int, means ...float64) (values []float64) {
	for _, m := range means {
		for range many {
			values = append(values, m+r.NormFloat64())
		}
	}
	return values
}

func TestChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, c := range []struct {
		what   string
		values []float64
		want   []int
	}{
		{"a step", series(r, 30, 0, 5), []int{30}},
		{"two steps", series(r, 25, 0, 6, 1), []int{25, 50}},
		{"none", series(r, 60, 3), nil},
		{"constant", make([]float64, 40), nil},
		{"one spike", append(append(series(r, 20, 0), 30), series(r, 20, 0)...), nil},
		{"too short", []float64{0, 0, 9, 9, 9}, nil},
		{"the least that can be", []float64{0, 0.1, 0.2, 9, 9.1, 9.2}, nil}, // 1 in 10 arrangements is as extreme
	} {
		got := Changes(c.values, 0.01)
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v, want changes at %v", c.what, got, c.want)
			continue
		}
		for i, at := range c.want {
			if d := got[i].At - at; d < -1 || d > 1 || got[i].P > 0.01 {
				t.Errorf("%s: %+v, want changes at %v", c.what, got, c.want)
			}
		}
	}
	got := Changes(series(r, 30, 0, 5), 0.01)
	if len(got) != 1 || got[0].Before > 1 || got[0].After < 4 {
		t.Errorf("%+v, want a step from 0 to 5", got)
	}
}

// TestChangesFalseAlarms: of series without a change about α have one.
func TestChangesFalseAlarms(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	found := 0
	const trials = 300
	for range trials {
		if len(Changes(series(r, 30, 0), 0.05)) > 0 {
			found++
		}
	}
	if found < 3 || found > 30 {
		t.Errorf("changes in %d of %d series without one, want about 15", found, trials)
	}
}

// TestSplit holds the running sums against the definition of the distance.
func TestSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	v := series(r, 8, 0, 1)
	best, at := -1e9, -1
	for i := changeLeast; i <= len(v)-changeLeast; i++ {
		x, y := v[:i], v[i:]
		m, n := float64(len(x)), float64(len(y))
		q := m * n / (m + n) * (2*distance(x, y)/(m*n) - distance(x, x)/(m*(m-1)) - distance(y, y)/(n*(n-1)))
		if q > best {
			best, at = q, i
		}
	}
	if got, d := split(v); got != at || !close(d, best) {
		t.Errorf("split at %d with %g, want %d with %g", got, d, at, best)
	}
}

func distance(x, y []float64) (sum float64) {
	for _, a := range x {
		for _, b := range y {
			sum += max(a-b, b-a)
		}
	}
	return sum
}

func TestChangesAreQuick(t *testing.T) {
	values := series(rand.New(rand.NewPCG(7, 7)), 1000, 0)
	start := time.Now()
	Changes(values, 0.01)
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("%v for 1000 values", d)
	}
}
