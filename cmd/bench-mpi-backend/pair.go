package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"collbench/internal/mpis"
	"collbench/internal/sidebyside"
)

const (
	slot   = 100 * time.Millisecond
	sample = 0.010 // seconds: of a slot's samples one or two are cut by its ends
	budget = 8     // seconds of a launch by the clock, in which both sides have their turns
)

// pair is the two programs under one library.
type pair struct {
	mpis.MPI
	collbench, peer, dir string
}

// launches makes so many launches of both sides.
func (p pair) launches(n int) ([]cell, error) {
	order, err := p.order()
	if err != nil {
		return nil, err
	}
	under := make([]cell, len(cells))
	for i, k := range cells {
		under[i] = cell{mpi: p.Name, key: k}
	}
	for launch := range n {
		ours, peer, err := p.launch(order)
		if err != nil {
			return nil, fmt.Errorf("launch %d: %w", launch, err)
		}
		for i, k := range cells {
			under[i].Ours = append(under[i].Ours, ours[k])
			under[i].Peer = append(under[i].Peer, peer[k])
		}
		fmt.Fprintf(os.Stderr, "bench-mpi-backend: %s, %d of %d launches\n", p.Name, launch+1, n)
	}
	return under, nil
}

// order is the one in which collbench measures the cells: as a launch that has hardly any time for them has it.
func (p pair) order() (list []key, err error) {
	run, err := os.MkdirTemp(p.dir, "order")
	if err != nil {
		return nil, err
	}
	cmd, err := p.run(run, 0)
	if err != nil {
		return nil, err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", cmd, err, out)
	}
	text, err := os.ReadFile(filepath.Join(run, "results.jsonl"))
	for line := range bytes.Lines(text) {
		var row struct {
			What struct {
				Operation, Collective string
				Bytes                 int64
			}
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, err
		}
		list = append(list, key{row.What.Operation + row.What.Collective, row.What.Bytes})
	}
	if len(list) != len(cells) && err == nil {
		err = fmt.Errorf("%d results: want %d", len(list), len(cells))
	}
	return list, err
}

// run is collbench's command.
func (p pair) run(dir string, budget float64) (*exec.Cmd, error) {
	blocks := map[string][]string{}
	for _, k := range cells {
		which := "operation"
		if k.operation == "all_reduce" {
			which = "collective"
		}
		name := which + ": " + k.operation
		blocks[name] = append(blocks[name], strconv.FormatInt(k.bytes, 10))
	}
	// A precision that is not reached: the budget ends it.
	plan := fmt.Sprintf("backend: mpi\ntiming: batch\nsample: %gs\nprecision: 0.01%%\ncases:\n", sample)
	for name, sizes := range blocks {
		plan += fmt.Sprintf("  - {%s, bytes: %q}\n", name, strings.Join(sizes, ","))
	}
	path := filepath.Join(p.dir, "plan.yaml")
	if err := os.WriteFile(path, []byte(plan), 0o644); err != nil {
		return nil, err
	}
	return p.command(p.collbench, "run", "--plan", path, "--budget", fmt.Sprintf("%gs", max(budget, 0.001)), "--out", dir, "--format", "json"), nil
}

func (p pair) command(program ...string) *exec.Cmd {
	line := p.Command(p.Bind, ranks, program...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), p.Env...)
	return cmd
}

// launch starts both sides together. The C program turns to a cell when collbench has done with the one before.
func (p pair) launch(order []key) (ours, peer map[key]float64, err error) {
	run, err := os.MkdirTemp(p.dir, "run")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(run)
	first, err := p.run(run, budget)
	if err != nil {
		return nil, nil, err
	}
	second := p.command(p.peer, fmt.Sprint(sample))
	tell, err := second.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	var rows, medians, complaints bytes.Buffer
	first.Stdout, second.Stdout = &rows, &medians
	first.Stderr, second.Stderr = &complaints, &complaints
	told := 0
	err = sidebyside.Alternate(slot, func() { told = turn(tell, order, told, filepath.Join(run, "results.jsonl")) }, first, second)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s", err, &complaints)
	}
	if ours, err = readRows(rows.Bytes()); err != nil {
		return nil, nil, err
	}
	peer, err = readMedians(medians.String(), order)
	return ours, peer, err
}

// turn tells the C program the cell that collbench is at, if it has not been told; the result is how many it has been told.
func turn(tell io.WriteCloser, order []key, told int, results string) int {
	text, _ := os.ReadFile(results) // not there before the first result
	done := bytes.Count(text, []byte("\n"))
	switch {
	case told > len(order):
	case done == len(order):
		tell.Close()
		told = len(order) + 1
	case told <= done:
		fmt.Fprintln(tell, order[done])
		told = done + 1
	}
	return told
}

// readRows reads the rows of collbench.
func readRows(text []byte) (map[key]float64, error) {
	measured := map[key]float64{}
	for line := range bytes.Lines(text) {
		var row struct {
			Operation, Collective, Status, Error string
			Bytes                                int64
			Wrong                                *int64
			Seconds                              struct{ Median float64 }
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if row.Status != "ok" || row.Wrong == nil || row.Seconds.Median <= 0 {
			return nil, fmt.Errorf("%s of %d bytes: %s: %s", row.Operation+row.Collective, row.Bytes, row.Status, row.Error)
		}
		measured[key{row.Operation + row.Collective, row.Bytes}] = row.Seconds.Median
	}
	if len(measured) != len(cells) {
		return nil, fmt.Errorf("%d rows: want %d", len(measured), len(cells))
	}
	return measured, nil
}

// readMedians reads what the C program prints, a median for each cell that it was told.
func readMedians(text string, order []key) (map[key]float64, error) {
	fields := strings.Fields(text)
	if len(fields) != len(order) {
		return nil, fmt.Errorf("the C program gave %d medians: want %d", len(fields), len(order))
	}
	measured := map[key]float64{}
	for i, f := range fields {
		seconds, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, fmt.Errorf("the C program: %w", err)
		}
		measured[order[i]] = seconds
	}
	return measured, nil
}
