package model

import (
	"fmt"
	"slices"

	"collbench/collectives"
)

// flow is what one node sends to another in a round of a phase. From == to: bytes that the rank combines.
type flow struct {
	from, to int32
	bytes    int64
}

// maxFlows bounds the messages that are looked at, and so memory to 1 GiB; programs in which each rank talks to
// every other have N² and are refused from some 6,000 ranks up.
const maxFlows = 36 << 20

// sampled is the number of nodes from whose programs the size of all is estimated.
const sampled = 1024

// early is the number of nodes after which programs that are far too large are given up; the largest, which may be
// a root's, does not count.
const early = 16

// event is a phase of one node: its flows, and when they are under way.
type event struct {
	start, rounds int32
	lo, hi        int32
	kind          phaseKind
}

func (e event) end() int32 { return e.start + e.rounds }

type phaseKind uint8

const (
	single   phaseKind = iota // one round
	streamed                  // rounds that do not wait for each other: chunks
	chained                   // rounds that each wait for the one before
)

// ledger is the program of all nodes, read once.
type ledger struct {
	flows  []flow
	events []event
	varied map[extent][]variedPhase
	kinds  map[extent]*judged
	below  []int32 // per switch: its first neighbour at a lower level
	size   int64   // bytes of an element
	ranks  int
}

type extent struct{ start, rounds int }

type variedPhase struct {
	node  collectives.Node
	phase collectives.Phase
}

type judged struct {
	samples int
	chained bool
}

// read collects the flows of every node's phases: one round stands for all rounds of a phase.
func read(a collectives.Algorithm, s collectives.Shape, elementSize int, f *fabric) (*ledger, error) {
	l := &ledger{varied: map[extent][]variedPhase{}, kinds: map[extent]*judged{}, below: make([]int32, f.switches), size: int64(elementSize), ranks: s.Ranks}
	for w := range l.below {
		l.below[w] = unplaced
	}
	nodes := a.Nodes(s)
	before, largest := 0, 0
	for v := range collectives.Node(nodes) {
		largest = max(largest, len(l.flows)-before)
		if rest := len(l.flows) - largest; len(l.flows) > maxFlows || v == early && rest/early*nodes > maxFlows {
			return nil, fmt.Errorf("%d ranks: more than %d messages in one pass over the program: too many to price", s.Ranks, maxFlows)
		}
		before = len(l.flows)
		if v == sampled { // the rest is much the same: memory is taken once
			l.flows = slices.Grow(l.flows, min(maxFlows, len(l.flows)*(nodes/sampled)))
			l.events = slices.Grow(l.events, min(maxFlows, len(l.events)*(nodes/sampled)))
		}
		phases := a.Program(s, v)
		for _, p := range phases {
			if p.Varies {
				k := extent{p.Start, p.Rounds}
				l.varied[k] = append(l.varied[k], variedPhase{v, p})
				continue
			}
			lo := len(l.flows)
			moves := p.Moves(p.Rounds / 2)
			l.add(v, moves)
			if int(v) >= s.Ranks {
				l.neighbour(int(v)-s.Ranks, moves, f)
			}
			l.events = append(l.events, event{int32(p.Start), int32(p.Rounds), int32(lo), int32(len(l.flows)), single})
			if p.Rounds > 1 {
				l.judge(p, phases)
			}
		}
	}
	for i, e := range l.events {
		if k := l.kinds[extent{int(e.start), int(e.rounds)}]; k != nil {
			l.events[i].kind = streamed
			if k.chained {
				l.events[i].kind = chained
			}
		}
	}
	return l, l.place(f)
}

// add appends the flows of one round, messages to the same peer together.
func (l *ledger) add(v collectives.Node, moves []collectives.Move) {
	lo := len(l.flows)
	put := func(to int32, bytes int64) {
		// The last two flows: a rank's sends and what it combines alternate.
		for k := len(l.flows) - 1; k >= max(lo, len(l.flows)-2); k-- {
			if l.flows[k].to == to {
				l.flows[k].bytes += bytes
				return
			}
		}
		l.flows = append(l.flows, flow{int32(v), to, bytes})
	}
	for _, m := range moves {
		bytes := int64(m.Elements()) * l.size
		switch {
		case bytes == 0 || m.Action == collectives.Receive || m.Peer == v:
		case m.Action == collectives.Send:
			put(int32(m.Peer), bytes)
		case int(v) < l.ranks:
			put(int32(v), bytes)
		}
	}
}

// neighbour notes the first node below a switch.
func (l *ledger) neighbour(w int, moves []collectives.Move, f *fabric) {
	for _, m := range moves {
		p := int(m.Peer)
		if p >= f.ranks && f.level[p-f.ranks] >= f.level[w] {
			continue
		}
		if l.below[w] == unplaced || p < int(l.below[w]) {
			l.below[w] = int32(p)
		}
	}
}

// place anchors each switch above the first rank below it, and checks that the switches of domains serve them alone.
func (l *ledger) place(f *fabric) error {
	for w := range f.anchor {
		v := int32(f.ranks + w)
		for int(v) >= f.ranks && l.below[int(v)-f.ranks] != unplaced {
			v = l.below[int(v)-f.ranks]
		}
		f.anchor[w] = 0
		if int(v) < f.ranks {
			f.anchor[w] = v
		}
	}
	if f.machine.CentralSwitches {
		return nil
	}
	for _, x := range l.flows {
		a, b := f.end(x.from), f.end(x.to)
		if a.level != 0 && b.level != 0 {
			continue
		}
		if a.level > 0 || b.level > 0 {
			return fmt.Errorf("machine %s: a domain's switch has no link to the network's switches", f.machine.Name)
		}
		if a.rank/f.domain != b.rank/f.domain {
			return fmt.Errorf("machine %s: domains of %d ranks, so the switch of rank %d does not reach rank %d", f.machine.Name, f.domain, min(a.rank, b.rank), max(a.rank, b.rank))
		}
	}
	return nil
}

// judgedSamples is how many nodes' phases of the same extent are looked at: programs are alike from node to node.
const judgedSamples = 8

// few is the first moves of a round: a switch's, one for each of very many ranks, are alike.
func few(moves []collectives.Move) []collectives.Move { return moves[:min(len(moves), 64)] }

// judge finds whether the rounds of a phase wait for each other: whether what a round sends overlaps what the node
// received in the round before as another part of the same series. In a pipeline both are the same chunk, the i-th
// of either phase; in a ring it is the part before.
func (l *ledger) judge(p collectives.Phase, phases []collectives.Phase) {
	k := extent{p.Start, p.Rounds}
	j := l.kinds[k]
	if j == nil {
		j = &judged{}
		l.kinds[k] = j
	}
	if j.chained || j.samples >= judgedSamples {
		return
	}
	i := max(1, p.Rounds/2)
	var sends []collectives.Move
	for _, m := range few(p.Moves(i)) {
		if m.Action == collectives.Send {
			sends = append(sends, m)
		}
	}
	if len(sends) > 0 {
		j.samples++
	}
	for _, q := range phases {
		before := p.Start + i - 1 - q.Start
		if len(sends) == 0 || q.Rounds < 2 || q.Varies || before < 0 || before >= q.Rounds || before == i {
			continue
		}
		for _, r := range few(q.Moves(before)) {
			if r.Action != collectives.Send && slices.ContainsFunc(sends, func(m collectives.Move) bool { return overlap(m, r) }) {
				j.chained = true
				return
			}
		}
	}
}

// overlap says whether two moves touch the same element of the same buffer.
func overlap(a, b collectives.Move) bool {
	if a.Buffer != b.Buffer || a.Elements() == 0 || b.Elements() == 0 {
		return false
	}
	a, b = joined(a), joined(b)
	if a.Runs() > b.Runs() {
		a, b = b, a
	}
	for i := range a.Runs() {
		if covers(b, a.Offset+i*a.Stride, a.Length) {
			return true
		}
	}
	return false
}

// joined makes one run of runs that follow each other.
func joined(m collectives.Move) collectives.Move {
	if m.Runs() > 1 && m.Stride == m.Length {
		m.Length, m.Blocks = m.Runs()*m.Length, 1
	}
	return m
}

// covers says whether a run of the move meets the run at offset.
func covers(m collectives.Move, offset, length int) bool {
	if m.Stride < 0 {
		m.Offset, m.Stride = m.Offset+(m.Runs()-1)*m.Stride, -m.Stride
	}
	// The only run that can begin at or before the end of the other and be nearest to it.
	k := m.Runs() - 1
	if m.Stride > 0 {
		k = min(k, (offset+length-1-m.Offset)/m.Stride)
	}
	if k < 0 || offset+length <= m.Offset {
		return false
	}
	return m.Offset+k*m.Stride+m.Length > offset
}
