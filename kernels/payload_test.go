package kernels

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"collbench/collectives"
	"collbench/collectives/host"
)

// Where things lie in the memory of these tests.
const (
	tablesAt   = 0
	resultAt   = 2 * tableBytes
	segmentsAt = resultAt + 64
	dataAt     = 1 << 20
	guard      = 48 // bytes around the buffer that must stay
)

var grids = [][2]int{{1, 1}, {1, 32}, {3, 64}, {40, 32}, {7, 5}}

func kindOf(d collectives.DataType) uint32 {
	i := slices.IndexFunc(dataTypes, func(k dataType) bool { return k.name == d.String() })
	return dataTypes[i].kind
}

// upload puts segments into the memory, or one into the payload itself.
func (m *machine) upload(segments []Segment, data uint64, iteration int) Payload {
	p := Payload{Data: data, Tables: m.base + tablesAt, Iteration: uint32(iteration)}
	if len(segments) == 1 {
		p.Segment = segments[0]
		return p
	}
	p.Segments, p.SegmentCount = m.put(segmentsAt, encode(segments)), uint32(len(segments))
	return p
}

func segmentsOf(of []host.Segment) (s []Segment) {
	for _, x := range of {
		s = append(s, Segment{uint64(x.Offset), uint64(x.Length), uint32(x.Start), uint32(x.Table)})
	}
	return s
}

// verify launches cb_verify and returns what it found.
func (m *machine) verify(grid [2]int, p VerifyParams) Result {
	p.Result = m.put(resultAt, make([]byte, 40))
	m.launch("cb_verify", grid[0], grid[1], p)
	return m.result()
}

func (m *machine) result() Result {
	b, word := m.at(resultAt, 40), binary.LittleEndian
	r := Result{word.Uint64(b), word.Uint64(b[8:]), word.Uint64(b[16:]), word.Uint64(b[24:]), word.Uint32(b[32:]), word.Uint32(b[36:])}
	if r.Lock != 0 {
		m.t.Fatalf("the lock is %d", r.Lock)
	}
	return r
}

// TestPayload holds filling and verifying against host.Payload, for every collective, type and reduction that both
// know: the same bytes in the same places, and the same findings.
func TestPayload(t *testing.T) {
	m, random, launches := start(t), rand.New(rand.NewPCG(1, 2)), 0
	for _, c := range collectives.Collectives {
		for _, ranks := range []int{1, 2, 3, 8, 17} {
			for _, d := range collectives.DataTypes {
				for _, r := range collectives.Reductions {
					if !c.Reduces() && r != collectives.Sum {
						continue
					}
					count := []int{1, 7, 1009, 2500}[launches%4]
					s := collectives.Shape{Collective: c, Ranks: ranks, Count: count, Chunks: 1, Local: ranks, Radix: 40}
					if c.Rooted() {
						s.Root = random.IntN(ranks)
					}
					name := fmt.Sprintf("%s %s %s, %d ranks, %d elements", c, d, r, ranks, count)
					m.compare(name, s, d, r, grids[launches%len(grids)], random)
					launches++
				}
			}
		}
	}
}

func (m *machine) compare(name string, s collectives.Shape, d collectives.DataType, r collectives.Reduction, grid [2]int, random *rand.Rand) {
	rank, iteration, size := random.IntN(s.Ranks), random.IntN(5000), d.Size()
	if s.Collective == collectives.Gather || s.Collective == collectives.Reduce {
		rank = s.Root // the others have no output
	}
	p := host.NewPayload(s, d, r)
	m.put(tablesAt, p.Tables())
	in, out := p.Segments(rank)
	at := dataAt + random.IntN(16)*size
	buffer := func() []byte { return m.at(at-guard, s.Size()*size+2*guard) }
	for i := range buffer() {
		buffer()[i] = byte(random.Uint32())
	}
	want := bytes.Clone(buffer())
	if len(in) > 0 {
		p.Fill(rank, iteration, want[guard:len(want)-guard])
		m.launch("cb_fill", grid[0], grid[1], FillParams{Payload: m.upload(segmentsOf(in), m.base+uint64(at), iteration), Size: uint32(size)})
	}
	if !bytes.Equal(buffer(), want) {
		m.t.Fatalf("%s: rank %d's input in iteration %d is not Payload's", name, rank, iteration)
	}
	// The output, which filling writes as well, and errors in it.
	m.launch("cb_fill", grid[0], grid[1], FillParams{Payload: m.upload(segmentsOf(out), m.base+uint64(at), iteration), Size: uint32(size)})
	check := VerifyParams{Payload: m.upload(segmentsOf(out), m.base+uint64(at), iteration), Type: kindOf(d)}
	data := m.at(at, s.Size()*size)
	for _, errors := range []int{0, 1, 5, s.Count * s.Ranks} {
		for range errors {
			data[random.IntN(len(data))] ^= byte(1 + random.IntN(255))
		}
		wrong, first := p.Verify(rank, iteration, data)
		got := m.verify(grid, check)
		if int64(got.Wrong) != wrong || wrong > 0 && !strings.HasPrefix(first, fmt.Sprintf("element %d (", got.First-1)) {
			m.t.Fatalf("%s: rank %d, iteration %d: found %+v, want %d wrong, first %s", name, rank, iteration, got, wrong, first)
		}
		if wrong > 0 && (got.Got != elementAt(data, size, int(got.First-1)) || got.Iteration != uint32(iteration) || got.Got == got.Want) {
			m.t.Fatalf("%s: found %+v, first %s", name, got, first)
		}
		if errors == 0 && wrong != 0 {
			m.t.Fatalf("%s: the output is not Payload's: %s", name, first)
		}
	}
}

func elementAt(data []byte, size, i int) uint64 {
	var b [8]byte
	copy(b[:], data[i*size:(i+1)*size])
	return binary.LittleEndian.Uint64(b[:])
}

// TestSegments fills and verifies random segments of random tables at every start, in every order, for each size of an
// element: what the other types need.
func TestSegments(t *testing.T) {
	m, random := start(t), rand.New(rand.NewPCG(3, 4))
	for round := range 2000 {
		size := 1 << (round % 4)
		var tables [2][]byte
		for i := range tables {
			tables[i] = make([]byte, 1009*size)
			for k := range tables[i] {
				tables[i][k] = byte(random.Uint32())
			}
			m.put(tablesAt+i*tableBytes, bytes.Repeat(tables[i], 16/size))
		}
		iteration, start := int(random.Uint32()), dataAt+random.IntN(32)*size
		var segments []Segment
		elements := 0
		for range 1 + random.IntN(12) {
			s := Segment{uint64(elements + random.IntN(3)), uint64(random.IntN(1 << random.IntN(12))), uint32(random.IntN(1009)), uint32(random.IntN(2))}
			elements = int(s.Offset + s.Length)
			segments = append(segments, s)
		}
		random.Shuffle(len(segments), func(i, j int) { segments[i], segments[j] = segments[j], segments[i] })
		grid := grids[random.IntN(len(grids))]
		buffer := m.at(start-guard, elements*size+2*guard)
		for i := range buffer {
			buffer[i] = byte(random.Uint32())
		}
		want := bytes.Clone(buffer)
		var filled []int
		for _, s := range segments {
			for i := range int(s.Length) {
				from := (int(s.Start) + i + 613*(iteration%1009)) % 1009 * size
				to := (int(s.Offset) + i) * size
				copy(want[guard+to:guard+to+size], tables[s.Table][from:from+size])
				filled = append(filled, int(s.Offset)+i)
			}
		}
		p := m.upload(segments, m.base+uint64(start), iteration)
		m.launch("cb_fill", grid[0], grid[1], FillParams{Payload: p, Size: uint32(size)})
		if !bytes.Equal(buffer, want) {
			t.Fatalf("round %d: %d bytes, grid %v, iteration %d: %+v filled wrongly", round, size, grid, iteration, segments)
		}
		kind := []uint32{1, 6, 3, 5}[round%4]
		planted := map[int]bool{}
		for range min(len(filled), random.IntN(4)) {
			planted[filled[random.IntN(len(filled))]] = true
		}
		first := uint64(0)
		for i := range planted {
			m.memory[start+i*size+random.IntN(size)] ^= 0x10
			if first == 0 || uint64(i+1) < first {
				first = uint64(i + 1)
			}
		}
		if got := m.verify(grid, VerifyParams{Payload: p, Type: kind}); got.Wrong != uint64(len(planted)) || got.First != first {
			t.Fatalf("round %d: %d bytes, grid %v, %+v: found %+v, want %d, first %d", round, size, grid, segments, got, len(planted), first)
		}
	}
}

// TestVerifyAccumulates looks at the result of two launches: the counts add up, the least index stays.
func TestVerifyAccumulates(t *testing.T) {
	m := start(t)
	m.put(tablesAt, make([]byte, tableBytes))
	data := m.put(dataAt, make([]byte, 4000))
	p := VerifyParams{Payload: m.upload([]Segment{{0, 1000, 0, 0}}, data, 7), Type: 3, Result: m.put(resultAt, make([]byte, 40))}
	plant := func(i int, v byte) { m.memory[dataAt+4*i] = v }
	plant(500, 5)
	m.launch("cb_verify", 2, 32, p)
	plant(700, 7)
	p.Iteration = 8
	m.launch("cb_verify", 2, 32, p)
	if got := m.result(); got != (Result{Wrong: 3, First: 501, Got: 5, Iteration: 7}) {
		t.Errorf("%+v", got)
	}
	plant(499, 4)
	m.launch("cb_verify", 2, 32, p)
	if got := m.result(); got != (Result{Wrong: 6, First: 500, Got: 4, Iteration: 8}) {
		t.Errorf("%+v", got)
	}
}

// TestVerifyAtOnce has four launches find many errors at once in a buffer whose elements are their own indices. It
// fails where the count is not atomic; that the lock is needed it does not show, as threads of the host too seldom meet
// in those few instructions.
func TestVerifyAtOnce(t *testing.T) {
	m := start(t)
	m.put(tablesAt, bytes.Repeat([]byte{0xff}, tableBytes))
	const elements = 1 << 16
	data := make([]byte, 4*elements)
	for i := range elements {
		binary.LittleEndian.PutUint32(data[4*i:], uint32(i))
	}
	var segments []Segment
	for at := elements - 64; at >= 64; at -= 64 { // backwards: the later a thread, the lesser its first error
		segments = append(segments, Segment{uint64(at), 64, 0, 0})
	}
	p := VerifyParams{Payload: m.upload(segments, m.put(dataAt, data), 3), Type: 3, Result: m.base + resultAt}
	for range 60 {
		m.put(resultAt, make([]byte, 40))
		m.launches(4, "cb_verify", 64, 32, p)
		if got := m.result(); got != (Result{Wrong: 4 * (elements - 64), First: 65, Got: 64, Want: 1<<32 - 1, Iteration: 3}) {
			t.Fatalf("%+v", got)
		}
	}
}

// TestTolerance compares one element with one, in every floating-point type.
func TestTolerance(t *testing.T) {
	m := start(t)
	nan, inf := math.NaN(), math.Inf(1)
	for _, d := range dataTypes {
		for _, c := range []struct {
			got, want, tolerance float64
			close                bool
		}{
			{1, 1, 0, true}, {1, 1.5, 0, false}, {1, 1.5, 0.5, true}, {1.5, 1, 0.5, true}, {1, 1.5, 0.4, false},
			{-2, 2, 3, false}, {-2, 2, 4, true}, {0, math.Copysign(0, -1), 0, true}, {nan, 1, 1e300, false}, {1, nan, 1e300, false},
			{nan, nan, 0, true}, {inf, 1, 1e300, false}, {1, inf, 1e300, false}, {inf, inf, 0, true}, {-inf, inf, 1e300, false},
		} {
			if !d.floating || d.size == 1 && (math.IsInf(c.got, 0) || math.IsInf(c.want, 0)) {
				continue
			}
			table := make([]byte, 8)
			binary.LittleEndian.PutUint64(table, d.encode(c.want))
			m.put(tablesAt, bytes.Repeat(table[:d.size], 1009))
			binary.LittleEndian.PutUint64(m.at(dataAt, 8), d.encode(c.got))
			p := VerifyParams{Payload: m.upload([]Segment{{0, 1, 0, 0}}, m.base+dataAt, 0), Tolerance: c.tolerance, Type: d.kind, Compare: Within}
			if got := m.verify([2]int{1, 1}, p); (got.Wrong == 0) != c.close {
				t.Errorf("%s: %g for %g within %g: %+v", d.name, c.got, c.want, c.tolerance, got)
			}
			p.Compare = SameBits
			if got := m.verify([2]int{1, 1}, p); (got.Wrong == 0) != (d.encode(c.want) == d.encode(c.got)) {
				t.Errorf("%s: %g for %g by bits: %+v", d.name, c.got, c.want, got)
			}
		}
	}
	p := VerifyParams{Type: 2, Compare: Within, Tolerance: 100} // integers have no tolerance
	m.put(tablesAt, make([]byte, tableBytes))
	m.put(dataAt, []byte{1, 0, 0, 0})
	p.Payload = m.upload([]Segment{{0, 1, 0, 0}}, m.base+dataAt, 0)
	if got := m.verify([2]int{1, 1}, p); got.Wrong != 1 || got.Got != 1 {
		t.Errorf("int32: %+v", got)
	}
}
