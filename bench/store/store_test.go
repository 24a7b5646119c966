package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/collectives"
)

func info(id string) bench.RunInfo {
	return bench.RunInfo{Schema: bench.RunSchema, ID: id, Started: time.Unix(1.7e9, 0).UTC(), Command: []string{"collbench", "run"}, Plan: []byte("{}"), Ranks: []bench.RankInfo{{Rank: 0, Host: "a"}}}
}

func result(bytes int64) bench.Result {
	wrong := int64(0)
	return bench.Result{
		Schema: bench.SampleSchema,
		Case: bench.Case{
			What:  bench.What{Collective: collectives.ReduceScatter, Algorithm: "ring", DataType: collectives.BFloat16, Reduction: collectives.Max, Bytes: bytes, InPlace: true},
			How:   bench.How{Backend: "host", Transport: "shm", Buffers: "private", Timing: bench.TimingBarrier},
			Where: bench.Where{Ranks: 2, Hosts: 1, Domain: 2, Radix: 40},
		},
		Order: 3, Start: time.Unix(1.7e9, 5).UTC(), Status: bench.OK, Seconds: [][]float64{{1e-6, 2e-6}, {3e-6, 4e-6}}, IterationsPerSample: 1,
		Wrong: &wrong, Evidence: bench.Evidence{Observed: "ring", Source: "program"}, Chunks: 1,
	}
}

// write makes a folder with these results in run "one".
func write(t *testing.T, results ...bench.Result) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deep", "run")
	f, err := Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.WriteInfo(info("one")); err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if err := f.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRoundTripAndAppend(t *testing.T) {
	dir := write(t, result(8), result(16))
	if _, err := Create(dir, false); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "--append") {
		t.Errorf("a folder that is not empty: error %v", err)
	}
	f, err := Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.WriteInfo(info("two")), f.Append(result(32)), f.Close()); err != nil {
		t.Fatal(err)
	}
	runs, warnings, err := Read(dir)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := []Run{{info("one"), []bench.Result{result(8), result(16)}}, {info("two"), []bench.Result{result(32)}}}
	for i := range runs {
		runs[i].Info.Plan = []byte("{}") // written indented
	}
	if !reflect.DeepEqual(runs, want) {
		t.Errorf("read\n%+v\nwant\n%+v", runs, want)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 3 {
		t.Errorf("%d files in the folder, want run.json, run-2.json and results.jsonl", len(entries))
	}
}

// TestOneAtATime: who adds while another writes is refused, and nothing of the other's is touched.
func TestOneAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	first, err := Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.WriteInfo(info("one")); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, true); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: error %v", err)
	}
	if err := errors.Join(first.Append(result(8)), first.Close()); err != nil {
		t.Fatal(err)
	}
	second, err := Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(second.WriteInfo(info("two")), second.Append(result(16)), second.Close()); err != nil {
		t.Fatal(err)
	}
	if runs, warnings, err := Read(dir); err != nil || len(warnings) > 0 || len(runs) != 2 || len(runs[0].Results) != 1 || len(runs[1].Results) != 1 {
		t.Errorf("%+v %q %v", runs, warnings, err)
	}
}

// TestOneOfManyBegins: of runs that start in a new folder at the same moment one gets it, and it can be read.
func TestOneOfManyBegins(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var work sync.WaitGroup
	var got atomic.Int64
	for i := range 20 {
		work.Go(func() {
			f, err := Create(dir, false)
			if err != nil {
				if !errors.Is(err, ErrBusy) && !errors.Is(err, ErrNotEmpty) {
					t.Error(err)
				}
				return
			}
			got.Add(1)
			if err := errors.Join(f.WriteInfo(info(fmt.Sprint(i))), f.Append(result(8)), f.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if runs, _, err := Read(dir); got.Load() != 1 || err != nil || len(runs) != 1 || len(runs[0].Results) != 1 {
		t.Errorf("%d got it: %+v, %v", got.Load(), runs, err)
	}
}

func TestForeignFolderIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644)
	for _, add := range []bool{false, true} {
		if _, err := Create(dir, add); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), dir) {
			t.Errorf("append %v: error %v", add, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, resultsName)); err == nil {
		t.Error("a file was made in a folder that is not ours")
	}
	if _, err := Create(filepath.Join(dir, "thesis.tex"), false); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// TestTornLine cuts the file at every byte of its last line, as a crash may.
func TestTornLine(t *testing.T) {
	dir := write(t, result(8), result(16))
	path := filepath.Join(dir, resultsName)
	whole, _ := os.ReadFile(path)
	first := strings.IndexByte(string(whole), '\n') + 1
	for n := first; n <= len(whole); n++ {
		os.WriteFile(path, whole[:n], 0o644)
		runs, warnings, err := Read(dir)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		torn := n > first && n < len(whole)-1
		results := 1
		if n >= len(whole)-1 {
			results = 2
		}
		if len(runs[0].Results) != results || (len(warnings) == 1) != torn || torn && !strings.Contains(warnings[0], "results.jsonl:2") {
			t.Fatalf("cut after %d bytes of %d: %d results, warnings %q", n, len(whole), len(runs[0].Results), warnings)
		}
	}
	os.WriteFile(path, whole[:len(whole)-9], 0o644)
	f, err := Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.WriteInfo(info("two")), f.Append(result(32)), f.Close()); err != nil {
		t.Fatal(err)
	}
	runs, warnings, err := Read(dir)
	if err != nil || len(warnings) != 0 || len(runs) != 2 || len(runs[0].Results) != 1 || len(runs[1].Results) != 1 {
		t.Errorf("added after a torn line: %d runs, %q, %v", len(runs), warnings, err)
	}
}

func TestReadNamesThePlace(t *testing.T) {
	good := write(t, result(8))
	lines, _ := os.ReadFile(filepath.Join(good, resultsName))
	described, _ := os.ReadFile(filepath.Join(good, infoName))
	edit := func(data []byte, old, new string) string {
		if !strings.Contains(string(data), old) {
			t.Fatalf("no %s in %s", old, data)
		}
		return strings.Replace(string(data), old, new, 1)
	}
	for want, files := range map[string][2]string{
		"run.json:1: ":                  {"{", string(lines)},
		"run.json:3: ":                  {edit(described, `"one"`, "17"), string(lines)},
		`schema "collbench.run/9"`:      {edit(described, "run/1", "run/9"), string(lines)},
		"no ID":                         {edit(described, `"one"`, `""`), string(lines)},
		"results.jsonl:2: ":             {string(described), string(lines) + "{}\n"},
		"results.jsonl:1: unknown data": {string(described), edit(lines, "bfloat16", "bfloat17")},
		`results.jsonl:1: unknown stat`: {string(described), edit(lines, `"ok"`, `"okay"`)},
		"-3 ranks":                      {string(described), edit(lines, `"ranks":2`, `"ranks":-3`)},
		"samples of 2 ranks":            {string(described), edit(lines, `"ranks":2`, `"ranks":3`)},
		"1 samples of rank 1":           {string(described), edit(lines, "[0.000003,0.000004]", "[0.000003]")},
		"want 0 or more":                {string(described), edit(lines, "0.000004", "-0.000004")},
		`run "two"`:                     {string(described), edit(lines, `"one"`, `"two"`)},
	} {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, infoName), []byte(files[0]), 0o644)
		os.WriteFile(filepath.Join(dir, resultsName), []byte(files[1]), 0o644)
		if _, _, err := Read(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), dir) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "run.json") {
		t.Errorf("an empty folder: error %v", err)
	}
	os.Remove(filepath.Join(good, resultsName))
	if runs, warnings, err := Read(good); err != nil || len(runs) != 1 || len(warnings) != 1 {
		t.Errorf("no results: %d runs, warnings %q, error %v", len(runs), warnings, err)
	}
}

// TestFullDisk fills a disk of 64 KiB: what was kept stays readable, and the error says what happened.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("collbench-test", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small disk cannot be mounted: %v (needs root)", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	f, err := Create(filepath.Join(dir, "run"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.WriteInfo(info("one")); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for err == nil && kept < 10000 {
		if err = f.Append(result(8)); err == nil {
			kept++
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "results.jsonl") || !strings.Contains(err.Error(), "reduce_scatter ring 8 bytes") {
		t.Errorf("error %v", err)
	}
	runs, warnings, err := Read(f.Dir())
	if err != nil || len(warnings) > 0 || len(runs[0].Results) != kept || kept == 0 {
		t.Errorf("kept %d, read %v, %q, %v", kept, len(runs[0].Results), warnings, err)
	}
	if err := f.WriteInfo(info("two")); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "run-2.json was not written") {
		t.Errorf("a second description: error %v", err)
	}
}

// TestFailedWrite is the full disk that needs no privilege: the device that is always full.
func TestFailedWrite(t *testing.T) {
	f, err := Create(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.WriteInfo(info("one")); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	f.results.Close()
	f.results = full
	if err := f.Append(result(8)); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("error %v", err)
	}
}

func TestDefaultDir(t *testing.T) {
	zone := time.FixedZone("", 3600)
	if got, want := DefaultDir(time.Date(2026, 1, 2, 0, 30, 5, 0, zone)), filepath.Join("runs", "20260101T233005Z"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzReadResults(f *testing.F) {
	f.Add([]byte(`{"run":"one","schema":"collbench.samples/1","what":{"collective":"all_reduce"},"where":{"ranks":1},"status":"ok","seconds":[[1,2]]}` + "\n"))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		runs := []Run{{Info: info("one")}}
		if _, err := readResults("x", strings.NewReader(string(data)), runs); err != nil {
			if !strings.HasPrefix(err.Error(), "x:") {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		for _, r := range runs[0].Results {
			if err := valid(r); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzReadInfo(f *testing.F) {
	f.Add([]byte(`{"schema":"collbench.run/1","run":"one"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if in, err := readInfo("x", data); err == nil && in.ID == "" || err != nil && !strings.HasPrefix(err.Error(), "x") {
			t.Fatalf("%+v, %v", in, err)
		}
	})
}

// TestPointToPoint keeps the samples of those ranks alone that give some.
func TestPointToPoint(t *testing.T) {
	r := result(8)
	r.What = bench.What{Operation: "latency", Algorithm: bench.Auto, Bytes: 8}
	r.Where = bench.Where{Ranks: 3, Hosts: 1, From: 2, To: 0}
	r.Seconds = [][]float64{{}, {}, {1e-6}}
	runs, warnings, err := Read(write(t, r))
	if err != nil || len(warnings) > 0 || runs[0].Results[0].Case != r.Case {
		t.Errorf("%+v %v %v", runs, warnings, err)
	}
	r.Seconds[0] = []float64{2e-6}
	if err := valid(r); err == nil || !strings.Contains(err.Error(), "rank 0, which gives none") {
		t.Error(err)
	}
}

// TestWriteInfoAgain puts what is known after the run in place of what was known before, of its own run alone.
func TestWriteInfoAgain(t *testing.T) {
	dir := write(t, result(8))
	f, err := Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	second := info("two")
	more := second
	more.Findings = []bench.Finding{{Check: "proof", Status: "warn", Seen: "something"}}
	if err := errors.Join(f.WriteInfo(second), f.Append(result(8)), f.WriteInfo(more), f.Close()); err != nil {
		t.Fatal(err)
	}
	runs, warnings, err := Read(dir)
	if err != nil || len(warnings) > 0 || len(runs) != 2 || runs[0].Info.Findings != nil || !reflect.DeepEqual(runs[1].Info.Findings, more.Findings) || len(runs[1].Results) != 1 {
		t.Errorf("%+v %v %v", runs, warnings, err)
	}
}
