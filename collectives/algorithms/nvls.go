package algorithms

import "collbench/collectives"

// nvls is NVLink SHARP: one switch reduces what all members send and multicasts the results.
var nvls = collectives.Algorithm{
	Name: "nvls",
	Summary: "one switch reduces and multicasts slices of S/N; all_reduce 3+c rounds, S(N+1)/N bytes; reduce_scatter 1+c " +
		"rounds, sends S and receives S/N; all_gather the reverse (NVSwitch 3, Hot Chips 34)",
	Collectives: []collectives.Collective{collectives.AllReduce, collectives.AllGather, collectives.ReduceScatter},
	Pipelined:   []collectives.Collective{collectives.AllReduce, collectives.AllGather, collectives.ReduceScatter},
	Switches:    func(shape) int { return 1 },
	Place:       nvSwitch,
	Program: func(s shape, me node) []phase {
		switch s.Collective {
		case collectives.AllGather:
			return nvlsGather(s.Ranks, me, blockSlices(s))
		case collectives.ReduceScatter:
			return nvlsReduce(s.Ranks, me, blockSlices(s))
		}
		v := vectorSlices(streamed(s), s.Ranks)
		return append(nvlsReduce(s.Ranks, me, v), collectives.Shift(nvlsGather(s.Ranks, me, v), 2)...)
	},
}

// nvSwitch places a domain's switch: level 0, by the domain's number.
func nvSwitch(s shape, v node) (level, index int) { return 0, int(v) - s.Ranks }

// slicing is a vector in chunks of which each member owns one slice.
type slicing struct {
	chunks int
	own    func(chunk, member int) span
	all    func(chunk int, a collectives.Action, peer node) []move // slice by slice
}

// vectorSlices cuts each chunk of a vector into a slice a member.
func vectorSlices(v stream, members int) slicing {
	return slicing{
		chunks: v.chunks,
		own:    func(i, r int) span { return v.at(i).part(r, members) },
		all:    func(i int, a collectives.Action, peer node) []move { return v.at(i).slices(a, peer, members) },
	}
}

// blockSlices takes chunk i from each rank's block.
func blockSlices(s shape) slicing {
	own := func(i, r int) span { return span{r * s.Count, s.Count}.part(i, s.Chunks) }
	return slicing{
		chunks: s.Chunks,
		own:    own,
		all: func(i int, a collectives.Action, peer node) []move {
			m := own(i, 0).to(a, peer)
			m.Blocks, m.Stride = s.Ranks, s.Count
			return []move{m}
		},
	}
}

// nvlsReduce is the reduce-scatter half over members 0 … g−1 and switch g: in two rounds a chunk each member ends
// with its own slices. What arrives first at the switch is what the rest is accumulated into.
func nvlsReduce(g int, me node, v slicing) []phase {
	hub := node(g)
	if me != hub {
		return []phase{
			{Rounds: v.chunks, Moves: func(i int) []move { return v.all(i, send, hub) }},
			{Start: 1, Rounds: v.chunks, Moves: func(i int) []move { return []move{v.own(i, int(me)).to(receive, hub)} }},
		}
	}
	return []phase{
		{Rounds: v.chunks, Moves: func(i int) (moves []move) {
			action := receive
			for r := range g {
				moves = append(moves, v.all(i, action, node(r))...)
				action = accumulate
			}
			return moves
		}},
		{Start: 1, Rounds: v.chunks, Moves: func(i int) (moves []move) {
			for r := range g {
				moves = append(moves, v.own(i, r).to(send, node(r)))
			}
			return moves
		}},
	}
}

// nvlsGather is the all-gather half: each member sends its own slices once, the switch sends all slices to all.
func nvlsGather(g int, me node, v slicing) []phase {
	hub := node(g)
	if me != hub {
		return []phase{
			{Rounds: v.chunks, Moves: func(i int) []move { return []move{v.own(i, int(me)).to(send, hub)} }},
			{Start: 1, Rounds: v.chunks, Moves: func(i int) []move { return v.all(i, receive, hub) }},
		}
	}
	return []phase{
		{Rounds: v.chunks, Moves: func(i int) (moves []move) {
			for r := range g {
				moves = append(moves, v.own(i, r).to(receive, node(r)))
			}
			return moves
		}},
		{Start: 1, Rounds: v.chunks, Moves: func(i int) (moves []move) {
			for r := range g {
				moves = append(moves, v.all(i, send, node(r))...)
			}
			return moves
		}},
	}
}
