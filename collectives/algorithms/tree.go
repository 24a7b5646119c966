package algorithms

import (
	"math/bits"

	"collbench/collectives"
)

// tree is the double binary tree: each half of the vector goes up and down a tree of its own, and what is an inner
// node in one is a leaf in the other.
var tree = collectives.Algorithm{
	Name: "tree",
	Summary: "two binary trees, half of the vector each, in c chunks up and down; 2⌈log2 N⌉−1+c rounds, at most 2S bytes " +
		"(Sanders 2009; NCCL's trees)",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Pipelined:   []collectives.Collective{collectives.AllReduce},
	Program:     func(s shape, me node) []phase { return doubleTree(s.Ranks, me, streamed(s)) },
}

// none stands for a parent or child that there is not.
const none = -1

// btree gives the neighbours of place r in NCCL's binary tree over n places: an in-order tree in which the height
// of a place is the number of its trailing zero bits, and place 0 is above all with a single child.
func btree(n, r int) (parent, left, right int) {
	if n == 1 {
		return none, none, none
	}
	if r == 0 {
		return none, none, 1 << (log2ceil(n) - 1)
	}
	bit := r & -r
	if parent = (r ^ bit) | bit<<1; parent >= n {
		parent = r ^ bit
	}
	left, right = none, none
	if bit > 1 {
		left = r - bit/2
		for low := bit / 2; low > 0; low /= 2 {
			if r+low < n {
				right = r + low
				break
			}
		}
	}
	return parent, left, right
}

// btreeHeight is the number of rounds after which a chunk is reduced at place r.
func btreeHeight(n, r int) int {
	if r == 0 {
		return log2ceil(n)
	}
	return bits.TrailingZeros(uint(r))
}

// doubleTreeRounds is the number of rounds that one chunk takes up and down.
func doubleTreeRounds(n int) int { return 2 * log2ceil(n) }

// doubleTree is the all-reduce over n members.
func doubleTree(n int, me node, v stream) (program []phase) {
	if n == 1 {
		return nil
	}
	top := log2ceil(n)
	for which := range 2 {
		place, member := otherTree(n, which)
		half := func(start int, a collectives.Action, at int) {
			program = append(program, phase{Start: start, Rounds: v.chunks, Moves: func(i int) []move {
				return []move{v.at(i).part(which, 2).to(a, node(member(at)))}
			}})
		}
		x := place(int(me))
		parent, left, right := btree(n, x)
		if parent != none {
			half(btreeHeight(n, x), send, parent)
			half(2*top-1-btreeHeight(n, x), receive, parent)
		}
		for _, child := range []int{left, right} {
			if child != none {
				half(btreeHeight(n, child), accumulate, child)
				half(2*top-1-btreeHeight(n, child), send, child)
			}
		}
	}
	return program
}

// otherTree translates between members and places. The second tree is the first one mirrored, or shifted by one
// where n is odd, so that leaves become inner nodes.
func otherTree(n, which int) (place, member func(int) int) {
	same := func(r int) int { return r }
	mirror := func(r int) int { return n - 1 - r }
	switch {
	case which == 0:
		return same, same
	case n%2 == 0:
		return mirror, mirror
	}
	return func(r int) int { return mod(r-1, n) }, func(r int) int { return mod(r+1, n) }
}
