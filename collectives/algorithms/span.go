package algorithms

import "collbench/collectives"

// Short names for what every program is made of.
type (
	shape = collectives.Shape
	node  = collectives.Node
	move  = collectives.Move
	phase = collectives.Phase
)

const (
	send       = collectives.Send
	receive    = collectives.Receive
	accumulate = collectives.Accumulate
)

// span is a run of elements of a buffer.
type span struct{ offset, length int }

// whole is the whole buffer of a rank.
func whole(s shape) span { return span{0, s.Size()} }

// parts covers parts lo … hi−1 of n equal parts, rounded up: the last ones may be shorter or empty.
func (v span) parts(lo, hi, n int) span {
	q := ceil(v.length, n)
	a, b := min(lo*q, v.length), min(hi*q, v.length)
	return span{v.offset + a, b - a}
}

// part is part i of n.
func (v span) part(i, n int) span { return v.parts(i, i+1, n) }

// slices is a move of the whole span as n slices, which a switch handles one by one; where n does not divide the
// length, the last slice is shorter and a move of its own.
func (v span) slices(a collectives.Action, peer node, n int) []move {
	q := max(1, ceil(v.length, n))
	full := v.length / q
	moves := []move{{Action: a, Peer: peer, Offset: v.offset, Length: q, Blocks: full, Stride: q}}
	if full == 0 {
		moves[0].Length = 0
	}
	if rest := v.length - full*q; rest > 0 {
		moves = append(moves, move{Action: a, Peer: peer, Offset: v.offset + full*q, Length: rest})
	}
	return moves
}

// to is a move of the span.
func (v span) to(a collectives.Action, peer node) move {
	return move{Action: a, Peer: peer, Offset: v.offset, Length: v.length}
}

// scratch is a move of the span of the scratch buffer.
func (v span) scratch(a collectives.Action, peer node) move {
	return move{Action: a, Buffer: collectives.Scratch, Peer: peer, Offset: v.offset, Length: v.length}
}

// stream is a vector cut into chunks that follow one another through a pipeline.
type stream struct {
	chunks int
	at     func(i int) span // chunk i
}

// streamed is the whole buffer in the shape's chunks.
func streamed(s shape) stream {
	return stream{s.Chunks, func(i int) span { return whole(s).part(i, s.Chunks) }}
}

// slice is part r of n of each chunk.
func (v stream) slice(r, n int) stream {
	return stream{v.chunks, func(i int) span { return v.at(i).part(r, n) }}
}

// edge is a phase in which the chunks follow one another over one link.
func (v stream) edge(start int, a collectives.Action, peer node) phase {
	return phase{Start: start, Rounds: v.chunks, Moves: func(i int) []move { return []move{v.at(i).to(a, peer)} }}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// mod is a modulo n, never negative.
func mod(a, n int) int { return ((a % n) + n) % n }

// log2ceil is the number of doublings from 1 to n or above.
func log2ceil(n int) (l int) {
	for 1<<l < n {
		l++
	}
	return l
}

// pow2floor is the largest power of two up to n, which is 1 or more.
func pow2floor(n int) int {
	p := 1
	for p*2 <= n {
		p *= 2
	}
	return p
}
