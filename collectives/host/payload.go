package host

import (
	"bytes"
	"fmt"

	"collbench/collectives"
)

// Payload is data whose results are known exactly: what every rank puts in and what every rank must get out, for
// one shape, data type and reduction. Element i of rank r's logical vector (collectives.Part) in iteration t is
//
//	table[(i + phase(r) + 613·t) mod 1009]
//
// so it depends on the rank, the place and the iteration: a lost, doubled, stale or misplaced block is seen. As the
// period is prime, no power of two hides a shift. A reduction over all ranks has the same period, so that filling
// is copying from a small table and verifying is comparing with one, both at the speed of memory. The values (see
// values) make every reduction exact in any order of combination.
type Payload struct {
	shape   collectives.Shape
	size    int // bytes of an element
	text    func([]byte) string
	inputs  []byte // repeats + 1 periods of the table
	reduced []byte // likewise of the reduction over all ranks, where the collective reduces
}

const (
	period  = 1009 // elements; prime
	repeats = 4    // periods copied or compared at once
	advance = 613  // elements by which an iteration moves the data
)

// phase is where rank r begins in the table. The quadratic term keeps blocks of equal length of neighbouring ranks
// apart, whatever the length; the first 504 ranks have phases of their own.
func phase(r int) int {
	r %= period
	return (7*r*r + 7*r) % period
}

// NewPayload prepares the data of a shape. Its cost is some 1009 × ranks additions.
func NewPayload(s collectives.Shape, d collectives.DataType, r collectives.Reduction) *Payload {
	return newPayload(s, d, r, false)
}

// NewBoundedPayload is NewPayload for libraries of others, to whom it is left what becomes of a sum of integers that does
// not fit its type (Open MPI's vector code saturates where its plain code wraps around): no sum overflows.
func NewBoundedPayload(s collectives.Shape, d collectives.DataType, r collectives.Reduction) *Payload {
	return newPayload(s, d, r, true)
}

func newPayload(s collectives.Shape, d collectives.DataType, r collectives.Reduction, fits bool) *Payload {
	p := &Payload{shape: s, size: d.Size(), text: func(b []byte) string { return text(d, b) }}
	if !s.Collective.Reduces() {
		p.inputs, _ = tables(d, copied, s.Ranks, fits)
		return p
	}
	p.inputs, p.reduced = tables(d, r, s.Ranks, fits)
	return p
}

// Fill writes the rank's input of an iteration into its data buffer, which has Shape.Size elements. Elements that
// are not input are left as they are.
func (p *Payload) Fill(rank, iteration int, data []byte) {
	in, _ := collectives.Contract(p.shape, rank)
	for _, part := range in {
		p.pieces(part, iteration, data, func(_ int, got, want []byte) { copy(got, want) })
	}
}

// Checked is the number of elements that Verify looks at.
func (p *Payload) Checked(rank int) int64 {
	_, out := collectives.Contract(p.shape, rank)
	var n int64
	for _, part := range out {
		n += int64(part.Length)
	}
	return n
}

// Verify compares the rank's output of an iteration, every element, with what it must be. It returns the number
// of wrong elements and describes the first: "element 17 (from rank 3): 5, want 4".
func (p *Payload) Verify(rank, iteration int, data []byte) (wrong int64, first string) {
	_, out := collectives.Contract(p.shape, rank)
	for _, part := range out {
		p.pieces(part, iteration, data, func(element int, got, want []byte) {
			if bytes.Equal(got, want) {
				return
			}
			for i := 0; i < len(got); i += p.size {
				g, w := got[i:i+p.size], want[i:i+p.size]
				if bytes.Equal(g, w) {
					continue
				}
				if wrong++; wrong == 1 {
					first = p.Describe(rank, element+i/p.size, g, w)
				}
			}
		})
	}
	return wrong, first
}

// Describe says what is wrong with an element of the rank's output: "element 17 (from rank 3): 5, want 4". The element is
// given by its index in the data buffer, the two numbers by their bytes.
func (p *Payload) Describe(rank, element int, got, want []byte) string {
	return fmt.Sprintf("element %d (%s): %s, want %s", element, p.origin(rank, element), p.text(got), p.text(want))
}

// origin is whose data the element of the rank's output is.
func (p *Payload) origin(rank, element int) string {
	_, out := collectives.Contract(p.shape, rank)
	for _, part := range out {
		if element < part.Offset || element >= part.Offset+part.Length {
			continue
		}
		if part.From == collectives.AllRanks {
			return "over all ranks"
		}
		return fmt.Sprintf("from rank %d", part.From)
	}
	return "no output"
}

// pieces goes through a part of the data buffer beside the part of the table that belongs there.
func (p *Payload) pieces(part collectives.Part, iteration int, data []byte, do func(element int, data, table []byte)) {
	which, start := place(part)
	table := p.inputs
	if which == 1 {
		table = p.reduced
	}
	start += iteration % period * advance
	table = table[start%period*p.size:]
	const most = repeats * period
	for done := 0; done < part.Length; done += most {
		n := min(most, part.Length-done)
		at := part.Offset + done
		do(at, data[at*p.size:(at+n)*p.size], table[:n*p.size])
	}
}
