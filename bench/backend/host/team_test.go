package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// TestMain lets each node, which is a process elsewhere and a goroutine here, have a thread that runs: nodes that
// wait for each other in shared memory do not give way to goroutines.
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(32)
	os.Exit(m.Run())
}

// team is a group of nodes that are goroutines of this process.
type team struct {
	ranks, nodes  int
	hosts         []string // of the nodes; nil: all "here"
	shared        *bench.Segment
	messages      [][]byte
	gather        *sync.WaitGroup
	members       []*member
	communicators []bench.Communicator
}

type member struct {
	*team
	node     collectives.Node
	progress bench.Progress
}

func (m *member) Node() collectives.Node { return m.node }
func (m *member) Ranks() int             { return m.ranks }
func (m *member) Nodes() int             { return m.nodes }
func (m *member) Address() string        { return "127.0.0.1" }

func (m *member) Progress() *bench.Progress { return &m.progress }

func (m *member) Shared() *bench.Segment {
	if m.shared != nil && slices.Contains(m.shared.Members, m.node) {
		return m.shared
	}
	return nil
}

func (m *member) Host(v collectives.Node) string {
	if m.hosts == nil {
		return "here"
	}
	return m.hosts[v]
}

func (m *member) Exchange(_ context.Context, mine []byte) ([][]byte, error) {
	m.messages[m.node] = mine
	m.gather.Done()
	m.gather.Wait()
	return m.messages, nil
}

// segment is the memory that nodes on the first host share.
func segment(t testing.TB, m *team) *bench.Segment {
	t.Helper()
	s := &bench.Segment{Bytes: 1 << 30}
	for v := range collectives.Node(m.nodes) {
		if m.hosts != nil && m.hosts[v] != m.hosts[0] {
			continue
		}
		bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		s.Members = append(s.Members, v)
		s.Bells = append(s.Bells, os.NewFile(uintptr(bell), "bell"))
	}
	memory, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	s.File = os.NewFile(uintptr(memory), "memory")
	if err := s.File.Truncate(s.Bytes); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.File.Close() })
	return s
}

func newTeam(t testing.TB, ranks, nodes int, hosts []string) *team {
	t.Helper()
	m := &team{ranks: ranks, nodes: nodes, hosts: hosts, messages: make([][]byte, nodes), gather: &sync.WaitGroup{},
		members: make([]*member, nodes), communicators: make([]bench.Communicator, nodes)}
	m.gather.Add(nodes)
	m.shared = segment(t, m)
	if err := m.each(func(v int) (err error) {
		m.members[v] = &member{team: m, node: collectives.Node(v)}
		m.communicators[v], err = Backend{}.Open(t.Context(), m.members[v])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.each(func(v int) error { return m.communicators[v].Close() }) })
	return m
}

// each runs a function for every node at once.
func (m *team) each(do func(v int) error) error {
	var work sync.WaitGroup
	errs := make([]error, m.nodes)
	for v := range m.nodes {
		work.Go(func() { errs[v] = do(v) })
	}
	work.Wait()
	return errors.Join(errs...)
}

// run prepares a case on all nodes and runs it twice. It returns the verdict over all ranks.
func (m *team) run(ctx context.Context, c bench.Case, iterations int) (all bench.Verdict, err error) {
	var lock sync.Mutex
	err = m.each(func(v int) error {
		o, err := m.communicators[v].Prepare(ctx, c)
		if err != nil {
			return err
		}
		defer o.Close()
		want := iterations
		if c.How.Timing == bench.TimingBatch {
			want = 1
		}
		if v >= m.ranks || !c.Times(v) {
			want = 0
		}
		for range 2 {
			samples, err := o.Run(ctx, iterations)
			if err != nil {
				return err
			}
			if len(samples) != want {
				return fmt.Errorf("node %d: %d samples, want %d", v, len(samples), want)
			}
			verdict, err := o.Verify()
			if err != nil {
				return err
			}
			lock.Lock()
			all.Checked += verdict.Checked
			all.Wrong += verdict.Wrong
			if verdict.First != "" {
				all.First = fmt.Sprintf("rank %d: %s", v, verdict.First)
			}
			lock.Unlock()
		}
		return nil
	})
	return all, err
}

// testCase is a case of the host backend of one host.
func testCase(c collectives.Collective, algorithm string, ranks int, bytes int64) bench.Case {
	return bench.Case{
		What:  bench.What{Collective: c, Algorithm: algorithm, Bytes: bytes},
		How:   bench.How{Backend: "host", Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier},
		Where: bench.Where{Ranks: ranks, Hosts: 1, Domain: ranks, Radix: 2},
	}
}

// nodesFor is the number of nodes that any algorithm needs for so many ranks.
func nodesFor(ranks int) int {
	most := ranks
	for _, a := range algorithms.All {
		for _, c := range a.Collectives {
			s := collectives.Shape{Collective: c, Ranks: ranks, Count: 100, Chunks: 1, Local: ranks, Radix: 2}
			if a.Supports(s) == nil {
				most = max(most, a.Nodes(s))
			}
		}
	}
	return most
}
