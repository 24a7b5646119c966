// Command bench-mpi-backend measures collbench's MPI backend side by side with a plain MPI program that makes the same calls.
//
// It stands beside the data's way: under each MPI library of this machine it starts the finished binary and the C program in turn,
// launch by launch (A B, B A), and writes docs/performance.md's table of ratios. What a ratio differs from 1 is what the way through
// dlopen, a Go process and its agent costs. `make bench-mpi-backend` runs it; nothing else may run on the machine meanwhile.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"collbench/internal/mpis"
	"collbench/internal/sidebyside"
)

//go:embed peer/peer.c
var source []byte

// size is a message size in bytes with the iterations of a sample, which take some 50 to 100 ms: longer than whatever else
// runs on a machine now and then holds them up.
type size struct {
	bytes      int64
	iterations int
}

var sizes = []size{{8, 200_000}, {4 << 10, 40_000}, {64 << 10, 5000}, {1 << 20, 400}, {16 << 20, 10}}

var operations = []string{"all_reduce", "latency"}

// ranks is the number of ranks: the C program's ping-pong is one of two.
const ranks = 2

// cell is one size of one operation under one library, both sides.
type cell struct {
	mpi, operation string
	bytes          int64
	ours, peer     []float64 // seconds, by launch
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
	var cells []cell
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
		measured, err := under(m, binary, program, dir, launches)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		cells = append(cells, measured...)
	}
	table := markdown(cells, launches)
	fmt.Print(table)
	if out == "" {
		return nil
	}
	return sidebyside.ReplaceSection(out, "bench-mpi-backend", table)
}

// under measures all cells of one library. A cell's launches stand beside each other.
func under(m mpis.MPI, binary, program, dir string, launches int) (cells []cell, err error) {
	for _, operation := range operations {
		for _, s := range sizes {
			sides := []sidebyside.Contender{
				{Name: "collbench", Measure: func() (map[int64]float64, error) { return collbench(m, binary, dir, operation, s) }},
				{Name: "the C program", Measure: func() (map[int64]float64, error) {
					text, err := start(m, program, operation, strconv.Itoa(warmup(s)), strconv.Itoa(s.iterations), strconv.FormatInt(s.bytes, 10))
					if err != nil {
						return nil, err
					}
					return sidebyside.ParseLines(text)
				}},
			}
			seconds, err := sidebyside.Interleave(sides, launches, func(int) {})
			if err != nil {
				return nil, err
			}
			cells = append(cells, cell{m.Name, operation, s.bytes, sidebyside.Column(seconds[0], s.bytes), sidebyside.Column(seconds[1], s.bytes)})
			fmt.Fprintf(os.Stderr, "bench-mpi-backend: %s, %s of %d bytes: ratio %.3f\n", m.Name, operation, s.bytes, cells[len(cells)-1].ratio())
		}
	}
	return cells, nil
}

func warmup(s size) int { return max(3, s.iterations/10) }

// start starts the ranks of a program and returns what it prints.
func start(m mpis.MPI, program ...string) ([]byte, error) {
	line := m.Command(m.Bind, ranks, program...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), m.Env...)
	cmd.Stderr = &bytes.Buffer{}
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(line, " "), err, cmd.Stderr)
	}
	return text, nil
}

// collbench makes one launch of the binary: two turns of three samples, as plans with a number of iterations have them.
func collbench(m mpis.MPI, binary, dir, operation string, s size) (map[int64]float64, error) {
	run, err := os.MkdirTemp(dir, "run")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(run)
	path, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	which := "--collective"
	if operation != "all_reduce" {
		which = "--operation"
	}
	text, err := start(m, path, "run", "--backend", "mpi", which, operation, "--bytes", strconv.FormatInt(s.bytes, 10), "--timing", "batch",
		"--iterations", strconv.Itoa(s.iterations), "--warmup", strconv.Itoa(warmup(s)), "--out", run, "--format", "json")
	if err != nil {
		return nil, err
	}
	measured := map[int64]float64{}
	for line := range bytes.Lines(text) {
		var row struct {
			Bytes   int64
			Status  string
			Error   string
			Wrong   *int64
			Seconds struct{ Median float64 }
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if row.Status != "ok" || row.Wrong == nil || row.Seconds.Median <= 0 {
			return nil, fmt.Errorf("%d bytes: %s: %s", row.Bytes, row.Status, row.Error)
		}
		measured[row.Bytes] = row.Seconds.Median
	}
	if _, ok := measured[s.bytes]; !ok {
		return nil, fmt.Errorf("no row of %d bytes", s.bytes)
	}
	return measured, nil
}
