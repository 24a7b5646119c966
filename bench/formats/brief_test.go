package formats

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
)

// brief writes what matters of a measurement in one line: "8: bytes=8 count=2 float32 sum out s=6.912e-05 …".
func brief(m Measurement) string {
	words := []string{fmt.Sprintf("%d:", m.Line)}
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if m.Status != bench.OK {
		add("%s", m.Status)
	}
	if m.Tool == "nvbandwidth" {
		add("%s", m.Operation)
	}
	if m.From != "" || m.To != "" {
		add("%s→%s", m.From, m.To)
	}
	if m.Variant != "" {
		add("(%s)", m.Variant)
	}
	if m.Algorithm != "" {
		add("algorithm=%s", m.Algorithm)
	}
	whole := func(name string, v *int64) {
		if v != nil {
			add("%s=%d", name, *v)
		}
	}
	number := func(name string, v *float64) {
		if v != nil {
			add("%s=%.9g", name, *v)
		}
	}
	whole("bytes", m.Bytes)
	if m.Buffer != nil && m.Bytes != nil && *m.Buffer != *m.Bytes {
		whole("buffer", m.Buffer)
	}
	whole("count", m.Count)
	if m.DataType != "" {
		add("%s", m.DataType)
	}
	if m.Reduction != "" {
		add("%s", m.Reduction)
	}
	if m.Root != nil {
		add("root=%d", *m.Root)
	}
	if m.InPlace != nil {
		add("%s", map[bool]string{true: "in", false: "out"}[*m.InPlace])
	}
	number("s", m.Seconds)
	number("min", m.SecondsMin)
	number("max", m.SecondsMax)
	number("p50", m.SecondsP50)
	number("p99", m.SecondsP99)
	number("alg", m.AlgBW)
	number("bus", m.BusBW)
	number("peak", m.PeakBW)
	number("rate", m.Rate)
	whole("wrong", m.Wrong)
	number("deviation", m.Deviation)
	if m.Error != "" {
		add("%q", m.Error)
	}
	return strings.Join(words, " ")
}

// runOf is what the measurements of one run have in common: "nccl-tests 2.18.2 [NCCL 2.30.7] all_reduce_perf=all_reduce 2/header on 2".
func runOf(m Measurement) string {
	text := strings.TrimSpace(m.Tool + " " + m.Version)
	if m.Library != "" {
		text += " [" + m.Library + "]"
	}
	if m.Tool != "nvbandwidth" { // whose runs have many operations
		text += " " + m.Operation + "=" + m.Collective
	}
	if m.Ranks > 0 {
		text += fmt.Sprintf(" %d/%s", m.Ranks, m.RanksFrom)
	}
	if m.Hosts > 0 {
		text += fmt.Sprintf(" on %d", m.Hosts)
	}
	return text
}

// expectation is what must come out of a file.
type expectation struct {
	file     string
	format   string
	runs     []string // of each run, as runOf
	counts   []int    // measurements of each run, failures with them
	rows     []string // some or all, as brief
	warnings []string // all: "line: the beginning of the text", in order
}

// check reads the file and compares.
func (e expectation) check(t *testing.T, path string) Log {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log, err := Read(e.file, file, "")
	if err != nil {
		t.Fatal(err)
	}
	if log.Format != e.format {
		t.Errorf("read as %s, want %s", log.Format, e.format)
	}
	var runs []string
	counts := make([]int, len(e.runs)+1)
	var rows []string
	for _, m := range log.Measurements {
		if m.Schema != ImportSchema || m.File != e.file || m.Format != log.Format || m.Run < 1 {
			t.Fatalf("incomplete: %+v", m)
		}
		for len(runs) < m.Run {
			runs = append(runs, runOf(m))
		}
		if runOf(m) != runs[m.Run-1] {
			t.Errorf("line %d: %s, but its run is %s", m.Line, runOf(m), runs[m.Run-1])
		}
		counts[min(m.Run-1, len(e.runs))]++
		rows = append(rows, brief(m))
	}
	if !slices.Equal(runs, e.runs) {
		t.Errorf("runs\n%q, want\n%q", runs, e.runs)
	}
	if !slices.Equal(counts[:len(e.runs)], e.counts) {
		t.Errorf("measurements of the runs: %v, want %v", counts, e.counts)
	}
	for _, want := range e.rows {
		if !slices.Contains(rows, want) {
			t.Errorf("no row\n  %s among\n  %s", want, strings.Join(near(rows, want), "\n  "))
		}
	}
	e.checkWarnings(t, log)
	return log
}

func (e expectation) checkWarnings(t *testing.T, log Log) {
	t.Helper()
	for i, w := range log.Warnings {
		text := fmt.Sprintf("%d: %s", w.Line, w.Text)
		if i >= len(e.warnings) || !strings.HasPrefix(text, e.warnings[i]) {
			t.Errorf("unexpected warning %q", text)
		}
	}
	for _, w := range e.warnings[min(len(log.Warnings), len(e.warnings)):] {
		t.Errorf("no warning %q", w)
	}
}

// near are the rows of the same line, else all.
func near(rows []string, want string) (some []string) {
	line, _, _ := strings.Cut(want, " ")
	for _, r := range rows {
		if strings.HasPrefix(r, line) {
			some = append(some, r)
		}
	}
	if some == nil {
		return rows
	}
	return some
}

// TestTestdata reads our own imitations, in which every row is listed.
func TestTestdata(t *testing.T) {
	used := map[string]bool{}
	for _, e := range slices.Concat(ncclExamples, otherExamples) {
		used[e.file] = true
		t.Run(e.file, func(t *testing.T) {
			log := e.check(t, filepath.Join("testdata", e.file))
			if len(log.Measurements) != len(e.rows) {
				t.Errorf("%d measurements, but %d are listed", len(log.Measurements), len(e.rows))
				for _, m := range log.Measurements {
					t.Log(brief(m))
				}
			}
		})
	}
	files, _ := filepath.Glob("testdata/*.*")
	for _, f := range files {
		if !used[filepath.Base(f)] {
			t.Errorf("%s is not read by any test", f)
		}
	}
}
