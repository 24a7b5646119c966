package algorithms

import "collbench/collectives"

// scatterAllgather is van de Geijn's broadcast for long vectors.
var scatterAllgather = collectives.Algorithm{
	Name: "scatter-allgather",
	Summary: "a binomial tree scatters parts, a ring gathers them; ⌈log2 N⌉+N−1 rounds, at most 2S(N−1)/N bytes, which the " +
		"root sends (Thakur 2005)",
	Collectives: []collectives.Collective{collectives.Broadcast},
	Program: func(s shape, me node) []phase {
		n := s.Ranks
		scatter := binomialTree(s, me, func(low, high int) span { return whole(s).parts(low, high, n) })
		gather := ringGather(n, node(mod(int(me)-s.Root, n)), whole(s))
		gather = collectives.Within(gather, func(place node) node { return node(mod(int(place)+s.Root, n)) }, 0)
		return append(scatter, collectives.Shift(gather, log2ceil(n))...)
	},
}
