package algorithms

import "collbench/collectives"

// halvingDoubling is Rabenseifner's all-reduce: a reduce-scatter by halving, then an all-gather by doubling.
var halvingDoubling = collectives.Algorithm{
	Name: "halving-doubling",
	Summary: "reduce-scatter by recursive halving, all-gather by recursive doubling; 2·log2 N rounds, 2S(N−1)/N bytes; " +
		"above a power of two 2 rounds and about S bytes each way more (Rabenseifner 2004)",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Program: func(s shape, me node) []phase {
		return fold(s.Ranks, me, whole(s), func(p int, me node) []phase {
			reduce := halving(p, me, whole(s))
			return append(reduce, collectives.Shift(doublingGather(p, me, whole(s)), len(reduce))...)
		})
	},
}
