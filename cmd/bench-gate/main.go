// Command bench-gate simulates gates on a machine whose truth is known and writes what rules of gating make of it
// into docs/gating.md: false alarms and power by noise, launches and loss.
//
// It stands beside the data's way: bench/gate/simulation draws, this counts, prints and says whether the promises
// hold. `make bench-gate` runs it; it takes some minutes, and the same seed gives the same table on any machine.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"collbench/internal/sidebyside"
)

func main() {
	gates := flag.Int("gates", 2000, "gates of each cell without a change; of those with one a quarter of that")
	out := flag.String("o", "", "file whose section between the bench-gate marks is replaced; empty: standard output alone")
	flag.Parse()
	var b strings.Builder
	fmt.Fprintf(&b, "%d gates of each cell without a change, %d of each with one.\n", *gates, *gates/4)
	broken := false
	for _, part := range []func(gates int) (string, []string){fixed, untilClear, promises} {
		text, failures := part(*gates)
		b.WriteString("\n" + text)
		for _, f := range failures {
			broken = true
			fmt.Fprintln(os.Stderr, "bench-gate: broken:", f)
		}
	}
	fmt.Print(b.String())
	if *out != "" {
		if err := sidebyside.ReplaceSection(*out, "bench-gate", b.String()); err != nil {
			fmt.Fprintln(os.Stderr, "bench-gate:", err)
			os.Exit(1)
		}
	}
	if broken {
		os.Exit(1)
	}
}
