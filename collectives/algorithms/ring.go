package algorithms

import "collbench/collectives"

// ring passes parts around one ring of all ranks.
var ring = collectives.Algorithm{
	Name: "ring",
	Summary: "neighbours around a ring; all_reduce 2(N−1) rounds, 2S(N−1)/N bytes; all_gather and reduce_scatter N−1 " +
		"rounds, S(N−1)/N bytes; broadcast in c chunks N−2+c rounds, S bytes (Patarasuk 2009; Thakur 2005)",
	Collectives: []collectives.Collective{collectives.AllReduce, collectives.AllGather, collectives.ReduceScatter, collectives.Broadcast},
	Pipelined:   []collectives.Collective{collectives.Broadcast},
	Program: func(s shape, me node) []phase {
		switch s.Collective {
		case collectives.AllGather:
			return ringGather(s.Ranks, me, whole(s))
		case collectives.ReduceScatter:
			return ringReduce(s.Ranks, me, whole(s))
		case collectives.Broadcast:
			return ringBroadcast(s, int(me))
		}
		return ringBoth(s.Ranks, me, whole(s))
	},
}

// ringReduce is the reduce-scatter half over n members: member r ends with part r.
func ringReduce(n int, me node, v span) []phase {
	if n == 1 {
		return nil
	}
	r := int(me)
	next, previous := node(mod(r+1, n)), node(mod(r-1, n))
	return []phase{{Rounds: n - 1, Moves: func(i int) []move {
		return []move{v.part(mod(r-1-i, n), n).to(send, next), v.part(mod(r-2-i, n), n).to(accumulate, previous)}
	}}}
}

// ringGather is the all-gather half over n members: member r starts with part r.
func ringGather(n int, me node, v span) []phase {
	if n == 1 {
		return nil
	}
	r := int(me)
	next, previous := node(mod(r+1, n)), node(mod(r-1, n))
	return []phase{{Rounds: n - 1, Moves: func(i int) []move {
		return []move{v.part(mod(r-i, n), n).to(send, next), v.part(mod(r-1-i, n), n).to(receive, previous)}
	}}}
}

// ringBoth is the all-reduce: 2(n−1) rounds.
func ringBoth(n int, me node, v span) []phase {
	return append(ringReduce(n, me, v), collectives.Shift(ringGather(n, me, v), n-1)...)
}

// ringBroadcast passes chunks from the root on to the last rank before it.
func ringBroadcast(s shape, me int) (program []phase) {
	n, place := s.Ranks, mod(me-s.Root, s.Ranks)
	if place < n-1 {
		program = append(program, streamed(s).edge(place, send, node(mod(me+1, n))))
	}
	if place > 0 {
		program = append(program, streamed(s).edge(place-1, receive, node(mod(me-1, n))))
	}
	return program
}
