package collectives

import (
	"errors"
	"fmt"
	"math"
)

// Placement checks where the algorithm's switches sit and returns the highest level in use: −1 without switches,
// 0 where there are only NVSwitches, d where aggregation reaches tier d of the network. Who prices or builds a
// network compares it with the tiers there are: a tree that is deeper does not fit.
func Placement(a Algorithm, s Shape) (top int, err error) {
	top = -1
	switches := a.Nodes(s) - s.Ranks
	if switches < 0 {
		return top, fmt.Errorf("%d switches", switches)
	}
	if switches > 0 && a.Place == nil {
		return top, errors.New("the switches have no place")
	}
	taken := make(map[[2]int]int, switches)
	for w := range switches {
		level, index := a.Place(s, Node(s.Ranks+w))
		if level < 0 || index < 0 {
			return top, fmt.Errorf("switch %d sits at level %d, place %d", w, level, index)
		}
		place := [2]int{level, index}
		if other, ok := taken[place]; ok {
			return top, fmt.Errorf("switches %d and %d both sit at level %d, place %d", other, w, level, index)
		}
		taken[place] = w
		top = max(top, level)
	}
	return top, nil
}

// Canonical is the shape with a count that the number of chunks divides, and of which every chunk is divided by twice
// every power of two up to the number of ranks, by the number of ranks itself and so by domains that are full: no part
// of a vector is rounded.
func Canonical(s Shape) Shape {
	n, p := s.Ranks, 2 // a tree halves its chunks
	for p*2 <= 2*n {
		p *= 2
	}
	s.Count = lcm(p, n) * s.Chunks
	if s.Collective.Blocked() {
		s.Count = 2 * s.Chunks
	}
	return s
}

func lcm(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// uniform proves the promise that lets a reader take one round of a phase for all: the same peers and actions in
// each round, and where nothing is rounded the same lengths.
func uniform(a Algorithm, s Shape) error {
	even := Canonical(s)
	for v := range Node(a.Nodes(s)) {
		for i, p := range a.Program(s, v) {
			if err := alike(p, false); err != nil {
				return fmt.Errorf("%s, phase %d: %w", s.NodeName(v), i, err)
			}
		}
		for i, p := range a.Program(even, v) {
			if err := alike(p, true); err != nil {
				return fmt.Errorf("%s, phase %d of %d elements: %w", s.NodeName(v), i, even.Count, err)
			}
		}
	}
	return nil
}

// alike compares the rounds of a phase with its first. Lengths below zero
// or beyond all numbers are refused here, as Steps leaves such moves out.
func alike(p Phase, lengths bool) error {
	if p.Start < 0 || p.Rounds < 1 {
		return fmt.Errorf("%d rounds from round %d", p.Rounds, p.Start)
	}
	first := signature(nil, p.Moves(0), lengths)
	var other []flow
	for i := range p.Rounds {
		moves := p.Moves(i)
		for _, m := range moves {
			if m.Length < 0 || m.Blocks < 0 || m.Length > 0 && m.Blocks > math.MaxInt/m.Length {
				return fmt.Errorf("round %d: %d runs of %d elements", p.Start+i, m.Blocks, m.Length)
			}
		}
		if p.Varies {
			continue
		}
		other = signature(other[:0], moves, lengths)
		if len(other) != len(first) {
			return fmt.Errorf("round %d has %d messages and its first %d", p.Start+i, len(other), len(first))
		}
		for j := range other {
			if other[j] != first[j] {
				return fmt.Errorf("message %d of round %d is (%s), and that of its first round (%s)", j, p.Start+i, other[j], first[j])
			}
		}
	}
	return nil
}

// flow is what moves with one peer after another have in common; a shorter last slice counts with those before it.
type flow struct {
	action   Action
	peer     Node
	elements int // 0 where lengths are not compared
}

func (f flow) String() string {
	return fmt.Sprintf("%s, node %d, %d elements", f.action, f.peer, f.elements)
}

func signature(flows []flow, moves []Move, lengths bool) []flow {
	for _, m := range moves {
		last := len(flows) - 1
		if last < 0 || flows[last].action != m.Action || flows[last].peer != m.Peer {
			flows = append(flows, flow{action: m.Action, peer: m.Peer})
			last++
		}
		if lengths {
			flows[last].elements += m.Elements()
		}
	}
	return flows
}
