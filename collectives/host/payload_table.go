package host

import (
	"bytes"

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
