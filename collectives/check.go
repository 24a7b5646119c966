package collectives

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
)

// exactRanks is the most ranks for which a set of contributors is held exactly, one bit a rank.
const exactRanks = 62

// Check proves the algorithm right for one shape: it pushes sets of contributors through the programs of all nodes,
// round by round, and at the end compares what every rank holds with the Contract. It refuses messages without a
// partner or of another length, moves outside a buffer, runs that overlap, undefined elements that are sent or accumulated into,
// elements of different places combined, a contribution counted twice, two arrivals that overwrite each other in a
// round, phases whose rounds are not alike, and switches that share a place. The error names the round and the node.
//
// Up to 62 ranks the sets are exact. Above, a rank is a random 64-bit weight and a set the sum of its weights, so
// that a wrong set passes with a probability of about 2⁻⁶⁴ an element.
//
// The time is proportional to the elements moved by all nodes; check small counts.
func Check(a Algorithm, s Shape) error {
	if err := a.Supports(s); err != nil {
		return err
	}
	if err := check(a, s); err != nil {
		return fmt.Errorf("%s %s, %d ranks, %d elements: %w", s.Collective, a.Name, s.Ranks, s.Count, err)
	}
	return nil
}

func check(a Algorithm, s Shape) error {
	if _, err := Placement(a, s); err != nil {
		return err
	}
	if err := uniform(a, s); err != nil {
		return err
	}
	c, err := newChecker(a, s)
	if err != nil {
		return err
	}
	defer c.stop()
	for {
		round, more := c.round()
		if !more {
			return c.outputs()
		}
		if err := c.step(round); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
}

// value is what is known of an element: its place in the logical vector, or −1 while it is undefined, and the set of
// the ranks that contributed to it.
type value struct {
	index int
	set   uint64
}

// weight is the set of one rank among so many.
func weight(r, ranks int) uint64 {
	if ranks <= exactRanks {
		return 1 << r
	}
	// The mixing function of SplitMix64 (Steele, Lea, Flood 2014).
	x := uint64(r+1) * 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// memory is a buffer of a node; stamp says in which round (plus 1) an element was written last.
type memory struct {
	values []value
	stamp  []int
}

func newMemory(length int) memory {
	m := memory{make([]value, length), make([]int, length)}
	for i := range m.values {
		m.values[i].index = -1
	}
	return m
}

// cursor is a node in its program.
type cursor struct {
	next  func() (int, []Move, bool)
	stop  func()
	round int
	moves []Move
	more  bool
}

type pair struct{ from, to Node }

type checker struct {
	shape   Shape
	all     uint64      // the set of all ranks
	buffers [][2]memory // by node and Buffer
	cursors []cursor
	wire    map[pair][][]value // sent in this round and not yet received
}

func newChecker(a Algorithm, s Shape) (*checker, error) {
	c := &checker{shape: s, wire: map[pair][][]value{}}
	for r := range s.Ranks {
		c.all += weight(r, s.Ranks)
	}
	scratch := a.ScratchSize(s)
	if scratch < 0 {
		return nil, fmt.Errorf("scratch of %d elements", scratch)
	}
	for v := range a.Nodes(s) {
		data := newMemory(s.Size())
		if v < s.Ranks {
			in, _ := Contract(s, v)
			for _, p := range in {
				for i := range p.Length {
					data.values[p.Offset+i] = value{p.Index + i, weight(p.From, s.Ranks)}
				}
			}
		}
		c.buffers = append(c.buffers, [2]memory{Data: data, Scratch: newMemory(scratch)})
		next, stop := iter.Pull2(Steps(a.Program(s, Node(v))))
		cur := cursor{next: next, stop: stop}
		cur.round, cur.moves, cur.more = next()
		c.cursors = append(c.cursors, cur)
	}
	return c, nil
}

func (c *checker) stop() {
	for _, cur := range c.cursors {
		cur.stop()
	}
}

// round is the next round in which any node moves anything.
func (c *checker) round() (round int, more bool) {
	for _, cur := range c.cursors {
		if cur.more && (!more || cur.round < round) {
			round, more = cur.round, true
		}
	}
	return round, more
}

// step carries out one round: all sends, then all arrivals.
func (c *checker) step(round int) error {
	clear(c.wire)
	for _, apply := range []func(round int, v Node, m Move) error{c.send, c.arrive} {
		for v, cur := range c.cursors {
			if !cur.more || cur.round != round {
				continue
			}
			for _, m := range cur.moves {
				if err := apply(round, Node(v), m); err != nil {
					return fmt.Errorf("%s: %w", c.shape.NodeName(Node(v)), err)
				}
			}
		}
	}
	for p, left := range c.wire {
		if len(left) > 0 {
			return fmt.Errorf("%s: %d elements sent to %s are never received", c.shape.NodeName(p.from), len(left[0]), c.shape.NodeName(p.to))
		}
	}
	for v := range c.cursors {
		if cur := &c.cursors[v]; cur.more && cur.round == round {
			cur.round, cur.moves, cur.more = cur.next()
		}
	}
	return nil
}

// valid checks a move by itself.
func (c *checker) valid(v Node, m Move) error {
	switch {
	case m.Action > Accumulate:
		return fmt.Errorf("action %d does not exist", m.Action)
	case m.Buffer > Scratch:
		return fmt.Errorf("buffer %d does not exist", m.Buffer)
	case m.Peer < 0 || int(m.Peer) >= len(c.buffers):
		return fmt.Errorf("peer %d: there are %d nodes", m.Peer, len(c.buffers))
	case m.Peer == v && m.Action == Accumulate:
		return errors.New("accumulates from itself")
	}
	if size := len(c.buffers[v][m.Buffer].values); !inside(m, size) {
		return fmt.Errorf("%d runs of %d elements from element %d every %d: beyond a buffer of %d", m.Runs(), m.Length, m.Offset, m.Stride, size)
	}
	if m.Runs() > 1 && max(m.Stride, -m.Stride) < m.Length {
		return fmt.Errorf("runs of %d elements every %d overlap", m.Length, m.Stride)
	}
	return nil
}

// inside says whether all runs lie within a buffer of that size, whatever the numbers: nothing overflows.
func inside(m Move, size int) bool {
	if m.Offset < 0 || m.Length > size || m.Offset > size-m.Length {
		return false
	}
	if m.Runs() == 1 {
		return true
	}
	room, stride := size-m.Length-m.Offset, m.Stride
	if stride < 0 {
		room, stride = m.Offset, -max(stride, -size-1)
	}
	return stride <= room/(m.Runs()-1)
}

func (c *checker) send(_ int, v Node, m Move) error {
	if err := c.valid(v, m); err != nil {
		return err
	}
	if m.Action != Send {
		return nil
	}
	message := make([]value, 0, m.Elements())
	for b := range m.Runs() {
		start := m.Offset + b*m.Stride
		for i, x := range c.buffers[v][m.Buffer].values[start : start+m.Length] {
			if x.index < 0 {
				return fmt.Errorf("sends element %d to %s, which is undefined", start+i, c.shape.NodeName(m.Peer))
			}
			message = append(message, x)
		}
	}
	p := pair{v, m.Peer}
	c.wire[p] = append(c.wire[p], message)
	return nil
}

func (c *checker) arrive(round int, v Node, m Move) error {
	if m.Action == Send {
		return nil
	}
	p := pair{m.Peer, v}
	waiting := c.wire[p]
	if len(waiting) == 0 {
		return fmt.Errorf("waits for %s, which sends nothing", c.shape.NodeName(m.Peer))
	}
	message := waiting[0]
	c.wire[p] = waiting[1:]
	if len(message) != m.Elements() {
		return fmt.Errorf("expects %d elements of %s, which sends %d", m.Elements(), c.shape.NodeName(m.Peer), len(message))
	}
	for b := range m.Runs() {
		for i := range m.Length {
			at := m.Offset + b*m.Stride + i
			if err := c.put(&c.buffers[v][m.Buffer], at, message[b*m.Length+i], m.Action, round+1); err != nil {
				return fmt.Errorf("element %d of %s: %w", at, c.shape.NodeName(m.Peer), err)
			}
		}
	}
	return nil
}

// put applies one element that has arrived.
func (c *checker) put(m *memory, at int, x value, action Action, stamp int) error {
	held := &m.values[at]
	switch {
	case action == Receive:
		if m.stamp[at] == stamp {
			return errors.New("overwrites what arrived in the same round")
		}
		*held = x
	case held.index < 0:
		return errors.New("is accumulated into an undefined element")
	case held.index != x.index:
		return fmt.Errorf("has place %d of the vector and is accumulated into place %d", x.index, held.index)
	case c.shape.Ranks <= exactRanks && held.set&x.set != 0:
		return fmt.Errorf("the contribution of rank %d is counted twice", bits.TrailingZeros64(held.set&x.set))
	default:
		held.set += x.set
	}
	m.stamp[at] = stamp
	return nil
}

// outputs compares what every rank ends with with the contract.
func (c *checker) outputs() error {
	for r := range c.shape.Ranks {
		_, out := Contract(c.shape, r)
		for _, p := range out {
			set := c.all
			if p.From != AllRanks {
				set = weight(p.From, c.shape.Ranks)
			}
			for i := range p.Length {
				got, want := c.buffers[r][Data].values[p.Offset+i], value{p.Index + i, set}
				if got != want {
					return fmt.Errorf("rank %d ends with %s in element %d, want %s", r, c.describe(got), p.Offset+i, c.describe(want))
				}
			}
		}
	}
	return nil
}

// describe says what a value is, in words.
func (c *checker) describe(x value) string {
	switch {
	case x.index < 0:
		return "nothing"
	case x.set == c.all:
		return fmt.Sprintf("place %d of all ranks", x.index)
	case c.shape.Ranks > exactRanks:
		return fmt.Sprintf("place %d of some ranks", x.index)
	}
	var ranks []int
	for set := x.set; set != 0; set &= set - 1 {
		ranks = append(ranks, bits.TrailingZeros64(set))
	}
	return fmt.Sprintf("place %d of ranks %v", x.index, ranks)
}
