package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"collbench/bench/stat"
)

// markdown is the table: per size the median over the launches of each contender in µs, and for each peer the
// ratio peer ÷ collbench of the launches that stood beside each other, with the 95 % interval of its median.
func markdown(all []contender, seconds [][]map[int64]float64, sizes []string, launches, ranks int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. all_reduce, float32, sum, %d ranks, %d interleaved launches each; %s, %d CPUs, %s.\n",
		time.Now().UTC().Format("2006-01-02"), ranks, launches, cpuName(), runtime.NumCPU(), runtime.GOARCH)
	b.WriteString("Medians in µs; in brackets the peer's time ÷ collbench's (private buffers) with its 95 % interval: above 1 collbench is faster.\n\n| Bytes |")
	for _, c := range all {
		fmt.Fprintf(&b, " %s |", c.name)
	}
	b.WriteString("\n|--:|" + strings.Repeat("--:|", len(all)) + "\n")
	for _, text := range sizes {
		size, _ := strconv.ParseInt(text, 10, 64)
		fmt.Fprintf(&b, "| %d |", size)
		ours := column(seconds[0], size)
		for i, c := range all {
			times := column(seconds[i], size)
			fmt.Fprintf(&b, " %.4g", stat.Median(times)*1e6)
			if c.peer {
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

func column(launches []map[int64]float64, size int64) []float64 {
	times := make([]float64, len(launches))
	for i, l := range launches {
		times[i] = l[size]
	}
	return times
}

func cpuName() string {
	out, err := exec.Command("sh", "-c", "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1").Output()
	if err != nil || len(out) == 0 {
		return "unknown CPU"
	}
	return strings.TrimSpace(string(out))
}
