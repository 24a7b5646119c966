package main

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"collbench/bench/stat"
	"collbench/internal/sidebyside"
)

// What is wanted of the ratios: all of them within far, nine of ten within near, their geometric mean within mean.
const (
	near, far, mean = 0.05, 0.10, 0.02
	enough          = 0.9
)

// ratio is collbench's median over the launches ÷ ucx_perftest's.
func (c cell) ratio() float64 { return stat.Median(c.ours) / stat.Median(c.peer) }

// interval is the 95 % interval of the median of the ratios of the launches that stood beside each other.
func (c cell) interval() string {
	ratios := make([]float64, len(c.ours))
	for i := range ratios {
		ratios[i] = c.ours[i] / c.peer[i]
	}
	if low, high, ok := stat.MedianInterval(ratios); ok {
		return fmt.Sprintf(": %.2f–%.2f", low, high)
	}
	return ""
}

// markdown is the table of one library, and below it what the ratios come to.
func markdown(cells []cell, version string, launches int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s. 2 ranks on one host, each bound to a CPU, %d interleaved launches of each side; %s, %d CPUs, %s.\n",
		version, time.Now().UTC().Format("2006-01-02"), launches, sidebyside.CPU(), runtime.NumCPU(), runtime.GOARCH)
	fmt.Fprintf(&b, "collbench's median in µs a message / ucx_perftest's; in brackets the ratio of the medians, with the 95 %% interval of the ratio launch by launch; windows of %d.\n\n| |", window)
	for _, s := range sizes {
		fmt.Fprintf(&b, " %d B |", s.bytes)
	}
	b.WriteString("\n|--|" + strings.Repeat("--:|", len(sizes)))
	for i, c := range cells {
		if i == 0 || cells[i-1].test != c.test {
			fmt.Fprintf(&b, "\n| %s / %s |", c.operation, c.test.perftest)
		}
		fmt.Fprintf(&b, " %.4g / %.4g [%.3f%s] |", stat.Median(c.ours)*1e6, stat.Median(c.peer)*1e6, c.ratio(), c.interval())
		if c.atomic {
			b.WriteString(strings.Repeat(" |", len(sizes)-1))
		}
	}
	return b.String() + "\n" + verdict(cells) + "\n"
}

// verdict says how far the ratios are from 1, and whether that is what is wanted.
func verdict(cells []cell) string {
	var close int
	var logs, worst float64
	for _, c := range cells {
		r := c.ratio()
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
	return fmt.Sprintf("\n%d of %d cells are within 0.95–1.05 (wanted: 90 %%), the farthest is %.3f (wanted: 0.90–1.10), the geometric mean %.3f (wanted: 0.98–1.02): %s.\n",
		close, len(cells), 1+worst, middle, met)
}
