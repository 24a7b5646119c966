package algorithms

import (
	"errors"

	"collbench/collectives"
)

// recursiveDoubling exchanges with partners at distance 1, 2, 4, …
var recursiveDoubling = collectives.Algorithm{
	Name: "recursive-doubling",
	Summary: "partners at distances 1, 2, 4, …; all_reduce log2 N rounds of S bytes each, above a power of two 2 rounds and S " +
		"bytes more; all_gather log2 N rounds, S(N−1)/N bytes, powers of two only (Thakur 2005)",
	Collectives: []collectives.Collective{collectives.AllReduce, collectives.AllGather},
	Refuses: func(s shape) error {
		if s.Collective == collectives.AllGather {
			return powerOfTwo(s)
		}
		return nil
	},
	Program: func(s shape, me node) []phase {
		if s.Collective == collectives.AllGather {
			return doublingGather(s.Ranks, me, whole(s))
		}
		return fold(s.Ranks, me, whole(s), func(p int, me node) []phase { return doubling(p, me, whole(s)) })
	},
}

// powerOfTwo refuses any other number of ranks.
func powerOfTwo(s shape) error {
	if pow2floor(s.Ranks) != s.Ranks {
		return errors.New("the number of ranks is not a power of two")
	}
	return nil
}

// doubling is the all-reduce over p members, a power of two: whole vectors, log2 p rounds.
func doubling(p int, me node, v span) (program []phase) {
	for d := 1; d < p; d *= 2 {
		partner := me ^ node(d)
		program = append(program, collectives.Once(len(program), v.to(send, partner), v.to(accumulate, partner)))
	}
	return program
}

// doublingGather is the all-gather over p members, a power of two: member r starts with part r.
func doublingGather(p int, me node, v span) (program []phase) {
	r := int(me)
	for d := 1; d < p; d *= 2 {
		mine, theirs := r&^(d-1), (r^d)&^(d-1)
		program = append(program, collectives.Once(len(program),
			v.parts(mine, mine+d, p).to(send, node(r^d)), v.parts(theirs, theirs+d, p).to(receive, node(r^d))))
	}
	return program
}

// fold carries out an all-reduce that needs a power of two on any number of ranks: the odd ones among the first
// 2(n−p) hand their vector to the neighbour below and get the result back. The core is in rounds without gaps,
// each a phase of its own.
func fold(n int, me node, v span, core func(p int, me node) []phase) []phase {
	p := pow2floor(n)
	rest := node(n - p)
	if rest == 0 {
		return core(p, me)
	}
	last := 1 + len(core(p, 0))
	if me < 2*rest && me%2 == 1 {
		return []phase{collectives.Once(0, v.to(send, me-1)), collectives.Once(last, v.to(receive, me-1))}
	}
	name := func(member node) node {
		if member < rest {
			return 2 * member
		}
		return member + rest
	}
	member := me - rest
	if me < 2*rest {
		member = me / 2
	}
	program := collectives.Shift(collectives.Within(core(p, member), name, 0), 1)
	if me < 2*rest {
		program = append(program, collectives.Once(0, v.to(accumulate, me+1)), collectives.Once(last, v.to(send, me+1)))
	}
	return program
}
