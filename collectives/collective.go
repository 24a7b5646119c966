// Package collectives says what a collective operation is and what an algorithm for it is.
//
// It stands at the beginning of the data's way: an algorithm is the program of one node, and everything else
// (proof, counts, execution, price, pictures) reads that program. The package depends on the standard library
// alone and neither measures nor sends anything.
package collectives

import (
	"fmt"
	"slices"
	"strings"
)

// Collective is one of the operations that nccl-tests knows, by its names.
type Collective uint8

// The collectives. Where the input sits and what must be where at the end is said by Contract.
const (
	AllReduce Collective = iota
	AllGather
	ReduceScatter
	Broadcast
	Reduce
	AllToAll
	Gather
	Scatter
	SendRecv // a shift around the ring: each rank sends to the next and receives from the one before
)

// Collectives lists every collective in the order in which they are shown.
var Collectives = []Collective{AllReduce, AllGather, ReduceScatter, Broadcast, Reduce, AllToAll, Gather, Scatter, SendRecv}

var collectiveNames = [...]string{
	AllReduce: "all_reduce", AllGather: "all_gather", ReduceScatter: "reduce_scatter", Broadcast: "broadcast",
	Reduce: "reduce", AllToAll: "alltoall", Gather: "gather", Scatter: "scatter", SendRecv: "sendrecv",
}

// String returns the name that nccl-tests uses, such as "all_reduce".
func (c Collective) String() string {
	if int(c) < len(collectiveNames) {
		return collectiveNames[c]
	}
	return fmt.Sprintf("collective(%d)", uint8(c))
}

// ParseCollective finds a collective by its name.
func ParseCollective(name string) (Collective, error) {
	i := slices.Index(collectiveNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("unknown collective %q: want one of %s", name, strings.Join(collectiveNames[:], ", "))
	}
	return Collective(i), nil
}

// MarshalText writes the name.
func (c Collective) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the name.
func (c *Collective) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCollective(string(b))
	return err
}

// Reduces says whether the collective combines elements, so that it has a reduction.
func (c Collective) Reduces() bool { return c == AllReduce || c == ReduceScatter || c == Reduce }

// Rooted says whether one rank plays a part of its own.
func (c Collective) Rooted() bool {
	return c == Broadcast || c == Reduce || c == Gather || c == Scatter
}

// Blocked says whether the whole buffer is one block per rank; Shape.Count is then the block's length.
func (c Collective) Blocked() bool {
	switch c {
	case AllGather, ReduceScatter, AllToAll, Gather, Scatter:
		return true
	}
	return false
}

// BusFactor is bus bandwidth ÷ algorithm bandwidth for so many ranks, as nccl-tests computes it
// (doc/PERFORMANCE.md there): 2(n−1)/n for all-reduce, (n−1)/n where each rank owns a block, else 1.
func (c Collective) BusFactor(ranks int) float64 {
	n := float64(ranks)
	switch {
	case c == AllReduce:
		return 2 * (n - 1) / n
	case c.Blocked():
		return (n - 1) / n
	}
	return 1
}
