package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// matrix draws so many rows of normal values around the shifts of the columns, with a part that all columns share.
func matrix(r *rand.Rand, rows int, shifts []float64, trend func(row int) float64) (m [][]float64) {
	for i := range rows {
		common := 0.6 * r.NormFloat64()
		row := make([]float64, len(shifts))
		for c, s := range shifts {
			row[c] = s + common + 0.8*r.NormFloat64() + trend(i)
		}
		m = append(m, row)
	}
	return m
}

func none(int) float64 { return 0 }

// TestShiftsOfOneColumn: with one column, no clipping to speak of and 4 rows a side, p is the share of the 70
// arrangements whose difference is as large.
func TestShiftsOfOneColumn(t *testing.T) {
	s := Shifts{Base: [][]float64{{1}, {2}, {3}, {4}}, New: [][]float64{{3.5}, {5}, {6}, {7}}, Windows: Windows(0, 1), Margin: []float64{0}}
	got := s.Test(0.05, 999, false)
	// Drawn in to 1.25 × 1.4826 × 1.625 … around 3.75 nothing changes but 7 and 1, which come to lie at the ends all the
	// same; two arrangements reach the sum 3.5+5+6+7: itself and the one with 4 for 3.5.
	if !got.Exact || !close(got.P[0], 2./70) {
		t.Errorf("%+v, want p = 2/70", got)
	}
}

// TestShiftsControlsTheError: where every shift is the margin itself, a twentieth of all tests finds one.
func TestShiftsControlsTheError(t *testing.T) {
	for _, c := range []struct {
		rows    int
		between Between
	}{{5, Between{}}, {12, Between{}}, {30, Between{}}, {12, Between{Common: 1, Each: 0.5}}} {
		r := rand.New(rand.NewPCG(uint64(c.rows), 8))
		found := 0
		const trials = 600
		margin := []float64{1, 1, 1, 1, 1, 1}
		for range trials {
			shifts := append([]float64{}, margin...)
			common := c.between.Common * r.NormFloat64()
			for k := range shifts {
				shifts[k] += common + c.between.Each*r.NormFloat64()
			}
			s := Shifts{Base: matrix(r, c.rows, make([]float64, 6), none), New: matrix(r, c.rows, shifts, none), Windows: Windows(0, 6), Margin: margin, Between: c.between}
			if t := s.Test(0.05, 399, true); minimum(t.P) <= 0.05 {
				found++
			}
		}
		if share := float64(found) / trials; share < 0.015 || share > 0.08 {
			t.Errorf("%d rows, between %+v: a shift found in %.1f %% of tests, want about 5 %%", c.rows, c.between, 100*share)
		}
	}
}

func minimum(values []float64) float64 {
	least := math.Inf(1)
	for _, v := range values {
		least = min(least, v)
	}
	return least
}

// TestShiftsFindsNeighbours: a shift that no column shows by itself is found in all of them together, and a trend in
// time does not hide it.
func TestShiftsFindsNeighbours(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	rows := 30
	shifts := make([]float64, 16)
	for c := 4; c < 12; c++ {
		shifts[c] = 0.9
	}
	trend := func(i int) float64 { return 4 * float64(i) / float64(rows) }
	order := make([]int, 0, 2*rows)
	for side := range 2 {
		for i := range rows {
			order = append(order, 2*i+(side+i)%2) // A B, B A, …
		}
	}
	s := Shifts{Base: matrix(r, rows, make([]float64, 16), trend), New: matrix(r, rows, shifts, trend), Order: order, Windows: Windows(0, 16), Margin: make([]float64, 16)}
	with := s.Test(0.05, 999, false)
	s.Order = nil
	without := s.Test(0.05, 999, false)
	if minimum(with.P) > 0.05 {
		t.Errorf("least p %g, want the shift found", minimum(with.P))
	}
	if best := maximum(with.T); best < 1.2*maximum(without.T) {
		t.Errorf("T %g with the trend taken out and %g without", best, maximum(without.T))
	}
}

func maximum(values []float64) float64 {
	most := math.Inf(-1)
	for _, v := range values {
		most = max(most, v)
	}
	return most
}

// TestShiftsDetectable: what is called detectable is found in about 95 % of tests.
func TestShiftsDetectable(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	windows := Windows(0, 6)
	sum, least := 0.0, 30
	const trials = 300
	for range least {
		s := Shifts{Base: matrix(r, 20, make([]float64, 6), none), New: matrix(r, 20, make([]float64, 6), none), Windows: windows, Margin: make([]float64, 6)}
		sum += s.Test(0.05, 999, false).DetectableShift(0, 0.95) / float64(least)
	}
	found := 0
	for range trials {
		s := Shifts{Base: matrix(r, 20, make([]float64, 6), none), New: matrix(r, 20, []float64{sum, 0, 0, 0, 0, 0}, none), Windows: windows, Margin: make([]float64, 6)}
		if minimum(s.Test(0.05, 399, true).P) <= 0.05 {
			found++
		}
	}
	if share := float64(found) / trials; share < 0.90 || share > 0.99 {
		t.Errorf("a shift of %.3g is found in %.1f %% of tests, want about 95 %%", sum, 100*share)
	}
}

// TestShiftsOfEqualValues: no noise at all is no division by zero.
func TestShiftsOfEqualValues(t *testing.T) {
	equal := func(v float64) (m [][]float64) {
		for range 6 {
			m = append(m, []float64{v, v})
		}
		return m
	}
	for _, c := range []struct {
		shift float64
		found bool
	}{{0, false}, {0.02, false}, {0.05, true}} {
		s := Shifts{Base: equal(1), New: equal(1 + c.shift), Windows: Windows(0, 2), Margin: []float64{0.03, 0.03}}
		got := s.Test(0.05, 9999, false)
		if (minimum(got.P) <= 0.05) != c.found || math.IsNaN(got.T[0]) || math.IsNaN(got.DetectableShift(0, 0.95)) {
			t.Errorf("shift %g: %+v", c.shift, got)
		}
	}
}

func TestWindows(t *testing.T) {
	if got := Windows(3, 1); len(got) != 1 || got[0] != (Window{3, 4}) {
		t.Errorf("%v", got)
	}
	got := Windows(0, 24) // 24 single ones, 21 of 4, 9 of 16, the whole
	if len(got) != 24+21+9+1 || got[24] != (Window{0, 4}) || got[len(got)-1] != (Window{0, 24}) {
		t.Errorf("%d windows: %v", len(got), got)
	}
}
