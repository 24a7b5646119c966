package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"collbench/internal/sidebyside"
)

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
			fmt.Fprintf(&b, " %s |", c.Cell)
		}
		b.WriteString("\n")
	}
	var all []sidebyside.Cell
	for _, c := range measured {
		all = append(all, c.Cell)
	}
	return b.String() + "\n" + sidebyside.Verdict(all)
}
