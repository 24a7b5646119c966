package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/formats"
	"collbench/bench/summary"
	"collbench/reports"
)

// exported is one of our rows as the export and the import must carry it.
func exported(collective, algorithm string, bytes int64, count int, inPlace bool, seconds, algbw, busbw float64, wrong *int64) summary.Row {
	op := "none"
	if collective == "all_reduce" || collective == "reduce" {
		op = "sum"
	}
	return summary.Row{
		Collective: collective, Algorithm: algorithm, Backend: "host", Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier,
		Ranks: 4, Hosts: 2, Domain: 2, DataType: "float32", Reduction: op, Bytes: bytes, Count: count, InPlace: inPlace, Status: bench.OK,
		Seconds: &summary.Seconds{Median: seconds}, AlgBW: &algbw, BusBW: &busbw, Wrong: wrong,
	}
}

// TestExportIsImported writes rows as nccl-tests text and reads them again to the same values, as far as they are
// printed, and picks columns from the text as people's scripts do.
func TestExportIsImported(t *testing.T) {
	none := int64(0)
	rows := []summary.Row{
		exported("all_reduce", "ring", 1<<20, 1<<18, false, 123.456e-6, 8.4935e9, 12.74025e9, &none),
		exported("all_reduce", "ring", 1<<20, 1<<18, true, 12345.6e-6, 84.935e6, 127.4025e6, nil),
		exported("all_reduce", "sharp", 4096, 1024, false, 10.5e-6, 390.09e6, 585.14e6, &none),
		exported("all_gather", "bruck", 8192, 512, false, 20.25e-6, 404.54e6, 303.4e6, &none),
		{Collective: "reduce", Algorithm: "binomial", Backend: "host", Timing: bench.TimingBarrier, Ranks: 4, Hosts: 2, DataType: "float32",
			Reduction: "sum", Root: 3, Bytes: 64, Count: 16, Status: bench.Failed, Error: "rank 3 on vm1 died"},
	}
	info := bench.RunInfo{Environment: bench.Environment{Version: "v1.2.3"},
		Ranks: []bench.RankInfo{{Rank: 0, Host: "vm0"}, {Rank: 1, Host: "vm0"}, {Rank: 2, Host: "vm1"}, {Rank: 3, Host: "vm1"}}}
	var text bytes.Buffer
	if err := reports.NCCLTests(&text, info, rows); err != nil {
		t.Fatal(err)
	}
	log, err := formats.Read("export", strings.NewReader(text.String()), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Measurements) != len(rows) || len(log.Warnings) > 0 {
		t.Fatalf("%d measurements, want %d; warnings %v", len(log.Measurements), len(rows), log.Warnings)
	}
	for _, m := range log.Measurements {
		// The export has an order of its own.
		i := slices.IndexFunc(rows, func(r summary.Row) bool {
			return r.Collective == m.Collective && r.Bytes == *m.Bytes && (m.InPlace == nil || r.InPlace == *m.InPlace)
		})
		if i < 0 {
			t.Fatalf("no such row was exported: %+v", m)
		}
		want := rows[i]
		if m.Tool != "collbench" || m.Version != "v1.2.3" || m.Collective != want.Collective || m.Algorithm != want.Algorithm ||
			m.Ranks != 4 || m.Hosts != 2 || m.Status != want.Status || *m.Bytes != want.Bytes {
			t.Errorf("row %d: %+v", i, m)
		}
		if want.Status == bench.Failed {
			if m.Error != want.Error {
				t.Errorf("row %d: error %q, want %q", i, m.Error, want.Error)
			}
			continue
		}
		if m.DataType != want.DataType || int(*m.Count) != want.Count || *m.InPlace != want.InPlace || (m.Wrong == nil) != (want.Wrong == nil) {
			t.Errorf("row %d: %+v", i, m)
		}
		same(t, i, "seconds", *m.Seconds, want.Seconds.Median)
		same(t, i, "algbw", *m.AlgBW, *want.AlgBW)
		same(t, i, "busbw", *m.BusBW, *want.BusBW)
	}
	var averages []string
	for line := range strings.Lines(text.String()) {
		if strings.Contains(line, "Avg bus bandwidth") {
			averages = append(averages, strings.Fields(line)[5]) // awk's $6
		}
	}
	ring := func(word string) bool {
		v, err := strconv.ParseFloat(word, 64)
		return err == nil && math.Abs(v-(12.74025+0.1274025)/2) < 1e-4
	}
	if len(averages) != 3 || !slices.ContainsFunc(averages, ring) {
		t.Errorf("awk '/Avg bus bandwidth/ {print $6}' gives %q", averages)
	}
}

// same compares as closely as nccl-tests prints: 4 digits of a time, 4 decimals of a rate below 1 GB/s.
func same(t *testing.T, row int, name string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 5e-4*want {
		t.Errorf("row %d: %s %g, want %g", row, name, got, want)
	}
}

func TestImportExitCodes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("rows", "# OSU MPI Latency Test v7.5\n# Size          Latency (us)\n8                       1.50\n")
	write("failure", "bash: ./build/all_reduce_perf: No such file or directory\n")
	write("begun", "# OSU MPI Latency Test v7.5\n# Size          Latency (us)\n")
	write("prose", "nothing of interest\n")
	write("empty", "")
	for args, want := range map[string]int{
		"rows": exitOK, "failure": exitOK, "begun": exitOK, "prose": exitEnvironment, "empty": exitEnvironment,
		"absent": exitEnvironment, "": exitUsage, "--as x rows": exitUsage, "--format x rows": exitUsage, "--as imb rows": exitEnvironment,
		"-o kept rows": exitEnvironment, ".": exitEnvironment,
	} {
		t.Chdir(dir)
		var stdout, stderr bytes.Buffer
		if got := Main(append([]string{"collbench", "import"}, strings.Fields(args)...), &stdout, &stderr); got != want {
			t.Errorf("collbench import %s: exit %d, want %d: %s", args, got, want, stderr.String())
		}
	}
}
