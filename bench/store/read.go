package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"collbench/bench"
)

// Run is one run of a folder with its results in the order in which they were measured.
type Run struct {
	Info    bench.RunInfo
	Results []bench.Result
}

// Read reads a run folder: its runs in the order in which they were added, one at least. The warnings say what was
// left out without being an error: the last line of results if a crash left it unfinished. An error names the file
// and the line.
func Read(dir string) (runs []Run, warnings []string, err error) {
	for n := 1; ; n++ {
		name := infoName
		if n > 1 {
			name = fmt.Sprintf("run-%d.json", n)
		}
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if n > 1 && errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s is no run folder: %w", dir, err)
		}
		info, err := readInfo(path, data)
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, Run{Info: info})
	}
	path := filepath.Join(dir, resultsName)
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return runs, []string{path + " is missing: nothing was measured"}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	warning, err := readResults(path, file, runs)
	if err != nil {
		return nil, nil, err
	}
	if warning != "" {
		warnings = append(warnings, warning)
	}
	return runs, warnings, nil
}

func readInfo(path string, data []byte) (bench.RunInfo, error) {
	var info bench.RunInfo
	if err := json.Unmarshal(data, &info); err != nil {
		return info, fmt.Errorf("%s:%d: %w", path, lineOf(data, err), err)
	}
	switch {
	case info.Schema != bench.RunSchema:
		return info, fmt.Errorf("%s: schema %q, want %q", path, info.Schema, bench.RunSchema)
	case info.ID == "":
		return info, fmt.Errorf("%s: the run has no ID under the key \"run\"", path)
	}
	return info, nil
}

// lineOf is the line, from 1, at which JSON went wrong.
func lineOf(data []byte, err error) int {
	offset := int64(0)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	return 1 + bytes.Count(data[:min(max(0, offset), int64(len(data)))], []byte("\n"))
}

// readResults adds each line to its run.
func readResults(path string, from io.Reader, runs []Run) (warning string, err error) {
	reader := bufio.NewReader(from)
	for number := 1; ; number++ {
		text, end := reader.ReadBytes('\n')
		if end != nil && end != io.EOF {
			return "", fmt.Errorf("%s:%d: %w", path, number, end)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			run, result, err := readLine(text, runs)
			if err != nil && end == io.EOF {
				return fmt.Sprintf("%s:%d: the last line is unfinished and was left out: the run ended while it was written", path, number), nil
			}
			if err != nil {
				return "", fmt.Errorf("%s:%d: %w", path, number, err)
			}
			runs[run].Results = append(runs[run].Results, result)
		}
		if end == io.EOF {
			return "", nil
		}
	}
}

func readLine(text []byte, runs []Run) (run int, r bench.Result, err error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return 0, r, err
	}
	if err := valid(l.Result); err != nil {
		return 0, r, err
	}
	run = slices.IndexFunc(runs, func(r Run) bool { return r.Info.ID == l.Run })
	if run < 0 {
		return 0, r, fmt.Errorf("the result is of run %q, which no %s of the folder describes", l.Run, infoName)
	}
	return run, l.Result, nil
}

var statuses = []bench.Status{bench.OK, bench.Unproven, bench.Wrong, bench.Failed, bench.Skipped, bench.Interrupted}

// valid checks what those who read results rely on.
func valid(r bench.Result) error {
	switch {
	case r.Schema != bench.SampleSchema:
		return fmt.Errorf("schema %q, want %q", r.Schema, bench.SampleSchema)
	case !slices.Contains(statuses, r.Status):
		return fmt.Errorf("unknown status %q", r.Status)
	case r.Where.Ranks < 1:
		return fmt.Errorf("%d ranks: want 1 or more", r.Where.Ranks)
	case r.What.Bytes < 0:
		return fmt.Errorf("%d bytes: want 0 or more", r.What.Bytes)
	case len(r.Seconds) > 0 && len(r.Seconds) != r.Where.Ranks:
		return fmt.Errorf("samples of %d ranks, want those of all %d", len(r.Seconds), r.Where.Ranks)
	case len(r.Counted) > 0 && len(r.Counted) != r.Where.Ranks:
		return fmt.Errorf("counted bytes of %d ranks, want those of all %d", len(r.Counted), r.Where.Ranks)
	case len(r.Clocks) > 0 && len(r.Clocks) != r.Where.Ranks:
		return fmt.Errorf("clocks of %d ranks, want those of all %d", len(r.Clocks), r.Where.Ranks)
	}
	if _, err := bench.ParsePairs(r.Where.Pairs); err != nil {
		return err
	}
	first := -1 // rank that has samples
	timed := r.Case.TimedRanks()
	for rank, samples := range r.Seconds {
		if !timed[rank] {
			if len(samples) > 0 {
				return fmt.Errorf("%d samples of rank %d, which gives none", len(samples), rank)
			}
			continue
		}
		if first < 0 {
			first = rank
		}
		if len(samples) != len(r.Seconds[first]) {
			return fmt.Errorf("%d samples of rank %d but %d of rank %d", len(samples), rank, len(r.Seconds[first]), first)
		}
		for _, s := range samples {
			if s < 0 || math.IsInf(s, 0) {
				return fmt.Errorf("rank %d took %g s: want 0 or more", rank, s)
			}
		}
	}
	return nil
}
