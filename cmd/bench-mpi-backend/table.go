package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
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

// ratio is collbench's median over the launches ÷ the C program's.
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

// markdown is the table, and below it what the ratios come to.
func markdown(measured []cell, launches int) string {
	var columns []string
	for _, c := range measured {
		if !slices.Contains(columns, c.mpi) {
			columns = append(columns, c.mpi)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s. float32, sum, %d ranks, %d launches of each side, in pairs that took turns; %s, %d CPUs, %s.\n",
		time.Now().UTC().Format("2006-01-02"), ranks, launches, sidebyside.CPU(), runtime.NumCPU(), runtime.GOARCH)
	b.WriteString("collbench's median in µs / the C program's; in brackets the ratio of the medians, with the 95 % interval of the ratio launch by launch.\n\n| | Bytes |")
	for _, name := range columns {
		fmt.Fprintf(&b, " %s |", name)
	}
	b.WriteString("\n|--|--:|" + strings.Repeat("--:|", len(columns)) + "\n")
	for _, k := range cells {
		fmt.Fprintf(&b, "| %s | %d |", k.operation, k.bytes)
		for _, name := range columns {
			i := slices.IndexFunc(measured, func(c cell) bool { return c.mpi == name && c.key == k })
			c := measured[i]
			fmt.Fprintf(&b, " %.4g / %.4g [%.3f%s] |", stat.Median(c.ours)*1e6, stat.Median(c.peer)*1e6, c.ratio(), c.interval())
		}
		b.WriteString("\n")
	}
	return b.String() + verdict(measured)
}

// verdict says how far the ratios are from 1, and whether that is what is wanted.
func verdict(measured []cell) string {
	var close int
	var logs, worst float64
	for _, c := range measured {
		r := c.ratio()
		logs += math.Log(r)
		if math.Abs(r-1) <= near {
			close++
		}
		if math.Abs(r-1) > math.Abs(worst) {
			worst = r - 1
		}
	}
	middle := math.Exp(logs / float64(len(measured)))
	met := "as wanted"
	if float64(close) < enough*float64(len(measured)) || math.Abs(worst) > far || math.Abs(middle-1) > mean {
		met = "not as wanted"
	}
	return fmt.Sprintf("\n%d of %d cells are within 0.95–1.05 (wanted: 90 %%), the farthest is %.3f (wanted: 0.90–1.10), the geometric mean %.3f (wanted: 0.98–1.02): %s.\n",
		close, len(measured), 1+worst, middle, met)
}
