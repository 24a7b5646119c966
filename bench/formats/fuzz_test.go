package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// fuzzReader gives a format whatever bytes, as with --as. Nothing may panic; rows and warnings stay in proportion
// to the text; every row can be written as JSON and either becomes a valid result or says why not.
func fuzzReader(f *testing.F, format string) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	if dir := os.Getenv("COLLBENCH_LOGS"); dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "*"))
		files = append(files, more...)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := Read("log", bytes.NewReader(data), format)
		if err == nil && len(log.Measurements) == 0 {
			t.Fatal("success without a row")
		}
		if err != nil && !errors.Is(err, ErrNothing) {
			t.Fatal(err)
		}
		if n := len(log.Measurements) + len(log.Warnings); n > 2*len(data)+8 {
			t.Fatalf("%d rows and warnings from %d bytes", n, len(data))
		}
		lines := bytes.Count(data, []byte("\n")) + 1
		for _, m := range log.Measurements {
			if m.Line < 1 || m.Line > lines || m.Status == "" || m.Run < 1 {
				t.Fatalf("incomplete: %+v", m)
			}
			if _, err := json.Marshal(m); err != nil {
				t.Fatal(err)
			}
			if m.Ranks < 1<<16 { // a result has an entry for each rank
				if r, err := Result(m); err == nil && r.Where.Ranks < 1 {
					t.Fatalf("a result without ranks: %+v", r)
				}
			}
		}
	})
}

func FuzzDetected(f *testing.F)        { fuzzReader(f, "") }
func FuzzNCCLTests(f *testing.F)       { fuzzReader(f, "nccl-tests") }
func FuzzRCCLTests(f *testing.F)       { fuzzReader(f, "rccl-tests") }
func FuzzNCCLTestsJSON(f *testing.F)   { fuzzReader(f, "nccl-tests-json") }
func FuzzOSU(f *testing.F)             { fuzzReader(f, "osu") }
func FuzzIMB(f *testing.F)             { fuzzReader(f, "imb") }
func FuzzUCC(f *testing.F)             { fuzzReader(f, "ucc_perftest") }
func FuzzUCX(f *testing.F)             { fuzzReader(f, "ucx_perftest") }
func FuzzPerftest(f *testing.F)        { fuzzReader(f, "perftest") }
func FuzzPerftestJSON(f *testing.F)    { fuzzReader(f, "perftest-json") }
func FuzzNVSHMEM(f *testing.F)         { fuzzReader(f, "nvshmem") }
func FuzzNVBandwidth(f *testing.F)     { fuzzReader(f, "nvbandwidth") }
func FuzzNVBandwidthJSON(f *testing.F) { fuzzReader(f, "nvbandwidth-json") }
func FuzzMarkdown(f *testing.F)        { fuzzReader(f, "markdown") }
func FuzzLauncher(f *testing.F)        { fuzzReader(f, "launcher") }
