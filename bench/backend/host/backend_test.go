package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/algorithms"
	"collbench/collectives/host"
)

func TestEverythingIsRight(t *testing.T) {
	for _, ranks := range []int{2, 4} {
		m := newTeam(t, ranks, nodesFor(ranks), nil)
		for _, transport := range transports {
			for _, c := range collectives.Collectives {
				for i, a := range append(algorithms.For(c), collectives.Algorithm{Name: bench.Auto}) {
					for j, d := range collectives.DataTypes {
						test := testCase(c, a.Name, ranks, 1003*8)
						test.How.Transport = transport
						if transport == overShm && j%3 == 0 {
							test.How.Buffers, test.What.Bytes = registered, 40_000*int64(ranks)
						}
						test.What.DataType = d
						test.What.Root = ranks - 1
						if c.Reduces() {
							test.What.Reduction = reductions[(i+j)%len(reductions)]
						}
						test.What.InPlace = (i+j/2)%2 == 0
						if j%2 == 0 && !test.What.Overwrites() {
							test.How.Timing = bench.TimingBatch
						}
						if !c.Rooted() {
							test.What.Root = 0
						}
						prove(t, m, test)
					}
				}
			}
		}
	}
}

// reductions are those that the backend has.
var reductions = slices.DeleteFunc(slices.Clone(collectives.Reductions), func(r collectives.Reduction) bool { return r == collectives.PreMulSum })

// transports are those that are tested.
var transports = []string{overTCP, overShm}

// Two hosts of two ranks each, the switches on the second, which shares no memory: bells, connections and rings
// together.
func TestBothTransports(t *testing.T) {
	nodes := nodesFor(4)
	hosts := []string{"a", "a", "a", "b", "b", "b", "b", "b", "b", "b"}[:nodes]
	m := newTeam(t, 4, nodes, hosts)
	for _, c := range collectives.Collectives {
		for _, a := range algorithms.For(c) {
			test := testCase(c, a.Name, 4, 100_000)
			test.How.Transport = overBoth
			test.Where.Hosts, test.Where.Domain = 2, 2
			prove(t, m, test)
		}
	}
	test := testCase(collectives.AllReduce, "ring", 4, 100)
	test.How.Transport = overShm
	if _, err := m.run(t.Context(), test, 1); err == nil || !strings.Contains(err.Error(), "no memory is shared with rank 3 on b") {
		t.Errorf("shm across hosts: %v", err)
	}
}

func prove(t *testing.T, m *team, test bench.Case) {
	t.Helper()
	if err := (Backend{}).Supports(test); err != nil {
		if a, e := algorithms.Find(test.What.Algorithm); e == nil {
			if _, refused := test.Shape(a); refused != nil {
				return // the algorithm does not do this shape; package collectives tests that
			}
		}
		t.Errorf("%+v: %v", test, err)
		return
	}
	verdict, err := m.run(t.Context(), test, 3)
	if err != nil {
		t.Fatalf("%+v: %v", test, err)
	}
	if verdict.Checked == 0 || verdict.Wrong != 0 {
		t.Errorf("%+v: %d of %d elements wrong: %s", test, verdict.Wrong, verdict.Checked, verdict.First)
	}
}

func TestCorruptionIsFound(t *testing.T) {
	t.Setenv(host.FaultVariable, "rank=1,iteration=2,element=5")
	m := newTeam(t, 2, 2, nil)
	for _, timing := range []bench.Timing{bench.TimingBarrier, bench.TimingBatch} {
		for _, algorithm := range []string{"ring", "direct", "recursive-doubling"} {
			test := testCase(collectives.AllReduce, algorithm, 2, 4000)
			test.How.Timing = timing
			verdict, err := m.run(t.Context(), test, 3)
			if timing == bench.TimingBatch {
				if _, err = m.run(t.Context(), test, 3); err != nil || verdict.Wrong != 0 {
					t.Errorf("%s: batches 0 and 1 are not corrupted: %v, %v", algorithm, verdict, err)
				}
				continue
			}
			if err != nil || verdict.Wrong == 0 || !strings.Contains(verdict.First, "iteration 2, element 5 ") {
				t.Errorf("%s: a corrupted element gave %+v, %v", algorithm, verdict, err)
			}
		}
	}
}

func TestCancelEndsRun(t *testing.T) {
	for _, transport := range transports {
		m := newTeam(t, 2, 2, nil)
		ctx, cancel := context.WithCancel(t.Context())
		test := testCase(collectives.AllReduce, "ring", 2, 4000)
		test.How.Transport = transport
		err := m.each(func(v int) error {
			o, err := m.communicators[v].Prepare(ctx, test)
			if err != nil {
				return err
			}
			defer o.Close()
			if v == 1 {
				time.AfterFunc(20*time.Millisecond, cancel)
				return nil
			}
			_, err = o.Run(ctx, 5)
			if w := m.members[0].progress.Waiting.Load(); w != 2 {
				return fmt.Errorf("it said that it waited for node %d, want 1", w-1)
			}
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a cancelled run ended with %v", transport, err)
		}
		if _, err := m.communicators[0].Prepare(t.Context(), test); err == nil || !strings.Contains(err.Error(), "cannot be used any more") {
			t.Errorf("%s: after a cancelled run the connections were used again: %v", transport, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*bench.Case){
		"unknown transport": func(c *bench.Case) { c.How.Transport = "pigeon" },
		"share no memory":   func(c *bench.Case) { c.How.Transport = "shm"; c.Where.Hosts = 2 },
		"unknown buffers":   func(c *bench.Case) { c.How.Buffers = "odd" },
		"TCP copies":        func(c *bench.Case) { c.How.Buffers = "registered" },
		"unknown algorithm": func(c *bench.Case) { c.What.Algorithm = "zigzag" },
		"on its own results": func(c *bench.Case) {
			c.What.InPlace = true
			c.How.Timing = bench.TimingBatch
		},
		"leave no element": func(c *bench.Case) { c.What.Bytes = 3 },
	} {
		c := testCase(collectives.AllReduce, "ring", 2, 4096)
		change(&c)
		if err := (Backend{}).Supports(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want a refusal with %q, got %v", name, err)
		}
	}
}

func TestPacedGroup(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "clock")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pace := bench.Pace{File: file, Links: []bench.LinkInfo{{Host: "vm0", Transmit: 10e6, Receive: 10e6}, {Host: "vm1", Transmit: 10e6, Receive: 10e6}}}
	if err := file.Truncate(pace.Bytes()); err != nil {
		t.Fatal(err)
	}
	m := &team{ranks: 2, nodes: 2, hosts: []string{"vm0", "vm1"}, messages: make([][]byte, 2), gather: &sync.WaitGroup{}}
	m.gather.Add(2)
	err = m.each(func(v int) error {
		c, err := Backend{}.Open(t.Context(), &pacedMember{member{team: m, node: collectives.Node(v)}, &pace})
		if err != nil {
			return err
		}
		defer c.Close()
		test := testCase(collectives.AllReduce, "ring", 2, 1<<20)
		test.Where.Hosts, test.Where.Domain = 2, 1
		o, err := c.Prepare(t.Context(), test)
		if err != nil {
			return err
		}
		defer o.Close()
		samples, err := o.Run(t.Context(), 5)
		if err != nil {
			return err
		}
		if best := slices.Min(samples); best < 0.1 || best > 0.16 { // the first 6 ms are for free
			return fmt.Errorf("1 MiB over links of 10 MB/s took %v s, want 0.105", best)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// pacedMember is a member whose connections are held to the rates of links.
type pacedMember struct {
	member
	pace *bench.Pace
}

func (m *pacedMember) Pace() *bench.Pace { return m.pace }

func TestAutoGoesBySize(t *testing.T) {
	for _, test := range []struct {
		transport, buffers string
		ranks              int
		bytes              int64
		want               string
	}{
		{overShm, private, 2, 4 << 10, "oneshot"},
		{overShm, private, 2, 1 << 20, "direct"},
		{overShm, private, 4, 16 << 10, "direct"},
		{overShm, registered, 2, 1 << 20, "oneshot"},
		{overShm, registered, 4, 1 << 20, "direct"},
		{overTCP, private, 4, 1 << 10, "recursive-doubling"},
		{overBoth, private, 4, 1 << 20, "direct"},
	} {
		c := testCase(collectives.AllReduce, bench.Auto, test.ranks, test.bytes)
		c.How.Transport, c.How.Buffers = test.transport, test.buffers
		if a, _, err := resolve(c); err != nil || a.Name != test.want {
			t.Errorf("%+v: %s, %v", test, a.Name, err)
		}
	}
}
