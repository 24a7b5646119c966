package algorithms

import "collbench/collectives"

// recursiveHalving exchanges halves with partners at distance N/2, N/4, … 1.
var recursiveHalving = collectives.Algorithm{
	Name: "recursive-halving",
	Summary: "partners at distances N/2, N/4, … 1 exchange the half that the other keeps; log2 N rounds, S(N−1)/N bytes, " +
		"powers of two only (Thakur 2005)",
	Collectives: []collectives.Collective{collectives.ReduceScatter},
	Refuses:     powerOfTwo,
	Program:     func(s shape, me node) []phase { return halving(s.Ranks, me, whole(s)) },
}

// halving is the reduce-scatter over p members, a power of two: member r ends with part r.
func halving(p int, me node, v span) (program []phase) {
	low, r := 0, int(me) // what r still holds begins with part low
	for d := p / 2; d >= 1; d /= 2 {
		keep, give := low, low+d
		if r&d != 0 {
			keep, give = give, keep
		}
		program = append(program, collectives.Once(len(program),
			v.parts(give, give+d, p).to(send, node(r^d)), v.parts(keep, keep+d, p).to(accumulate, node(r^d))))
		low = keep
	}
	return program
}
