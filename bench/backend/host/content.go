package host

import (
	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/host"
)

// content is a rank's data of a prepared case.
type content interface {
	fill(iteration int)                 // makes the input new
	finish()                            // what is left to do, within the time, when the messages are there
	verify(iteration int) bench.Verdict // First without the iteration
}

// blocks are the data of a collective.
type blocks struct {
	test        bench.Case
	shape       collectives.Shape
	rank        int
	payload     *host.Payload
	data, input []byte // the program works in data; in place they are the same
}

func newBlocks(test bench.Case, s collectives.Shape, rank int, data, input []byte) *blocks {
	return &blocks{test, s, rank, host.NewPayload(s, test.What.DataType, test.What.Reduction), data, input}
}

func (b *blocks) fill(iteration int) { b.payload.Fill(b.rank, iteration, b.input) }

func (b *blocks) finish() {
	if b.test.What.Reduction != collectives.Avg || !b.shape.Collective.Reduces() {
		return
	}
	size := b.test.What.DataType.Size()
	_, out := collectives.Contract(b.shape, b.rank)
	for _, p := range out {
		host.Average(b.test.What.DataType, b.shape.Ranks, b.data[p.Offset*size:(p.Offset+p.Length)*size])
	}
}

func (b *blocks) verify(iteration int) (v bench.Verdict) {
	v.Wrong, v.First = b.payload.Verify(b.rank, iteration, b.data)
	v.Checked = b.payload.Checked(b.rank)
	return v
}
