package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/backend"
	"collbench/collectives"
	"collbench/collectives/algorithms"
	"collbench/collectives/model"

	"github.com/urfave/cli/v2"
)

// listing is one thing that the list command lists.
type listing struct {
	name  string
	write func(io.Writer)
}

// listings are in the order in which they are shown.
var listings = []listing{
	{"backends", listBackends},
	{"algorithms", listAlgorithms},
	{"collectives", listCollectives},
	{"machines", listMachines},
	{"datatypes", listDataTypes},
	{"operations", listOperations},
	{"variants", listVariants},
}

func listCommand() *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list what there is to choose from",
		ArgsUsage: "[" + strings.Join(listingNames(), "|") + "]",
		Action:    list,
	}
}

func listingNames() []string {
	var names []string
	for _, l := range listings {
		names = append(names, l.name)
	}
	return names
}

// list writes one listing without its title, or all of them with theirs.
func list(c *cli.Context) error {
	if c.NArg() > 1 {
		return usageErrorf("list: unexpected argument %q", c.Args().Get(1))
	}
	name := c.Args().First()
	if name == "" {
		for i, l := range listings {
			if i > 0 {
				fmt.Fprintln(c.App.Writer)
			}
			fmt.Fprintf(c.App.Writer, "%s:\n", l.name)
			l.write(indent{c.App.Writer})
		}
		return nil
	}
	i := slices.IndexFunc(listings, func(l listing) bool { return l.name == name })
	if i < 0 {
		return usageErrorf("list: unknown list %q: want one of %s", name, strings.Join(listingNames(), ", "))
	}
	listings[i].write(c.App.Writer)
	return nil
}

// indent sets each write, which is a line, two columns in.
type indent struct{ io.Writer }

func (i indent) Write(p []byte) (int, error) {
	if _, err := io.WriteString(i.Writer, "  "); err != nil {
		return 0, err
	}
	return i.Writer.Write(p)
}

func listAlgorithms(w io.Writer) {
	for _, a := range algorithms.All {
		var names []string
		for _, c := range a.Collectives {
			names = append(names, c.String())
		}
		fmt.Fprintf(w, "%-20s %s: %s\n", a.Name, strings.Join(names, ", "), a.Summary)
	}
}

func listBackends(w io.Writer) {
	for _, b := range backend.All {
		line := b.Name()
		if asked, ok := b.(interface{ Available() error }); ok {
			if err := asked.Available(); err != nil {
				line = fmt.Sprintf("%-9s %v", line, err)
			}
		}
		fmt.Fprintln(w, line)
	}
}

func listMachines(w io.Writer) {
	for _, name := range model.Names() {
		fmt.Fprintln(w, name)
	}
	fmt.Fprintln(w, ncclMachines())
}

func listCollectives(w io.Writer) {
	for _, c := range collectives.Collectives {
		fmt.Fprintln(w, c)
	}
}

func listOperations(w io.Writer) {
	for _, p := range bench.PointToPoints {
		fmt.Fprintf(w, "%-16s %s\n", p.Name, p.Summary)
	}
}

func listVariants(w io.Writer) {
	for _, b := range backend.All {
		if named, ok := b.(interface{ Variants() []string }); ok {
			for _, line := range named.Variants() {
				fmt.Fprintf(w, "%s: %s\n", b.Name(), line)
			}
		}
	}
}

func listDataTypes(w io.Writer) {
	for _, d := range collectives.DataTypes {
		fmt.Fprintf(w, "%-9s %d bytes\n", d, d.Size())
	}
}
