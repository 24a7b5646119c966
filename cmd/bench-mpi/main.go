// Command bench-mpi measures collbench's host all-reduce side by side with the MPI libraries of this machine.
//
// It stands beside the data's way: it starts the finished binary and small MPI programs in turn, launch by launch
// (A B … B A), and writes docs/performance.md's table of medians and ratios. `make bench-mpi` runs it; nothing
// else may run on the machine meanwhile.
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

//go:embed peer/allreduce.c
var source []byte

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
	seconds, err := sidebyside.Interleave(all, launches, func(launch int) {
		fmt.Fprintf(os.Stderr, "bench-mpi: launch %d of %d done\n", launch+1, launches)
	})
	if err != nil {
		return err
	}
	table := markdown(all, seconds, sizes, launches, ranks)
	fmt.Print(table)
	if out == "" {
		return nil
	}
	return sidebyside.ReplaceSection(out, "bench-mpi", table)
}

// own is the number of contenders that are collbench's.
const own = 2

// contenders lists collbench on private and on registered buffers, then the MPI libraries found.
func contenders(ranks int, sizes []string, binary, dir string) ([]sidebyside.Contender, error) {
	all := []sidebyside.Contender{
		{Name: "collbench", Measure: func() (map[int64]float64, error) { return collbench(binary, dir, ranks, sizes, "private", "batch") }},
		{Name: "collbench, registered, rewritten before each call", Measure: func() (map[int64]float64, error) {
			return collbench(binary, dir, ranks, sizes, "registered", "barrier")
		}},
	}
	c := filepath.Join(dir, "allreduce.c")
	if err := os.WriteFile(c, source, 0o644); err != nil {
		return nil, err
	}
	for _, m := range mpis.All(".") {
		if err := m.Missing(); err != nil {
			fmt.Fprintf(os.Stderr, "bench-mpi: %s is not installed and not measured: %v\n", m.Name, err)
			continue
		}
		program, err := m.Build(c, dir)
		if err != nil {
			return nil, err
		}
		line := m.Command(m.Bind, ranks, append([]string{program, "batch"}, sizes...)...)
		all = append(all, sidebyside.Contender{Name: m.Name, Measure: func() (map[int64]float64, error) {
			cmd := exec.Command(line[0], line[1:]...)
			cmd.Env = append(os.Environ(), m.Env...)
			text, err := cmd.Output()
			if err != nil {
				return nil, err
			}
			return sidebyside.ParseLines(text)
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
