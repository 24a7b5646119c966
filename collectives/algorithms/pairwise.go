package algorithms

import "collbench/collectives"

// pairwise exchanges blocks with one partner a round.
var pairwise = collectives.Algorithm{
	Name: "pairwise",
	Summary: "in round i rank r exchanges blocks with rank (i−r) mod N, so that the blocks may change places in one buffer; " +
		"N rounds, in one or two of which a rank rests, S(N−1)/N bytes (after Thakur 2005)",
	Collectives: []collectives.Collective{collectives.AllToAll},
	Program: func(s shape, me node) []phase {
		n := s.Ranks
		return []phase{{Rounds: n, Varies: true, Moves: func(i int) []move {
			partner := node(mod(i-int(me), n))
			if partner == me {
				return nil
			}
			block := whole(s).part(int(partner), n)
			return []move{block.to(send, partner), block.to(receive, partner)}
		}}}
	},
}
