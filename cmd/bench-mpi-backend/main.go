// Command bench-mpi-backend measures collbench's MPI backend side by side with a plain MPI program that makes the same calls.
//
// It stands beside the data's way: under each MPI library of this machine it starts the finished binary and the C program together,
// launch after launch, and has them take turns of some hundredths of a second, at the same case at a time. Out comes
// docs/performance.md's table of ratios. What a ratio differs from 1 is what the way through dlopen, a Go process and its agent
// costs. `make bench-mpi-backend` runs it; nothing else may run on the machine meanwhile.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"collbench/internal/mpis"
	"collbench/internal/sidebyside"
)

//go:embed peer/peer.c
var source []byte

// ranks is the number of ranks: the C program's ping-pong is one of two.
const ranks = 2

// key is a cell under one library.
type key struct {
	operation string
	bytes     int64
}

func (k key) String() string { return fmt.Sprintf("%s %d", k.operation, k.bytes) }

// cells are what is measured, in the order of the table.
var cells = func() (list []key) {
	for _, operation := range []string{"all_reduce", "latency"} {
		for _, bytes := range []int64{8, 4 << 10, 64 << 10, 1 << 20, 16 << 20} {
			list = append(list, key{operation, bytes})
		}
	}
	return list
}()

// cell is both sides' figures of a key under one library.
type cell struct {
	mpi string
	key
	sidebyside.Cell
}

func main() {
	launches := flag.Int("launches", 20, "launches of each side")
	only := flag.String("mpi", "", "only the libraries whose name begins so")
	binary := flag.String("collbench", "bin/collbench", "the binary to measure")
	out := flag.String("o", "", "file whose section between the bench-mpi-backend marks is replaced; empty: standard output alone")
	flag.Parse()
	if err := compare(*launches, *only, *binary, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench-mpi-backend:", err)
		os.Exit(1)
	}
}

func compare(launches int, only, binary, out string) error {
	dir, err := os.MkdirTemp("", "bench-mpi-backend")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := filepath.Join(dir, "peer.c")
	if err := os.WriteFile(c, source, 0o644); err != nil {
		return err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	var measured []cell
	for _, m := range mpis.All(".") {
		if !strings.HasPrefix(m.Name, only) {
			continue
		}
		if err := m.Missing(); err != nil {
			fmt.Fprintf(os.Stderr, "bench-mpi-backend: %s is not installed and not measured: %v\n", m.Name, err)
			continue
		}
		program, err := m.Build(c, dir)
		if err != nil {
			return err
		}
		under, err := pair{m, binary, program, dir}.launches(launches)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		measured = append(measured, under...)
	}
	table := markdown(measured, launches)
	fmt.Print(table)
	if out == "" {
		return nil
	}
	return sidebyside.ReplaceSection(out, "bench-mpi-backend", table)
}
