package mpi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/cgo/mpi"
	"collbench/collectives"
	"collbench/internal/mpis"
)

const ranks = 3

func testCase(c collectives.Collective, algorithm string, bytes int64) bench.Case {
	return bench.Case{
		What:  bench.What{Collective: c, Algorithm: algorithm, Bytes: bytes},
		How:   bench.How{Backend: "mpi", Transport: bench.TransportLibrary, Buffers: "private", Timing: bench.TimingBarrier},
		Where: bench.Where{Ranks: ranks, Hosts: 1, Domain: ranks, Radix: 40},
	}
}

// cases are all collectives and point-to-point tests, both timings, in place and not, every data type and reduction at least
// once each.
func cases() (list []bench.Case) {
	for i, c := range collectives.Collectives {
		for j, d := range collectives.DataTypes {
			test := testCase(c, bench.Auto, []int64{96, 10_007 * 8, 300_000}[(i+j)%3])
			if test.What.DataType = d; d == collectives.Float8E4M3 || d == collectives.Float8E5M2 {
				continue // MPI has neither
			}
			if c.Rooted() {
				test.What.Root = ranks - 1
			}
			if c.Reduces() {
				test.What.Reduction = collectives.Reductions[j%4]
				if d == collectives.Uint32 {
					test.What.Reduction = collectives.Sum // MPICH 4 takes it for signed in its minima and maxima
				}
			}
			test.What.InPlace = j%2 == 0
			if !test.What.Overwrites() && j%3 != 0 {
				test.How.Timing = bench.TimingBatch
			}
			list = append(list, test)
		}
	}
	for i, p := range bench.PointToPoints {
		if p.Call != bench.Message {
			continue
		}
		for j, size := range []int64{8, 70_000} {
			test := testCase(0, bench.Auto, size)
			test.What.Operation = p.Name
			if p.Windowed {
				test.What.Window = 5
			}
			if !p.AllPairs {
				test.Where.From, test.Where.To = 2, 1
			}
			if (i+j)%2 == 0 {
				test.How.Timing = bench.TimingBatch
			}
			list = append(list, test)
		}
	}
	return list
}

// each starts a test under every MPI that is installed.
func each(t *testing.T, f func(t *testing.T, m mpis.MPI)) {
	for _, m := range mpis.All("../../..") {
		t.Run(m.Name, func(t *testing.T) {
			if err := m.Missing(); err != nil {
				t.Skipf("not installed here (scripts/setup and scripts/mpi-peers do): %v", err)
			}
			f(t, m)
		})
	}
}

// launch has n ranks carry out the cases: what each says of each, by case and rank.
func launch(t *testing.T, m mpis.MPI, n int, list []bench.Case, env ...string) ([][]said, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cases")
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	line := m.Command(m.Crowd, n, os.Args[0])
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(append(os.Environ(), casesVariable+"="+path), append(m.Env, env...)...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	failed := cmd.Run()
	answers := make([][]said, len(list))
	for i := range answers {
		answers[i] = make([]said, n)
	}
	for rank := range n {
		text, _ := os.ReadFile(fmt.Sprintf("%s.%d", path, rank)) // what is not there has no answers
		for line := range bytes.Lines(text) {
			var s said
			if err := json.Unmarshal(line, &s); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			answers[s.Case][s.Rank] = s
		}
	}
	return answers, stderr.String(), failed
}

// TestEverythingIsRight has every element of every iteration checked, under each of the MPIs, from this one binary.
func TestEverythingIsRight(t *testing.T) {
	each(t, func(t *testing.T, m mpis.MPI) {
		list := cases()
		for i := range list {
			// Two faults of Debian's MPICH 4.0.2, which a C program meets too: MPI_Reduce reads from MPI_IN_PLACE where the root is
			// not rank 0, and the least of two unsigned bytes is that of signed ones.
			w := &list[i].What
			if strings.HasPrefix(m.Name, "MPICH 4") && w.Collective.Reduces() {
				w.Root = 0
				if w.DataType == collectives.Uint8 {
					w.Reduction = collectives.Sum
				}
			}
		}
		answers, stderr, err := launch(t, m, ranks, list)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		refused := 0
		for i, c := range list {
			var checked, wrong int64
			for rank, s := range answers[i] {
				short := c.What.DataType == collectives.Float16 || c.What.DataType == collectives.BFloat16
				if short && (strings.Contains(s.Error, "built without this data type") || strings.Contains(s.Error, "sum alone")) {
					refused++
					checked = -1
					continue
				}
				if s.Error != "" || s.Card == "" || s.Card != answers[0][0].Card {
					t.Fatalf("%+v: rank %d: %q, card %q", c, rank, s.Error, s.Card)
				}
				want := iterations
				if c.How.Timing == bench.TimingBatch {
					want = 1
				}
				if !c.Times(rank) {
					want = 0
				}
				if len(s.Samples) != want || s.Iterations != iterations {
					t.Errorf("%+v: rank %d: %d samples, want %d; %d iterations", c, rank, len(s.Samples), want, s.Iterations)
				}
				if s.Evidence.Source != "library" || s.Evidence.Observed != "" || !strings.HasSuffix(s.Evidence.Detail, " chose") {
					t.Errorf("%+v: rank %d: %+v", c, rank, s.Evidence)
				}
				checked += s.Verdict.Checked
				wrong += s.Verdict.Wrong
				if s.Verdict.Wrong > 0 {
					t.Errorf("%+v: rank %d: %+v", c, rank, s.Verdict)
				}
			}
			if checked == 0 {
				t.Errorf("%+v: nothing was checked", c)
			}
		}
		t.Logf("%d cases, %d answers refused a type of 16 bits", len(list), refused)
	})
}

// TestCorruptionIsFound flips a bit of each rank's result.
func TestCorruptionIsFound(t *testing.T) {
	each(t, func(t *testing.T, m mpis.MPI) {
		test := testCase(collectives.AllReduce, bench.Auto, 4000)
		test.Where.Ranks, test.How.Timing = 2, bench.TimingBatch
		answers, stderr, err := launch(t, m, 2, []bench.Case{test}, corruptVariable+"=1")
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		for _, s := range answers[0] {
			if s.Verdict.Wrong != 1 || !strings.HasPrefix(s.Verdict.First, "batch 0, element 10 (over all ranks)") {
				t.Errorf("rank %d: %+v %s", s.Rank, s.Verdict, s.Error)
			}
		}
	})
}

// TestAlgorithms has each library use each algorithm that it can be told to use, and show it where it shows anything.
func TestAlgorithms(t *testing.T) {
	each(t, func(t *testing.T, m mpis.MPI) {
		family := map[string]mpi.Family{"Op": mpi.OpenMPI, "MP": mpi.MPICH, "In": mpi.Intel}[m.Name[:2]]
		b := &Backend{library: new(mpi.Library), family: family, has: map[mpi.Type]error{mpi.Float32: nil}}
		// One launch has one environment, so one algorithm for each collective.
		var left []bench.Case
		for _, d := range dialects {
			for _, k := range d.choices {
				test := testCase(k.collective, k.algorithm, 48_000)
				test.Where.Ranks = 4
				// MPICH 4.0 has no ring yet, and does not start when told to use it.
				if d.family == family && !(strings.HasPrefix(m.Name, "MPICH 4") && k.collective == collectives.AllReduce && k.algorithm == "ring") {
					left = append(left, test)
				}
			}
		}
		for len(left) > 0 {
			var now, later []bench.Case
			var env []string
			for _, test := range left {
				if slices.ContainsFunc(now, func(c bench.Case) bool { return c.What.Collective == test.What.Collective }) {
					later = append(later, test)
					continue
				}
				variables, err := b.Environment(test)
				if err != nil {
					t.Fatal(err)
				}
				now, env = append(now, test), append(env, variables...)
			}
			left = later
			answers, stderr, err := launch(t, m, 4, now, env...)
			if err != nil {
				t.Fatalf("%v: %v\n%s", now, err, stderr)
			}
			for i, test := range now {
				for _, s := range answers[i] {
					want := bench.Evidence{}
					if family != mpi.Intel {
						want = bench.Evidence{Observed: test.What.Algorithm, Source: "control variable", Detail: s.Evidence.Detail}
					}
					if s.Error != "" || s.Card == "" || s.Evidence != want || s.Verdict.Wrong > 0 {
						t.Errorf("%s: rank %d: %s: %+v %+v, want %+v", test, s.Rank, s.Error, s.Evidence, s.Verdict, want)
					}
				}
			}
		}
	})
}

// TestNoFallback has MPICH asked for an algorithm that it has not for so few elements: it must not take another one and say
// nothing. Open MPI does, so Supports refuses such cases of it.
func TestNoFallback(t *testing.T) {
	each(t, func(t *testing.T, m mpis.MPI) {
		if !strings.HasPrefix(m.Name, "MPICH") {
			return // it is MPICH's way
		}
		test := testCase(collectives.AllReduce, "halving-doubling", 8)
		test.Where.Ranks = 4
		env, err := (&Backend{library: new(mpi.Library), family: mpi.MPICH, has: map[mpi.Type]error{mpi.Float32: nil}}).Environment(test)
		if err != nil {
			t.Fatal(err)
		}
		answers, stderr, _ := launch(t, m, 4, []bench.Case{test}, env...)
		if !strings.Contains(answers[0][0].Error, "MPI_Allreduce") || !strings.Contains(answers[0][0].Error, "not usable") {
			t.Errorf("%+v\n%s", answers[0][0], stderr)
		}
	})
}

// TestUntold has cases ask for an algorithm in a process whose environment says nothing of it: nothing shows that it ran.
func TestUntold(t *testing.T) {
	each(t, func(t *testing.T, m mpis.MPI) {
		test := testCase(collectives.AllReduce, "ring", 4000)
		answers, stderr, err := launch(t, m, ranks, []bench.Case{test})
		if err != nil || answers[0][0].Error != "" || answers[0][0].Evidence != (bench.Evidence{}) {
			t.Errorf("%v %+v\n%s", err, answers[0][0], stderr)
		}
	})
}

// TestAnotherLibrary has each launcher's ranks open the library of another: each would be alone.
func TestAnotherLibrary(t *testing.T) {
	other := map[string]string{"Op": "libmpich.so.12", "MP": "libmpi.so.40", "In": "libmpi.so.40"}
	each(t, func(t *testing.T, m mpis.MPI) {
		answers, stderr, err := launch(t, m, 2, []bench.Case{testCase(collectives.AllReduce, bench.Auto, 8)}, "COLLBENCH_LIBMPI="+other[m.Name[:2]])
		if err == nil || answers[0][0].Card != "" || !strings.Contains(stderr, "COLLBENCH_LIBMPI") || !strings.Contains(stderr, other[m.Name[:2]]) {
			t.Errorf("%v %+v\n%s", err, answers[0][0], stderr)
		}
	})
}

func TestSupports(t *testing.T) {
	b := &Backend{library: new(mpi.Library), family: mpi.OpenMPI, has: map[mpi.Type]error{}}
	for _, d := range []mpi.Type{mpi.Float32, mpi.BFloat16} {
		b.has[d] = nil
	}
	for _, c := range []struct {
		want   string
		change func(*bench.Case)
	}{
		{"", func(c *bench.Case) {}},
		{"", func(c *bench.Case) { c.What.Algorithm = "ring" }},
		{"3 elements for 4 ranks", func(c *bench.Case) { c.What.Algorithm, c.What.Bytes = "ring", 12 }},
		{"3 ranks: without a power of two", func(c *bench.Case) {
			c.What.Collective, c.What.Algorithm, c.Where.Ranks = collectives.AllGather, "recursive-doubling", 3
		}},
		{"Open MPI cannot be told to use nvls", func(c *bench.Case) { c.What.Algorithm = "nvls" }},
		{"Open MPI cannot be told to use sharp", func(c *bench.Case) { c.What.Algorithm = "sharp" }},
		{"", func(c *bench.Case) { c.What.Algorithm, c.How.Variant = "sharp", "hcoll" }},
		{"", func(c *bench.Case) { c.What.Algorithm, c.How.Variant = "ring", "UCX_TLS=tcp" }},
		{"Open MPI hcoll cannot be told to use ring", func(c *bench.Case) { c.What.Algorithm, c.How.Variant = "ring", "hcoll" }},
		{"no variant \"x\"", func(c *bench.Case) { c.How.Variant = "x" }},
		{"no such reduction", func(c *bench.Case) { c.What.Reduction = collectives.Avg }},
		{"back to back", func(c *bench.Case) { c.What.InPlace, c.How.Timing = true, bench.TimingBatch }},
		{"transport tcp", func(c *bench.Case) { c.How.Transport = "tcp" }},
		{"registered", func(c *bench.Case) { c.How.Buffers = "registered" }},
		{"chunks", func(c *bench.Case) { c.Where.Chunks = 2 }},
		{"32 bits", func(c *bench.Case) { c.What.Bytes = 1 << 40 }},
		{"no element", func(c *bench.Case) { c.What.Bytes = 3 }},
	} {
		test := testCase(collectives.AllReduce, bench.Auto, 4000)
		test.Where.Ranks = 4
		c.change(&test)
		if err := b.Supports(test); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", test, err, c.want)
		}
	}
	b.family = mpi.MPICH
	test := testCase(collectives.AllReduce, bench.Auto, 4000)
	test.What.DataType, test.What.Reduction = collectives.BFloat16, collectives.Max
	if err := b.Supports(test); err == nil || !strings.Contains(err.Error(), "sum alone") {
		t.Error(err)
	}
}
