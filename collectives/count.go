package collectives

import (
	"iter"
	"slices"
)

// Count is what crosses node v's interface when it carries out its program once: exactly, round by round.
func Count(a Algorithm, s Shape, v Node) Traffic {
	return CountAcross(a, s, v, nil)
}

// CountAcross counts only the messages whose two ends have different homes: with the home of a node being its host,
// what crosses the host's link. A nil home means that every node is at home by itself. Rounds and Accumulated are
// those of the whole program.
func CountAcross(a Algorithm, s Shape, v Node, home func(Node) int) (t Traffic) {
	for _, p := range a.Program(s, v) {
		for i := range p.Rounds {
			for _, m := range p.Moves(i) {
				t.add(v, m, p.Start+i, 1, home)
			}
		}
	}
	return t
}

// countAlike is CountAcross where the rounds of a phase that does not vary are equal in length too, as Check proves
// for Canonical: one round stands for all.
func countAlike(a Algorithm, s Shape, v Node, home func(Node) int) (t Traffic) {
	for _, p := range a.Program(s, v) {
		rounds, times := 1, p.Rounds
		if p.Varies {
			rounds, times = p.Rounds, 1
		}
		for i := range rounds {
			for _, m := range p.Moves(i) {
				t.add(v, m, p.Start+i, times, home)
			}
		}
	}
	return t
}

// add counts a move of node v that it makes so many times, first in that round.
func (t *Traffic) add(v Node, m Move, round, times int, home func(Node) int) {
	n := m.Elements() * times
	if n == 0 {
		return
	}
	t.Rounds = max(t.Rounds, round+times)
	if m.Action == Accumulate {
		t.Accumulated += n
	}
	switch {
	case m.Peer == v || home != nil && home(v) == home(m.Peer):
	case m.Action == Send:
		t.Sends += times
		t.Sent += n
	default:
		t.Receives += times
		t.Received += n
	}
}

// Hosts is the home of each node where ranks fill one host after the other and every switch is at home by itself.
func Hosts(s Shape, ranksPerHost int) (home func(Node) int) {
	return func(v Node) int {
		if int(v) < s.Ranks {
			return int(v) / ranksPerHost
		}
		return int(v) // behind every host, of which there are at most as many as ranks
	}
}

// Operations is what the busiest rank's interface does: each field is the largest over the ranks by itself.
type Operations struct {
	// Sends and Receives count slices of S/N bytes in one chunk, S being the whole buffer and N the number of ranks:
	// 2(N−1) each for a ring all-reduce, N+1 each for NVLink SHARP. They belong to the program and not to the size:
	// they are counted where nothing is rounded (Canonical), and are fractions where an algorithm's parts are not S/N.
	Sends, Receives float64
	Sent, Received  int  // elements, of the shape itself
	Messages        int  // sent and received, of the shape itself
	Exact           bool // all ranks were counted, not a sample of them
}

// Total is Sends + Receives.
func (o Operations) Total() float64 { return o.Sends + o.Receives }

// Busiest counts the traffic of the ranks and returns the largest figures, for a shape that the algorithm supports.
// Up to about a million moves all ranks are counted. Where their programs are longer together, the figures are those
// of a sample of them, each counted exactly: the root, the ranks 0, N−1, N−2, 1 and N/2 and their neighbours, then the
// powers of two and their neighbours, then ranks at even distances, until the moves are spent; at least eight ranks.
// The tests of package algorithms find that a sample has the busiest rank of every program there; another program's
// could be missed.
func Busiest(a Algorithm, s Shape) Operations { return BusiestAcross(a, s, nil) }

// BusiestAcross is Busiest of what crosses from one home to another, as for CountAcross.
func BusiestAcross(a Algorithm, s Shape, home func(Node) int) (o Operations) {
	unit := s // in which the slices are counted
	unit.Chunks = 1
	unit = Canonical(unit)
	count := CountAcross
	if s.Count%Canonical(s).Count == 0 {
		count = countAlike
	}
	var sent, received int
	ranks, all := sample(a, s)
	for r := range ranks {
		t := count(a, s, Node(r), home)
		o.Sent, o.Received = max(o.Sent, t.Sent), max(o.Received, t.Received)
		o.Messages = max(o.Messages, t.Sends+t.Receives)
		t = countAlike(a, unit, Node(r), home)
		sent, received = max(sent, t.Sent), max(received, t.Received)
	}
	o.Sends, o.Receives = inSlices(sent, unit), inSlices(received, unit)
	o.Exact = all
	return o
}

// inSlices is a number of elements in slices of S/N, a whole number of elements in a Canonical shape.
func inSlices(elements int, s Shape) float64 {
	return float64(elements) / float64(s.Size()/s.Ranks)
}

// countedMoves bounds the moves that Busiest looks at, and so its time to a few tenths of a second; sampledRanks is
// the least number of ranks that it counts.
const (
	countedMoves = 1 << 20
	sampledRanks = 8
)

// work is about the number of moves that counting one rank takes, of which building its programs is worth 32. The
// root's program stands for all.
func work(a Algorithm, s Shape) (moves int) {
	even := s.Count%Canonical(s).Count == 0
	for _, p := range a.Program(s, Node(s.Root)) {
		switch first := len(p.Moves(0)); {
		case p.Varies:
			moves += p.Rounds * max(2, first)
		case even:
			moves += first
		default:
			moves += p.Rounds * first
		}
	}
	return 32 + moves
}

// sample chooses the ranks to count, and says whether these are all of them.
func sample(a Algorithm, s Shape) (ranks iter.Seq[int], all bool) {
	if moves := work(a, s); s.Ranks*moves > countedMoves {
		chosen := spread(s, max(sampledRanks, countedMoves/moves))
		return slices.Values(chosen), false
	}
	return func(yield func(int) bool) {
		for r := range s.Ranks {
			if !yield(r) {
				return
			}
		}
	}, true
}

// spread chooses so many ranks.
func spread(s Shape, want int) (ranks []int) {
	n := s.Ranks
	seen := map[int]bool{}
	take := func(candidates ...int) {
		for _, r := range candidates {
			if r >= 0 && r < n && len(ranks) < want && !seen[r] {
				seen[r] = true
				ranks = append(ranks, r)
			}
		}
	}
	take(s.Root, 0, n-1, n-2, 1, n/2, s.Root+1, s.Root-1, n-3, n/2-1, n/2+1)
	for d := 2; d < n; d *= 2 {
		take(d, d-1, d+1)
	}
	for r := 0; r < n; r += max(1, n/want) {
		take(r)
	}
	return ranks
}
