package host

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// pipe is a channel's one direction, in memory, of a given capacity. It takes and gives pieces of any length.
type pipe struct {
	bytes    []byte
	capacity int
	random   *rand.Rand
}

type pipeEnd struct{ out, in *pipe }

func (c pipeEnd) Send(p []byte) (int, error) {
	n := min(len(p), c.out.capacity-len(c.out.bytes))
	if n > 1 && c.out.random.IntN(2) == 0 {
		n = 1 + c.out.random.IntN(n)
	}
	c.out.bytes = append(c.out.bytes, p[:n]...)
	return n, nil
}

func (c pipeEnd) Receive(least, _ int) ([]byte, error) {
	n := len(c.in.bytes)
	if n > least && c.in.random.IntN(2) == 0 {
		n = least + c.in.random.IntN(n-least)
	}
	return c.in.bytes[:n], nil
}

func (c pipeEnd) Consume(n int) { c.in.bytes = c.in.bytes[n:] }

type noWaiter struct{}

func (noWaiter) Wait(int) error { return nil }
func (noWaiter) Sleeps() bool   { return false }

// cluster is the engines of all nodes of a program, joined by pipes.
type cluster struct {
	engines []*Engine
	random  *rand.Rand
}

func newCluster(t *testing.T, a collectives.Algorithm, s collectives.Shape, capacity int, apart bool, random *rand.Rand) *cluster {
	t.Helper()
	pipes := map[[2]collectives.Node]*pipe{}
	way := func(from, to collectives.Node) *pipe {
		key := [2]collectives.Node{from, to}
		if pipes[key] == nil {
			pipes[key] = &pipe{capacity: capacity, random: random}
		}
		return pipes[key]
	}
	c := &cluster{random: random}
	for v := range collectives.Node(a.Nodes(s)) {
		layout := Layout{Element: 4, Data: s.Size(), Scratch: a.ScratchSize(s)}
		if apart && int(v) < s.Ranks {
			layout.In, layout.Out = collectives.Contract(s, int(v))
		}
		p, err := Compile(a.Program(s, v), v, layout)
		if err != nil {
			t.Fatal(err)
		}
		e, err := NewEngine(Config{
			Program:  p,
			Channels: func(peer collectives.Node) Channel { return pipeEnd{way(v, peer), way(peer, v)} },
			Data:     make([]byte, 4*s.Size()), Scratch: make([]byte, 4*a.ScratchSize(s)),
			Input: make([]byte, 4*s.Size()), Combine: addUint32, Waiter: noWaiter{},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		c.engines = append(c.engines, e)
	}
	return c
}

func addUint32(out, a, b []byte) {
	for i := 0; i < len(out); i += 4 {
		binary.LittleEndian.PutUint32(out[i:], binary.LittleEndian.Uint32(a[i:])+binary.LittleEndian.Uint32(b[i:]))
	}
}

// run steps the engines in random order until all have done so many iterations; no engine waits for another to end
// an iteration. It reports a deadlock when nobody can move.
func (c *cluster) run(iterations int, start func(v, iteration int), end func(v, iteration int) error) error {
	at := make([]int, len(c.engines))
	for i, e := range c.engines {
		start(i, 0)
		e.reset()
	}
	for fruitless, ended := 0, 0; ended < len(c.engines); {
		fruitless++
		for _, i := range c.random.Perm(len(c.engines)) {
			e := c.engines[i]
			if at[i] == iterations {
				continue
			}
			for e.left == 0 && at[i] < iterations {
				if err := end(i, at[i]); err != nil {
					return err
				}
				fruitless = 0
				if at[i]++; at[i] == iterations {
					ended++
				} else {
					start(i, at[i])
					e.reset()
				}
			}
			if at[i] == iterations {
				continue
			}
			moved, err := e.pass()
			if err != nil {
				return err
			}
			if e.stuck = !moved; moved {
				fruitless = 0
			}
		}
		if fruitless > 3 {
			return fmt.Errorf("deadlock after %d of %d nodes", ended, len(c.engines))
		}
	}
	return nil
}

func value(rank, index, iteration int) uint32 {
	return uint32(rank*1000003+index*97+iteration*7919+1) * 2654435761
}

func total(ranks, index, iteration int) (sum uint32) {
	for r := range ranks {
		sum += value(r, index, iteration)
	}
	return sum
}

// proveRuns runs the program on fresh data a few times and checks every output element against the contract.
func proveRuns(t *testing.T, a collectives.Algorithm, s collectives.Shape, capacity int, apart bool, random *rand.Rand) error {
	c := newCluster(t, a, s, capacity, apart, random)
	start := func(v, iteration int) {
		data := c.engines[v].Data
		for i := range data {
			data[i] = 0xEE
		}
		if apart {
			data = c.engines[v].Input
		}
		if v >= s.Ranks {
			return
		}
		in, _ := collectives.Contract(s, v)
		for _, p := range in {
			for i := range p.Length {
				binary.LittleEndian.PutUint32(data[4*(p.Offset+i):], value(v, p.Index+i, iteration))
			}
		}
	}
	end := func(v, iteration int) error {
		if v >= s.Ranks {
			return nil
		}
		_, out := collectives.Contract(s, v)
		for _, p := range out {
			for i := range p.Length {
				want := total(s.Ranks, p.Index+i, iteration)
				if p.From != collectives.AllRanks {
					want = value(p.From, p.Index+i, iteration)
				}
				if got := binary.LittleEndian.Uint32(c.engines[v].Data[4*(p.Offset+i):]); got != want {
					return fmt.Errorf("rank %d, iteration %d, element %d: %#x, want %#x", v, iteration, p.Offset+i, got, want)
				}
			}
		}
		return nil
	}
	if err := c.run(2, start, end); err != nil {
		return err
	}
	for i, e := range c.engines {
		for _, p := range e.ends {
			if ch, ok := p.channel.(pipeEnd); ok && len(ch.in.bytes) > 0 {
				return fmt.Errorf("node %d: %d bytes from node %d were never received", i, len(ch.in.bytes), p.node)
			}
		}
	}
	return nil
}

func TestEveryAlgorithmRuns(t *testing.T) {
	ranks := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}
	if testing.Short() {
		ranks = []int{2, 5, 8}
	}
	for _, a := range algorithms.All {
		t.Run(a.Name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			for _, n := range ranks {
				for i, s := range shapes(a, n) {
					capacity := []int{8, 61, 1 << 20}[i%3]
					for _, apart := range []bool{false, true} {
						if err := proveRuns(t, a, s, capacity, apart, random); err != nil {
							t.Fatalf("%+v, channels of %d bytes, input apart %t: %v", s, capacity, apart, err)
						}
					}
				}
			}
		})
	}
}

// shapes are those of so many ranks that the algorithm supports, out of a varied list.
func shapes(a collectives.Algorithm, n int) (list []collectives.Shape) {
	for _, c := range a.Collectives {
		for _, count := range []int{1, n, 2*n + 1, 19} {
			for _, chunks := range []int{1, 3}[:1+min(1, len(a.Pipelined))] {
				for _, local := range []int{2, n} {
					s := collectives.Shape{Collective: c, Ranks: n, Root: (n - 1) / 2, Count: count, Chunks: chunks, Local: local, Radix: 2 + local%3}
					if a.Supports(s) == nil {
						list = append(list, s)
					}
				}
			}
		}
	}
	return list
}

// Two nodes that exchange what they accumulate into, behind an overwrite by a third: every arrival of the round is
// soft, and only staging keeps channels without room from standing still.
func TestStagingUndoesCycles(t *testing.T) {
	move := func(a collectives.Action, peer collectives.Node) collectives.Move {
		return collectives.Move{Action: a, Peer: peer, Length: 16}
	}
	programs := [][]collectives.Phase{
		{collectives.Once(0, move(collectives.Send, 1), move(collectives.Receive, 2), move(collectives.Accumulate, 1))},
		{collectives.Once(0, move(collectives.Send, 0), move(collectives.Receive, 2), move(collectives.Accumulate, 0))},
		{collectives.Once(0, move(collectives.Send, 0), move(collectives.Send, 1))},
	}
	a := collectives.Algorithm{Program: func(s collectives.Shape, v collectives.Node) []collectives.Phase { return programs[v] }}
	random := rand.New(rand.NewPCG(3, 4))
	c := newCluster(t, a, collectives.Shape{Collective: collectives.AllReduce, Ranks: 3, Count: 16}, 8, false, random)
	start := func(v, iteration int) {
		for i := range 16 {
			binary.LittleEndian.PutUint32(c.engines[v].Data[4*i:], value(v, i, iteration))
		}
	}
	end := func(v, iteration int) error {
		for i := range 16 {
			want := value(2, i, iteration)
			if v < 2 {
				want += value(1-v, i, iteration)
			}
			if got := binary.LittleEndian.Uint32(c.engines[v].Data[4*i:]); got != want {
				return fmt.Errorf("node %d, element %d: %#x, want %#x", v, i, got, want)
			}
		}
		return nil
	}
	if err := c.run(20, start, end); err != nil {
		t.Fatal(err)
	}
}

func TestCompileRefusesWildMoves(t *testing.T) {
	wild := []collectives.Phase{collectives.Once(0, collectives.Move{Peer: 1, Offset: 3, Length: 2})}
	if _, err := Compile(wild, 0, Layout{Element: 4, Data: 4}); err == nil {
		t.Error("a move beyond the buffer compiled")
	}
}
