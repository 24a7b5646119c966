package algorithms

import "collbench/collectives"

// pat is NCCL's parallel aggregated trees in the form with as many trees as ranks and no limit on the buffer.
var pat = collectives.Algorithm{
	Name: "pat",
	Summary: "a binomial tree from each rank, all at once, far partners first; ⌈log2 N⌉ rounds and a copy before and after, " +
		"S(N−1)/N bytes, any N (Jeaugey 2025)",
	Collectives: []collectives.Collective{collectives.AllGather, collectives.ReduceScatter},
	Scratch:     shape.Size,
	Program: func(s shape, me node) []phase {
		if s.Collective == collectives.ReduceScatter {
			return collectives.Reverse(patGather(s, me), me, log2ceil(s.Ranks)+2)
		}
		return patGather(s, me)
	},
}

// patGather keeps the block of rank me+j in place j of the scratch buffer. With d falling from the highest power of
// two below N, every rank hands the blocks 0, 2d, 4d, … that it has to rank me−d, for which they are d, 3d, 5d, …
func patGather(s shape, me node) []phase {
	n, c, r := s.Ranks, s.Count, int(me)
	program := []phase{collectives.Once(0, span{r * c, c}.to(send, me), span{0, c}.scratch(receive, me))}
	for d := 1 << log2ceil(n) / 2; d >= 1; d /= 2 {
		out, in := span{0, c}.scratch(send, node(mod(r-d, n))), span{d * c, c}.scratch(receive, node(mod(r+d, n)))
		out.Blocks, out.Stride = (n-1-d)/(2*d)+1, 2*d*c
		in.Blocks, in.Stride = out.Blocks, out.Stride
		program = append(program, collectives.Once(len(program), out, in))
	}
	return append(program, collectives.Once(len(program), rotateBack(s, me)...))
}
