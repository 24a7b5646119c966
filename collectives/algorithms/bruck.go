package algorithms

import "collbench/collectives"

// bruck keeps blocks in the order of their distance from the rank, so that any number of ranks takes log2 N rounds.
var bruck = collectives.Algorithm{
	Name: "bruck",
	Summary: "partners at distances 1, 2, 4, …, blocks rotated in a scratch buffer; ⌈log2 N⌉ rounds and a copy before and " +
		"after; all_gather S(N−1)/N bytes; alltoall about (S/2)·log2 N bytes (Bruck 1997)",
	Collectives: []collectives.Collective{collectives.AllGather, collectives.AllToAll},
	Scratch:     shape.Size,
	Program: func(s shape, me node) []phase {
		if s.Collective == collectives.AllGather {
			return bruckGather(s, me)
		}
		return bruckAllToAll(s, me)
	},
}

// bruckGather fills the scratch buffer with the blocks of ranks me, me+1, …: in round t twice as many are there.
func bruckGather(s shape, me node) []phase {
	n, c, r := s.Ranks, s.Count, int(me)
	program := []phase{collectives.Once(0, span{r * c, c}.to(send, me), span{0, c}.scratch(receive, me))}
	for d := 1; d < n; d *= 2 {
		more := min(d, n-d) * c
		program = append(program, collectives.Once(len(program),
			span{0, more}.scratch(send, node(mod(r-d, n))), span{d * c, more}.scratch(receive, node(mod(r+d, n)))))
	}
	return append(program, collectives.Once(len(program), rotateBack(s, me)...))
}

// rotateBack copies the blocks of ranks me, me+1, … from the scratch buffer to their places.
func rotateBack(s shape, me node) []move {
	first := int(me) * s.Count // elements of the blocks before me
	rest := s.Size() - first
	return []move{
		span{0, rest}.scratch(send, me), span{first, rest}.to(receive, me),
		span{rest, first}.scratch(send, me), span{0, first}.to(receive, me),
	}
}

// bruckAllToAll rotates the blocks so that block j is for rank me+j, hands every block whose j has bit d to rank
// me+d, and ends with the block of rank me−j in place j.
func bruckAllToAll(s shape, me node) []phase {
	n, c, r := s.Ranks, s.Count, int(me)
	first, rest := r*c, (n-r)*c
	program := []phase{collectives.Once(0,
		span{first, rest}.to(send, me), span{0, rest}.scratch(receive, me),
		span{0, first}.to(send, me), span{rest, first}.scratch(receive, me))}
	for d := 1; d < n; d *= 2 {
		to, from := node(mod(r+d, n)), node(mod(r-d, n))
		program = append(program, collectives.Once(len(program),
			append(withBit(s, d, send, to), withBit(s, d, receive, from)...)...))
	}
	ahead := n - r - 1 // ranks after me, whose blocks come last and in falling order
	return append(program, collectives.Once(len(program),
		span{0, (r + 1) * c}.scratch(send, me),
		move{Action: receive, Peer: me, Offset: r * c, Length: c, Blocks: r + 1, Stride: -c},
		span{(r + 1) * c, ahead * c}.scratch(send, me),
		move{Action: receive, Peer: me, Offset: (n - 1) * c, Length: min(ahead, 1) * c, Blocks: ahead, Stride: -c}))
}

// withBit moves the blocks of the scratch buffer whose number has bit d: runs of d blocks, the last of which may be
// shorter and is a move of its own.
func withBit(s shape, d int, a collectives.Action, peer node) (moves []move) {
	n, c := s.Ranks, s.Count
	full, short := n/(2*d), max(0, n%(2*d)-d)
	if full > 0 {
		m := span{d * c, d * c}.scratch(a, peer)
		m.Blocks, m.Stride = full, 2*d*c
		moves = append(moves, m)
	}
	return append(moves, span{(full*2*d + d) * c, short * c}.scratch(a, peer))
}
