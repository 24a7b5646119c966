package algorithms

import "collbench/collectives"

// multicast lets a switch do the copying.
var multicast = collectives.Algorithm{
	Name: "multicast",
	Summary: "the root sends to one switch, which sends to all others, in c chunks; 1+c rounds, S bytes sent by the root and " +
		"received by each other rank (NVSwitch 3, Hot Chips 34)",
	Collectives: []collectives.Collective{collectives.Broadcast},
	Pipelined:   []collectives.Collective{collectives.Broadcast},
	Switches:    func(shape) int { return 1 },
	Place:       nvSwitch,
	Program: func(s shape, me node) []phase {
		hub, root := node(s.Ranks), node(s.Root)
		switch {
		case s.Ranks == 1:
			return nil
		case me == root:
			return []phase{streamed(s).edge(0, send, hub)}
		case me < hub:
			return []phase{streamed(s).edge(1, receive, hub)}
		}
		return []phase{streamed(s).edge(0, receive, root), {Start: 1, Rounds: s.Chunks, Moves: func(i int) (moves []move) {
			for r := range hub {
				if r != root {
					moves = append(moves, streamed(s).at(i).to(send, r))
				}
			}
			return moves
		}}}
	},
}
