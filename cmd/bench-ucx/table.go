package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"collbench/internal/sidebyside"
)

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
		fmt.Fprintf(&b, " %s |", c.Cell)
		if c.atomic {
			b.WriteString(strings.Repeat(" |", len(sizes)-1))
		}
	}
	var all []sidebyside.Cell
	for _, c := range cells {
		all = append(all, c.Cell)
	}
	return b.String() + "\n\n" + sidebyside.Verdict(all) + "\n"
}
