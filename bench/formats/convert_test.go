package formats

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/collectives"
)

// first is the first measurement of a file in testdata whose line begins so.
func first(t *testing.T, file, beginning string) Measurement {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := Read(file, f, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range log.Measurements {
		if strings.HasPrefix(brief(m), beginning) {
			return m
		}
	}
	t.Fatalf("%s: no row %q", file, beginning)
	return Measurement{}
}

func TestResult(t *testing.T) {
	r, err := Result(first(t, "nccl_hydra.txt", "12: bytes=2097152 count=1048576 float16 max in"))
	if err != nil {
		t.Fatal(err)
	}
	want := bench.Case{
		What:  bench.What{Collective: collectives.AllReduce, Algorithm: bench.Auto, DataType: collectives.Float16, Reduction: collectives.Max, Bytes: 2 << 20, InPlace: true},
		How:   bench.How{Backend: "nccl", Timing: bench.TimingBatch},
		Where: bench.Where{Ranks: 2, Hosts: 1, Domain: 2},
	}
	if r.Case != want || r.Status != bench.Unproven || r.Schema != bench.SampleSchema || *r.Wrong != 0 || r.IterationsPerSample != 50 {
		t.Errorf("%+v", r)
	}
	if len(r.Seconds) != 2 || len(r.Seconds[1]) != 1 || r.Seconds[0][0] != 149e-6 {
		t.Errorf("seconds %v", r.Seconds)
	}

	// Iterations by themselves, where the log has them.
	r, err = Result(first(t, "nccl.json", "6:"))
	if err != nil || len(r.Seconds[0]) != 3 || math.Abs(r.Seconds[1][2]-110e-6) > 1e-12 || r.IterationsPerSample != 1 || r.How.Timing != bench.TimingBarrier {
		t.Errorf("%+v %v", r, err)
	}
	// The whole buffer, not a block, and the longest rank's time.
	m := first(t, "osu_collectives.txt", "5:")
	m.DataType = "float32"
	if r, err = Result(m); err != nil || r.What.Bytes != 4<<20 || r.Seconds[3][0] != 320.75e-6 || r.How.Backend != "mpi" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = Result(first(t, "nccl_pipes.txt", "8: bytes=1024 count=256 bfloat16 root=1 out")); err != nil || r.What.Root != 1 || r.Where.Hosts != 2 || r.Where.Domain != 1 {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = Result(first(t, "nccl_alone.txt", "9: wrong")); err != nil || r.Status != bench.Wrong || *r.Wrong != 3 {
		t.Errorf("%+v %v", r, err)
	}
	// A failure needs no size, but ranks.
	if r, err = Result(first(t, "nccl_died.txt", "5: failed")); err != nil || r.Status != bench.Failed || !strings.Contains(r.Error, "unhandled cuda error") || len(r.Seconds) != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestNoResult(t *testing.T) {
	for _, c := range []struct{ file, row, reason string }{
		{"osu_multiple.txt", "8:", "no collective"},
		{"nccl_died.txt", "11: failed", "number of ranks is not known"},
		{"rccl.txt", "8:", `unknown data type "bfloat8"`},
		{"osu_collectives.txt", "18:", "number of ranks is not known"},
		{"table.md", "9:", "it has no time"},
	} {
		m := first(t, c.file, c.row)
		switch c.file {
		case "table.md":
			m.DataType = "float32"
		case "rccl.txt":
			m.DataType = "bfloat8"
		}
		if _, err := Result(m); err == nil || !strings.Contains(err.Error(), c.reason) || !strings.HasPrefix(err.Error(), c.file+":") {
			t.Errorf("%s %s: %v, want %q", c.file, c.row, err, c.reason)
		}
	}
}

// TestRatio infers ranks from printed rates, which tell less the more ranks there are.
func TestRatio(t *testing.T) {
	for _, c := range []struct {
		collective collectives.Collective
		algbw      string
		busbw      string
		low, high  int
	}{
		{collectives.AllReduce, "429.37", "846.82", 72, 72}, // 2·71/72 = 1.97222
		{collectives.AllReduce, "4.00", "4.00", 2, 2},
		{collectives.AllReduce, "100.00", "199.80", 917, 1100}, // between 1/(1−0.99891) and 1/(1−0.99909)
		{collectives.ReduceScatter, "264.60", "231.52", 8, 8},
		{collectives.AllToAll, "10.000", "9.999", 5000, 20000},
	} {
		var r ratio
		alg, _ := parseFigure(c.algbw)
		bus, _ := parseFigure(c.busbw)
		r.add(alg, bus)
		low, high, ok := r.ranks(c.collective)
		if !ok || c.low == c.high && (low != c.low || high != c.high) || c.low != c.high && (low > c.low+50 || high < c.high-50 || low < c.low/2) {
			t.Errorf("%s %s/%s: %d to %d, want %d to %d", c.collective, c.busbw, c.algbw, low, high, c.low, c.high)
		}
	}
	var r ratio
	for _, pair := range [][2]string{{"100.00", "150.00"}, {"100.00", "175.00"}} {
		alg, _ := parseFigure(pair[0])
		bus, _ := parseFigure(pair[1])
		r.add(alg, bus)
	}
	if !r.contradictory() {
		t.Error("4 ranks and 8 ranks in one table do not contradict each other")
	}
}

func TestCommandRanks(t *testing.T) {
	for command, want := range map[string]int{
		"mpirun -np 16 -H a:8,b:8 ./x -b 8 -e 8G -f 2 -g 1": 16,
		"$ srun -N2 -t5 --ntasks-per-node=4 ./x":            8,
		"$ srun -N2 --mpi=pmix ./pt2pt/osu_bw":              2,
		"srun -u --mpi=pmix -n4 osu_iallreduce -d cuda":     4,
		"mpiexec -n 3 ./x":                                  3,
		"./osu_bw -n 5":                                     0,
	} {
		if got := commandRanks(command); got != want {
			t.Errorf("%s: %d ranks, want %d", command, got, want)
		}
	}
}

func TestScaled(t *testing.T) {
	for _, c := range []struct {
		text   string
		factor float64
		want   float64
	}{{"134.30", 1e9, 134.3e9}, {"69.12", 1e-6, 69.12e-6}, {"1e-07", 1, 1e-7}, {"2.5E+2", 1e-6, 250e-6}, {"2", 1 << 20, 1 << 21}} {
		if got := scaled(c.text, c.factor); got == nil || *got != c.want {
			t.Errorf("%s × %g: %v, want %g", c.text, c.factor, got, c.want)
		}
	}
	for _, text := range []string{"N/A", "nan", "inf", "-1", "0x10", "1_0", "", "1e400"} {
		if got := scaled(text, 1); got != nil {
			t.Errorf("%q: %g", text, *got)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for raw, want := range map[string]string{
		"  12: # size":                                   "# size",
		"[1,0]<stdout>:   8  2 float":                    "8  2 float",
		"[prterun-n1-7@1,15]<stderr>: error":             "error",
		"[3] # nThread":                                  "# nThread",
		"gpu-53: 8 2 float":                              "8 2 float",
		"gpu-53: Test NCCL failure":                      "gpu-53: Test NCCL failure",
		"worker-0  | # x |":                              "# x",
		"2026-01-02T03:04:05.6Z 0: # x":                  "# x",
		"Final:   1000 0.240":                            "Final:   1000 0.240",
		"| GPUs | busbw |":                               "| GPUs | busbw |",
		"hostname:1:2 [0] NCCL INFO x":                   "hostname:1:2 [0] NCCL INFO x",
		"progress 10%\rprogress 99%\r\x1b[1mdone\x1b[0m": "done",
	} {
		if got := NewText([]byte(raw)).Lines[0].Text; got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
