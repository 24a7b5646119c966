package host

import (
	"bytes"
	"math"
	"math/bits"

	"collbench/collectives"
)

// TableBytes is the length of a table of Tables in bytes, for every data type.
const TableBytes = vectorBytes * period

const vectorBytes = 16

// Segment is a part of the data buffer and where its data stand in the tables: element i of it in iteration t is
// element (Start + i + 613·t) mod 1009 of the table.
type Segment struct {
	Offset, Length int // elements
	Start          int // 0 … 1008
	Table          int // 0: the inputs, 1: their reduction over all ranks
}

// Tables are the payload's tables for a device that fills and verifies by itself (kernels/kernels.h): TableBytes each,
// the period repeated until it is 1009 vectors of 16 bytes. The reduction's is there if the collective reduces.
func (p *Payload) Tables() []byte {
	whole := func(table []byte) []byte { return bytes.Repeat(table[:period*p.size], vectorBytes/p.size) }
	if p.reduced == nil {
		return whole(p.inputs)
	}
	return append(whole(p.inputs), whole(p.reduced)...)
}

// Segments are the rank's input and its output, as Contract has them.
func (p *Payload) Segments(rank int) (in, out []Segment) {
	segments := func(parts []collectives.Part) (of []Segment) {
		for _, part := range parts {
			table, start := place(part)
			of = append(of, Segment{part.Offset, part.Length, start, table})
		}
		return of
	}
	inputs, outputs := collectives.Contract(p.shape, rank)
	return segments(inputs), segments(outputs)
}

// place is where the data of a part begin in iteration 0: in which table (see Segment), and at which element.
func place(part collectives.Part) (table, start int) {
	if part.From == collectives.AllRanks {
		return 1, part.Index % period
	}
	return 0, (part.Index + phase(part.From)) % period
}

// Tolerance is how far an output may be from the payload's and still be right, where a library averages floating-point
// numbers as NCCL does: by multiplying every rank's by 1/ranks and adding. Every other result is exact, and so is this
// one if the number of ranks is a power of two (of float8e4m3, whose least number is 2⁻⁹, up to 512): then it is 0.
//
// An element of a rank is rounded as 1/ranks, as a product and in at most ranks−1 sums, the payload's own value once
// more; each changes it by a relative 2⁻ᵖ at most, with p significant bits (Higham, "Accuracy and Stability of
// Numerical Algorithms", lemma 3.1). The absolute values of all ranks add up to 2ᵖ at most.
func Tolerance(d collectives.DataType, r collectives.Reduction, ranks int) float64 {
	power := bits.OnesCount(uint(ranks)) == 1 && (d != collectives.Float8E4M3 || ranks <= 512)
	if r != collectives.Avg || !d.Floating() || power {
		return 0
	}
	return math.Expm1(float64(ranks+2)*math.Log1p(1/exact[d])) * exact[d] / float64(ranks)
}
