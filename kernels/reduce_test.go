package kernels

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// decode is the number that the bits of a floating-point type stand for, by its definition.
func (d dataType) decode(bits uint64) float64 {
	switch d.size {
	case 8:
		return math.Float64frombits(bits)
	case 4:
		return float64(math.Float32frombits(uint32(bits)))
	}
	sign := 1.0
	if bits>>(d.exponent+d.significand)&1 != 0 {
		sign = -1
	}
	e, f := int(bits>>d.significand)&(1<<d.exponent-1), float64(bits&(1<<d.significand-1))
	bias := 1<<(d.exponent-1) - 1
	switch last := e == 1<<d.exponent-1; {
	case d.name == "float8e4m3" && last && f == 7, d.name != "float8e4m3" && last && f != 0:
		return math.NaN()
	case d.name != "float8e4m3" && last:
		return math.Inf(int(sign))
	case e == 0:
		return sign * math.Ldexp(f, 1-bias-d.significand)
	}
	return sign * math.Ldexp(f+float64(int(1)<<d.significand), e-bias-d.significand)
}

// encode rounds to the nearest number of the type, ties to even. It looks for it, where the kernels calculate.
func (d dataType) encode(v float64) uint64 {
	switch d.size {
	case 8:
		return math.Float64bits(v)
	case 4:
		return uint64(math.Float32bits(float32(v)))
	}
	sign := uint64(0)
	if math.Signbit(v) {
		sign = 1 << (d.exponent + d.significand)
	}
	infinite := uint64(1<<d.exponent-1) << d.significand
	largest, beyond := infinite-1, infinite
	if d.size == 1 {
		if d.name == "float8e4m3" {
			largest = 0x7e
		}
		beyond = largest
	}
	a := math.Abs(v)
	if math.IsNaN(v) {
		return infinite | (1<<d.significand - 1)
	}
	// Twice the largest finite number less its predecessor is where the next one would be: half way there is too far.
	if a >= 1.5*d.decode(largest)-0.5*d.decode(largest-1) {
		return sign | beyond
	}
	low, high := uint64(0), largest // decode(low) <= a; numbers grow with their bits
	for low < high {
		middle := (low + high + 1) / 2
		if d.decode(middle) <= a {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if low < largest {
		below, above := a-d.decode(low), d.decode(low+1)-a
		if above < below || above == below && low&1 == 1 {
			low++
		}
	}
	return sign | low
}

// whole is the integer of the type's bits, and cut the bits of an integer.
func (d dataType) whole(bits uint64) int64 {
	shift := 64 - 8*d.size
	if d.signed {
		return int64(bits<<shift) >> shift
	}
	return int64(bits << shift >> shift)
}

func (d dataType) cut(v int64) uint64 { return uint64(v) << (64 - 8*d.size) >> (64 - 8*d.size) }

// combined and divided are one step of cb_reduce each.
func (d dataType) combined(op uint32, a, b uint64) uint64 {
	if d.floating {
		return d.float(op, a, b)
	}
	x, y := d.whole(a), d.whole(b)
	less := x < y
	if !d.signed {
		less = uint64(x) < uint64(y)
	}
	switch {
	case op == sum:
		return d.cut(x + y)
	case op == prod:
		return d.cut(x * y)
	case less == (op == least):
		return a
	}
	return b
}

func (d dataType) float(op uint32, a, b uint64) uint64 {
	x, y := d.decode(a), d.decode(b)
	switch op {
	case sum:
		if d.size == 4 {
			return uint64(math.Float32bits(float32(x) + float32(y)))
		}
		return d.encode(x + y)
	case prod:
		if d.size == 4 {
			return uint64(math.Float32bits(float32(x) * float32(y)))
		}
		return d.encode(x * y)
	case least:
		return d.encode(min(x, y))
	}
	return d.encode(max(x, y))
}

func (d dataType) divided(a uint64, n uint32) uint64 {
	switch {
	case n <= 1:
		return a
	case d.size == 4 && d.floating:
		return uint64(math.Float32bits(math.Float32frombits(uint32(a)) / float32(n)))
	case d.floating && d.size < 4: // n is rounded to float32 as well
		return d.encode(d.decode(a) / float64(float32(n)))
	case d.floating:
		return d.encode(d.decode(a) / float64(n))
	case d.signed:
		return d.cut(d.whole(a) / int64(n))
	}
	return a / uint64(n)
}

func (d dataType) nan(a uint64) bool { return d.floating && math.IsNaN(d.decode(a)) }

// reference is cb_reduce for one element.
func (d dataType) reference(p reduceParams, a, b uint64) uint64 {
	if p.flags&1 != 0 {
		a = d.combined(prod, a, p.scalar)
	}
	if p.flags&2 != 0 {
		b = d.combined(prod, b, p.scalar)
	}
	if p.b != 0 {
		a = d.combined(p.op, a, b)
	}
	return d.divided(a, p.divisor)
}

// element draws bits: any, or one of those at which something changes.
func (d dataType) element(random *rand.Rand) uint64 {
	width := 8 * d.size
	bits := random.Uint64() >> (64 - width)
	if random.IntN(2) == 0 {
		return bits
	}
	top := uint64(1) << (width - 1)
	if !d.floating {
		return []uint64{0, 1, 2, top - 1, top, top + 1, top<<1 - 1, top<<1 - 2}[random.IntN(8)]
	}
	infinite := uint64(1<<d.exponent-1) << d.significand
	one := d.encode(1)
	return []uint64{0, one, one + 1, one - 1, infinite, infinite - 1, infinite + 1, 1, 2, 1 << d.significand, 1<<d.significand - 1, d.encode(3)}[random.IntN(12)] | bits&top
}

// TestReduce holds cb_reduce against plain Go: every type and reduction, scaled and divided or not, in place or not,
// in line with 16 bytes or not, on any bits. The 1-byte types meet every pair of elements.
func TestReduce(t *testing.T) {
	m, random := start(t), rand.New(rand.NewPCG(5, 6))
	const aAt, bAt, outAt = 1 << 20, 5 << 20, 9 << 20
	round := 0
	for _, d := range dataTypes {
		for op := range uint32(4) {
			for _, length := range []int{0, 1, 3, 15, 16, 17, 100, 4099, 1 << 16} {
				if length == 1<<16 && d.size > 1 {
					continue
				}
				for variant := range 6 {
					if length == 1<<16 && variant > 1 {
						continue
					}
					round++
					a, b := make([]byte, length*d.size), make([]byte, length*d.size)
					for i := range length {
						x, y := d.element(random), d.element(random)
						if length == 1<<16 {
							x, y = uint64(i>>8), uint64(i&255)
						}
						setElement(a, d.size, i, x)
						setElement(b, d.size, i, y)
					}
					shift := random.IntN(16) * d.size
					p := reduceParams{count: uint64(length), kind: d.kind, op: op, scalar: d.element(random)}
					p.a, p.b, p.out = m.put(aAt+shift, a), m.put(bAt+shift, b), m.base+uint64(outAt+shift)
					out := outAt + shift
					switch variant {
					case 1: // not in line
						out = outAt + (shift+d.size)%64
						p.out = m.base + uint64(out)
					case 2: // in place, onto the first or the second
						p.out, out = p.a, aAt+shift
						if round%2 == 0 {
							p.out, out = p.b, bAt+shift
						}
					case 3: // average
						p.divisor = []uint32{2, 3, 8, 1000, 1<<32 - 1}[random.IntN(5)]
					case 4:
						p.flags = 1 + uint32(random.IntN(3))
					case 5: // one input
						p.b, p.flags, p.divisor = 0, uint32(random.IntN(2)), uint32(random.IntN(4))
					}
					around := m.at(out-guard, length*d.size+2*guard)
					before := bytes.Clone(around)
					grid := grids[round%len(grids)]
					m.launch("cb_reduce", grid[0], grid[1], p)
					for i := range length {
						x, y := elementAt(a, d.size, i), elementAt(b, d.size, i)
						got, want := elementAt(around[guard:], d.size, i), d.reference(p, x, y)
						if got != want && !(d.nan(got) && d.nan(want)) {
							t.Fatalf("%s, op %d, %d elements, variant %d (%+v): element %d of %#x and %#x is %#x, want %#x", d.name, op, length, variant, p, i, x, y, got, want)
						}
					}
					if !bytes.Equal(before[:guard], around[:guard]) || !bytes.Equal(before[len(before)-guard:], around[len(around)-guard:]) {
						t.Fatalf("%s, op %d, %d elements, variant %d: wrote outside", d.name, op, length, variant)
					}
				}
			}
		}
	}
}

func setElement(data []byte, size, i int, bits uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], bits)
	copy(data[i*size:(i+1)*size], b[:])
}

func TestCopy(t *testing.T) {
	m, random := start(t), rand.New(rand.NewPCG(7, 8))
	for round := range 1000 {
		length := random.IntN(1 << random.IntN(14))
		from, to := 1<<20+random.IntN(64), 2<<20+random.IntN(64)
		source := m.at(from, length)
		for i := range source {
			source[i] = byte(random.Uint32())
		}
		area := m.at(to-guard, length+2*guard)
		for i := range area {
			area[i] = 0xa5
		}
		grid := grids[round%len(grids)]
		m.launch("cb_copy", grid[0], grid[1], copyParams{m.base + uint64(to), m.base + uint64(from), uint64(length)})
		edge := bytes.Repeat([]byte{0xa5}, guard)
		if want := bytes.Join([][]byte{edge, source, edge}, nil); !bytes.Equal(area, want) {
			t.Fatalf("round %d: %d bytes from %d to %d by %v", round, length, from%16, to%16, grid)
		}
	}
}
