package sidebyside

import (
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	cell := func(ratio float64) Cell { return Cell{Ours: []float64{ratio, ratio, 9}, Peer: []float64{1, 1, 0.1}} }
	equal := make([]Cell, 10)
	for i := range equal {
		equal[i] = cell(1)
	}
	for _, c := range []struct {
		change []float64 // of the first cells
		want   string
	}{
		{nil, "10 of 10 cells are within 0.95–1.05 (wanted: 90 %), the farthest is 1.000 (wanted: 0.90–1.10), the geometric mean 1.000 (wanted: 0.98–1.02): as wanted.\n"},
		{[]float64{1.09}, "9 of 10 cells are within 0.95–1.05 (wanted: 90 %), the farthest is 1.090 (wanted: 0.90–1.10), the geometric mean 1.009 (wanted: 0.98–1.02): as wanted.\n"},
		{[]float64{1.06, 0.94}, ": not as wanted"},
		{[]float64{0.89}, "the farthest is 0.890 (wanted: 0.90–1.10), the geometric mean 0.988 (wanted: 0.98–1.02): not as wanted"},
		{[]float64{1.04, 1.04, 1.04, 1.04, 1.04, 1.04}, "the geometric mean 1.024 (wanted: 0.98–1.02): not as wanted"},
	} {
		cells := append([]Cell(nil), equal...)
		for i, r := range c.change {
			cells[i] = cell(r)
		}
		if got := Verdict(cells); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s, want %s", c.change, got, c.want)
		}
	}
	if got := cell(1.5).String(); got != "1.5e+06 / 1e+06 [1.500]" {
		t.Error(got)
	}
}
