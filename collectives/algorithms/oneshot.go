package algorithms

import "collbench/collectives"

// oneshot is the all-reduce for messages so small that only the number of rounds counts.
var oneshot = collectives.Algorithm{
	Name: "oneshot",
	Summary: "every rank sends its whole vector to every other, which adds all of them up; 1 round, S(N−1) bytes; for small " +
		"messages (floating-point sums may differ between ranks in the last bit, as each adds in an order of its own)",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Program: func(s shape, me node) []phase {
		if s.Ranks == 1 {
			return nil
		}
		return []phase{{Rounds: 1, Moves: func(int) []move {
			moves := make([]move, 0, 2*(s.Ranks-1))
			for d := 1; d < s.Ranks; d++ {
				to, from := mod(int(me)+d, s.Ranks), mod(int(me)-d, s.Ranks)
				moves = append(moves, whole(s).to(send, node(to)), whole(s).to(accumulate, node(from)))
			}
			return moves
		}}}
	},
}
