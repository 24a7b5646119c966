package mpi

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"testing"

	"collbench/bench"
	"collbench/collectives"
)

// casesVariable names the file of cases that a rank of a test is to carry out; iterations of each.
const (
	casesVariable   = "COLLBENCH_TEST_CASES"
	corruptVariable = "COLLBENCH_TEST_CORRUPT" // not empty: a bit of the result is wrong
	iterations      = 3
)

func init() {
	runtime.LockOSThread() // of the main thread, on which MPI is to run
}

func TestMain(m *testing.M) {
	if path := os.Getenv(casesVariable); path != "" {
		if err := beRank(path); err != nil {
			fmt.Fprintln(os.Stderr, "rank:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// said is what a rank says of a case.
type said struct {
	Rank, Case int
	Card       string
	Samples    []float64
	Verdict    bench.Verdict
	Evidence   bench.Evidence
	Iterations int64
	Error      string
}

// beRank is the life of a rank: that of a worker without its parent.
func beRank(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var cases []bench.Case
	if err := json.Unmarshal(text, &cases); err != nil {
		return err
	}
	b := &Backend{}
	ctx := context.Background()
	rank, ranks, card, err := b.Meet(ctx, fmt.Appendf(nil, "the card of pid %d", os.Getpid()))
	if err != nil {
		return err
	}
	g := &alone{rank: rank, ranks: ranks}
	comm, err := b.Open(ctx, g)
	if err != nil {
		return err
	}
	// A file of its own: mpirun may mix what ranks print.
	out, err := os.Create(fmt.Sprintf("%s.%d", path, rank))
	if err != nil {
		return err
	}
	defer out.Close()
	for i, c := range cases {
		s := said{Rank: rank, Case: i, Card: string(card)}
		if err := carryOut(ctx, comm, g, c, &s); err != nil {
			s.Error = err.Error()
		}
		line, _ := json.Marshal(s)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if err := comm.Close(); err != nil {
		return err
	}
	out.Close()
	b.Exit(0)
	return nil
}

func carryOut(ctx context.Context, comm bench.Communicator, g *alone, c bench.Case, s *said) error {
	o, err := comm.Prepare(ctx, c)
	if err != nil {
		return err
	}
	defer o.Close()
	g.progress = bench.Progress{}
	if s.Samples, err = o.Run(ctx, iterations); err != nil {
		return err
	}
	s.Evidence, s.Iterations = o.Evidence(), g.progress.Iteration.Load()
	if os.Getenv(corruptVariable) != "" {
		o.(*operation).out[40] ^= 1
	}
	if s.Verdict, err = o.Verify(); err != nil {
		return err
	}
	return nil
}

// alone is a bench.Group that can do no more than the backend may ask of it.
type alone struct {
	rank, ranks int
	progress    bench.Progress
}

func (g *alone) Node() collectives.Node       { return collectives.Node(g.rank) }
func (g *alone) Ranks() int                   { return g.ranks }
func (g *alone) Nodes() int                   { return g.ranks }
func (g *alone) Host(collectives.Node) string { return "here" }
func (g *alone) Address() string              { return "" }
func (g *alone) Shared() *bench.Segment       { return nil }
func (g *alone) Progress() *bench.Progress    { return &g.progress }
func (g *alone) Exchange(context.Context, []byte) ([][]byte, error) {
	return nil, fmt.Errorf("the MPI backend has no need of an exchange")
}
