package sidebyside

import (
	"fmt"
	"math"

	"collbench/bench/stat"
)

// Cell is what both sides measured of one thing, in seconds by launch; the launches of the same number stood beside each other.
type Cell struct{ Ours, Peer []float64 }

// What is wanted of the ratios: all of them within far, nine of ten within near, their geometric mean within mean.
const (
	near, far, mean = 0.05, 0.10, 0.02
	enough          = 0.9
)

// Ratio is our median over the launches ÷ the peer's.
func (c Cell) Ratio() float64 { return stat.Median(c.Ours) / stat.Median(c.Peer) }

// String is a cell of a table: both medians in µs, the ratio of them, and the 95 % interval of the ratio launch by launch if there
// are enough launches for one: "3.2 / 3.1 [1.032: 1.01–1.05]".
func (c Cell) String() string {
	ratios := make([]float64, len(c.Ours))
	for i := range ratios {
		ratios[i] = c.Ours[i] / c.Peer[i]
	}
	interval := ""
	if low, high, ok := stat.MedianInterval(ratios); ok {
		interval = fmt.Sprintf(": %.2f–%.2f", low, high)
	}
	return fmt.Sprintf("%.4g / %.4g [%.3f%s]", stat.Median(c.Ours)*1e6, stat.Median(c.Peer)*1e6, c.Ratio(), interval)
}

// Verdict says how far the ratios are from 1, and whether that is what is wanted.
func Verdict(cells []Cell) string {
	var close int
	var logs, worst float64
	for _, c := range cells {
		r := c.Ratio()
		logs += math.Log(r)
		if math.Abs(r-1) <= near {
			close++
		}
		if math.Abs(r-1) > math.Abs(worst) {
			worst = r - 1
		}
	}
	middle := math.Exp(logs / float64(len(cells)))
	met := "as wanted"
	if float64(close) < enough*float64(len(cells)) || math.Abs(worst) > far || math.Abs(middle-1) > mean {
		met = "not as wanted"
	}
	return fmt.Sprintf("%d of %d cells are within 0.95–1.05 (wanted: 90 %%), the farthest is %.3f (wanted: 0.90–1.10), the geometric mean %.3f (wanted: 0.98–1.02): %s.\n",
		close, len(cells), 1+worst, middle, met)
}
