package algorithms

import "collbench/collectives"

// binomial is a tree in which who has the vector doubles in every round.
var binomial = collectives.Algorithm{
	Name: "binomial",
	Summary: "a binomial tree, far partners first; ⌈log2 N⌉ rounds, S·⌈log2 N⌉ bytes sent by the root (broadcast) or received " +
		"by it (reduce) (Thakur 2005)",
	Collectives: []collectives.Collective{collectives.Broadcast, collectives.Reduce},
	Program: func(s shape, me node) []phase {
		program := binomialTree(s, me, func(_, _ int) span { return whole(s) })
		if s.Collective == collectives.Reduce {
			return collectives.Reverse(program, me, log2ceil(s.Ranks))
		}
		return program
	},
}

// binomialTree goes from the root to all in ⌈log2 N⌉ rounds. Places count from the root; what goes to a place is what
// covers it and the places that it hands on to, low … high−1.
func binomialTree(s shape, me node, what func(low, high int) span) (program []phase) {
	n, place := s.Ranks, mod(int(me)-s.Root, s.Ranks)
	name := func(place int) node { return node(mod(place+s.Root, n)) }
	round := 0
	for d := 1 << log2ceil(n) / 2; d >= 1; d /= 2 {
		switch {
		case place%(2*d) == 0 && place+d < n:
			program = append(program, collectives.Once(round, what(place+d, min(place+2*d, n)).to(send, name(place+d))))
		case place%(2*d) == d:
			program = append(program, collectives.Once(round, what(place, min(place+d, n)).to(receive, name(place-d))))
		}
		round++
	}
	return program
}
