package algorithms

import "collbench/collectives"

// direct sends each part straight to where it belongs.
var direct = collectives.Algorithm{
	Name: "direct",
	Summary: "one hop between every two ranks that have something for each other, N² flows; all_reduce 2 rounds, 2S(N−1)/N " +
		"bytes; all_gather, reduce_scatter, gather and scatter 1 round, S(N−1)/N bytes (gather: the root receives, " +
		"scatter: the root sends); sendrecv 1 round, S bytes",
	Collectives: []collectives.Collective{collectives.AllReduce, collectives.AllGather, collectives.ReduceScatter,
		collectives.Gather, collectives.Scatter, collectives.SendRecv},
	Program: func(s shape, me node) []phase {
		n := s.Ranks
		if n == 1 {
			return nil
		}
		switch s.Collective {
		case collectives.AllGather:
			return []phase{directGather(n, int(me), whole(s), 0)}
		case collectives.ReduceScatter:
			return []phase{directReduce(n, int(me), whole(s), 0)}
		case collectives.Gather:
			return []phase{rooted(s, int(me), send, receive)}
		case collectives.Scatter:
			return []phase{rooted(s, int(me), receive, send)}
		case collectives.SendRecv:
			next, previous := node(mod(int(me)+1, n)), node(mod(int(me)-1, n))
			return []phase{collectives.Once(0, whole(s).to(send, next), whole(s).to(receive, previous))}
		}
		return []phase{directReduce(n, int(me), whole(s), 0), directGather(n, int(me), whole(s), 1)}
	},
}

// directReduce sends part p to rank p and accumulates part r, in one round.
func directReduce(n, r int, v span, round int) phase {
	return phase{Start: round, Rounds: 1, Moves: func(int) []move {
		moves := make([]move, 0, 2*(n-1))
		for d := 1; d < n; d++ {
			to, from := mod(r+d, n), mod(r-d, n)
			moves = append(moves, v.part(to, n).to(send, node(to)), v.part(r, n).to(accumulate, node(from)))
		}
		return moves
	}}
}

// directGather sends part r to all, in one round.
func directGather(n, r int, v span, round int) phase {
	return phase{Start: round, Rounds: 1, Moves: func(int) []move {
		moves := make([]move, 0, 2*(n-1))
		for d := 1; d < n; d++ {
			to, from := mod(r+d, n), mod(r-d, n)
			moves = append(moves, v.part(r, n).to(send, node(to)), v.part(from, n).to(receive, node(from)))
		}
		return moves
	}}
}

// rooted is one round in which each rank but the root makes one move with the root, which makes the opposite one.
func rooted(s shape, me int, leaf, root collectives.Action) phase {
	if me != s.Root {
		return collectives.Once(0, whole(s).part(me, s.Ranks).to(leaf, node(s.Root)))
	}
	return phase{Rounds: 1, Moves: func(int) (moves []move) {
		for r := range s.Ranks {
			if r != s.Root {
				moves = append(moves, whole(s).part(r, s.Ranks).to(root, node(r)))
			}
		}
		return moves
	}}
}
