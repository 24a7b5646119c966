package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"collbench/bench/stat"
	"collbench/internal/sidebyside"
)

// markdown is the table: per size the median over the launches of each contender in µs, and for each peer the
// ratio peer ÷ collbench of the launches that stood beside each other, with the 95 % interval of its median.
func markdown(all []sidebyside.Contender, seconds [][]map[int64]float64, sizes []string, launches, ranks int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. all_reduce, float32, sum, %d ranks, %d interleaved launches each; %s, %d CPUs, %s.\n",
		time.Now().UTC().Format("2006-01-02"), ranks, launches, sidebyside.CPU(), runtime.NumCPU(), runtime.GOARCH)
	b.WriteString("Medians in µs; in brackets the peer's time ÷ collbench's (private buffers) with its 95 % interval: above 1 collbench is faster.\n\n| Bytes |")
	for _, c := range all {
		fmt.Fprintf(&b, " %s |", c.Name)
	}
	b.WriteString("\n|--:|" + strings.Repeat("--:|", len(all)) + "\n")
	for _, text := range sizes {
		size, _ := strconv.ParseInt(text, 10, 64)
		fmt.Fprintf(&b, "| %d |", size)
		ours := sidebyside.Column(seconds[0], size)
		for i := range all {
			times := sidebyside.Column(seconds[i], size)
			fmt.Fprintf(&b, " %.4g", stat.Median(times)*1e6)
			if i >= own {
				ratios := make([]float64, len(times))
				for k := range times {
					ratios[k] = times[k] / ours[k]
				}
				low, high, ok := stat.MedianInterval(ratios)
				if ok {
					fmt.Fprintf(&b, " [%.2f: %.2f–%.2f]", stat.Median(ratios), low, high)
				} else {
					fmt.Fprintf(&b, " [%.2f]", stat.Median(ratios))
				}
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	return b.String()
}
