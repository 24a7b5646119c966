// Command bench-mpi measures collbench's host all-reduce side by side with the MPI libraries of this machine.
//
// It stands beside the data's way: it starts the finished binary and small MPI programs in turn, launch by launch
// (A B … B A), and writes docs/performance.md's table of medians and ratios. `make bench-mpi` runs it; nothing
// else may run on the machine meanwhile.
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"collbench/internal/section"
)

//go:embed peer/allreduce.c
var source []byte

// contender is one column: measure makes one launch and returns seconds by message size in bytes.
type contender struct {
	name    string
	peer    bool
	measure func() (map[int64]float64, error)
}

func main() {
	launches := flag.Int("launches", 20, "launches of each contender")
	sizes := flag.String("bytes", "8,32,64,128,256,512,1024,2048,4096,16384,65536,262144,1048576,4194304,16777216", "message sizes in bytes")
	ranks := flag.Int("ranks", 2, "ranks; at most the processors of the machine")
	binary := flag.String("collbench", "bin/collbench", "the binary to measure")
	out := flag.String("o", "", "file whose section between the bench-mpi marks is replaced; empty: standard output alone")
	flag.Parse()
	if err := compare(*launches, *ranks, strings.Split(*sizes, ","), *binary, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench-mpi:", err)
		os.Exit(1)
	}
}

func compare(launches, ranks int, sizes []string, binary, out string) error {
	dir, err := os.MkdirTemp("", "bench-mpi")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all, err := contenders(ranks, sizes, binary, dir)
	if err != nil {
		return err
	}
	seconds := make([][]map[int64]float64, len(all)) // contender × launch
	for launch := range launches {
		order := make([]int, len(all))
		for i := range order {
			order[i] = i
		}
		if launch%2 == 1 { // A B … B A
			slices.Reverse(order)
		}
		for _, i := range order {
			measured, err := all[i].measure()
			if err != nil {
				return fmt.Errorf("launch %d of %s: %w", launch, all[i].name, err)
			}
			seconds[i] = append(seconds[i], measured)
		}
		fmt.Fprintf(os.Stderr, "bench-mpi: launch %d of %d done\n", launch+1, launches)
	}
	table := markdown(all, seconds, sizes, launches, ranks)
	fmt.Print(table)
	if out == "" {
		return nil
	}
	return section.Replace(out, "bench-mpi", table)
}

// contenders lists collbench on private and on registered buffers, then the MPI libraries found.
func contenders(ranks int, sizes []string, binary, dir string) ([]contender, error) {
	all := []contender{
		{"collbench", false, func() (map[int64]float64, error) { return collbench(binary, dir, ranks, sizes, "private", "batch") }},
		{"collbench, registered, rewritten before each call", false, func() (map[int64]float64, error) {
			return collbench(binary, dir, ranks, sizes, "registered", "barrier")
		}},
	}
	c := filepath.Join(dir, "allreduce.c")
	if err := os.WriteFile(c, source, 0o644); err != nil {
		return nil, err
	}
	for _, p := range peers(ranks) {
		program, err := p.build(c, dir)
		if err != nil {
			return nil, err
		}
		args := append(append(slices.Clone(p.launch[1:]), program, "batch"), sizes...)
		all = append(all, contender{p.name, true, func() (map[int64]float64, error) {
			cmd := exec.Command(p.launch[0], args...)
			cmd.Env = append(os.Environ(), p.env...)
			text, err := cmd.Output()
			if err != nil {
				return nil, err
			}
			return parseLines(text)
		}})
	}
	return all, nil
}

// collbench makes one launch: a fresh set of ranks that goes through all sizes.
func collbench(binary, dir string, ranks int, sizes []string, buffers, timing string) (map[int64]float64, error) {
	run, err := os.MkdirTemp(dir, "run")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(run)
	args := []string{"run", "-n", strconv.Itoa(ranks), "--transport", "shm", "--buffers", buffers, "--timing", timing,
		"--bytes", strings.Join(sizes, ","), "--budget", "2s", "--out", run, "--format", "json"}
	if timing == "barrier" {
		args = append(args, "--in-place")
	}
	cmd := exec.Command(binary, args...)
	cmd.Stderr = &bytes.Buffer{}
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, cmd.Stderr)
	}
	measured := map[int64]float64{}
	for line := range bytes.Lines(text) {
		var row struct {
			Bytes   int64
			Status  string
			Error   string
			Seconds struct{ Median float64 }
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, err
		}
		if row.Status != "ok" {
			return nil, fmt.Errorf("%d bytes: %s: %s", row.Bytes, row.Status, row.Error)
		}
		measured[row.Bytes] = row.Seconds.Median
	}
	return measured, nil
}

// parseLines reads the C program's lines "BYTES SECONDS".
func parseLines(text []byte) (map[int64]float64, error) {
	measured := map[int64]float64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var size int64
		var seconds float64
		if _, err := fmt.Sscan(lines.Text(), &size, &seconds); err != nil {
			return nil, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
		measured[size] = seconds
	}
	return measured, lines.Err()
}
