package host

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"collbench/collectives"
)

var combining = []collectives.Reduction{collectives.Sum, collectives.Min, collectives.Max, collectives.Prod}

// odd are bit patterns on which arithmetic goes wrong first: zeros of both signs, NaNs, infinities, the largest and
// smallest numbers of every type, ties of rounding.
var odd = []uint64{
	0, 1, 0x8000, 0x80000000, 1 << 63, 0x7fff, 0x7f80, 0xff80, 0x7c00, 0xfc00, 0x7bff, 0xfbff, 0x0001, 0x03ff, 0x0400, 0x3c00, 0x3c01, 0x3f80, 0x3f81,
	0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x7f7fffff, 0x00800000, 0x007fffff, 0x7fffffff, 0x3f800000, 0x3f800001, 0x33800000,
	0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001, 0x7fefffffffffffff, 0x000fffffffffffff, 0x7fffffffffffffff, 0xffffffffffffffff, 0x80, 0x7f,
}

func fill(r *rand.Rand, data []byte, size int) {
	var b [8]byte
	for i := 0; i+size <= len(data); i += size {
		v := r.Uint64()
		if r.IntN(3) == 0 {
			v = odd[r.IntN(len(odd))]
		}
		binary.LittleEndian.PutUint64(b[:], v)
		copy(data[i:], b[:size])
	}
}

// isNaN says whether the element's bits are a NaN of type d.
func isNaN(d collectives.DataType, e []byte) bool {
	switch d {
	case collectives.Float32:
		v := math.Float32frombits(binary.LittleEndian.Uint32(e))
		return v != v
	case collectives.Float64:
		return math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64(e)))
	case collectives.Float16:
		return binary.LittleEndian.Uint16(e)&0x7fff > 0x7c00
	case collectives.BFloat16:
		return binary.LittleEndian.Uint16(e)&0x7fff > 0x7f80
	case collectives.Float8E4M3:
		return e[0]&0x7f == 0x7f
	case collectives.Float8E5M2:
		return e[0]&0x7f > 0x7c
	}
	return false
}

// difference is the first element in which got and want differ, or -1. Any NaN is as good as another.
func difference(d collectives.DataType, got, want []byte) int {
	for i := 0; i < len(got); i += d.Size() {
		g, w := got[i:i+d.Size()], want[i:i+d.Size()]
		if !bytes.Equal(g, w) && !(isNaN(d, g) && isNaN(d, w)) {
			return i / d.Size()
		}
	}
	return -1
}

// TestVectorisedEqualsScalar compares with the plain loop over every length from 0 to a few vectors, over unaligned
// starts, in place and out of place, on random and on awkward bit patterns, and looks for writes past the end.
func TestVectorisedEqualsScalar(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range collectives.DataTypes {
		for _, op := range combining {
			t.Run(fmt.Sprintf("%s/%s", d, op), func(t *testing.T) {
				fast, slow := Combiner(d, op), scalarFor(d, op)
				for elements := range 300 {
					n := elements * d.Size()
					buffers := make([]byte, 3*(n+96))
					fill(r, buffers, d.Size())
					at := func(k int) []byte {
						start := k*(n+96) + r.IntN(64)
						return buffers[start : start+n : start+n]
					}
					a, b, want := at(0), at(1), make([]byte, n)
					slow(want, a, b)
					out := at(2)
					if elements%3 == 0 {
						out = a
					}
					before := bytes.Clone(buffers)
					fast(out, a, b)
					if i := difference(d, out, want); i >= 0 {
						t.Fatalf("%d elements, element %d: %x, want %x", elements, i, out[i*d.Size():][:d.Size()], want[i*d.Size():][:d.Size()])
					}
					clear(out)
					start := offset(buffers, out)
					clear(before[start : start+n])
					if !bytes.Equal(before, buffers) {
						t.Fatalf("%d elements: bytes outside of the result changed", elements)
					}
				}
			})
		}
	}
}

// offset is where part begins in whole.
func offset(whole, part []byte) int {
	if len(part) == 0 {
		return 0
	}
	part[0]++
	defer func() { part[0]-- }()
	for i := range whole {
		if &whole[i] == &part[0] {
			return i
		}
	}
	panic("not a part")
}

// TestScalarOnKnownValues holds the reference itself against values worked out by hand.
func TestScalarOnKnownValues(t *testing.T) {
	u16 := func(v ...uint16) []byte { b, _ := binary.Append(nil, binary.LittleEndian, v); return b }
	f32 := func(v ...float32) []byte { b, _ := binary.Append(nil, binary.LittleEndian, v); return b }
	i64 := func(v ...int64) []byte { b, _ := binary.Append(nil, binary.LittleEndian, v); return b }
	nan, zero := float32(math.NaN()), float32(0)
	negative := float32(math.Copysign(0, -1))
	for _, c := range []struct {
		d          collectives.DataType
		op         collectives.Reduction
		a, b, want []byte
	}{
		{collectives.Int8, collectives.Sum, []byte{127, 0x80, 5}, []byte{1, 0xff, 250}, []byte{0x80, 0x7f, 255}},
		{collectives.Int8, collectives.Min, []byte{0x80, 1}, []byte{1, 0xff}, []byte{0x80, 0xff}},
		{collectives.Uint8, collectives.Min, []byte{0x80, 1}, []byte{1, 0xff}, []byte{1, 1}},
		{collectives.Uint8, collectives.Prod, []byte{16, 3}, []byte{17, 5}, []byte{16, 15}},
		{collectives.Int64, collectives.Max, i64(math.MinInt64, 3), i64(-1, 2), i64(-1, 3)},
		{collectives.Int64, collectives.Sum, i64(math.MaxInt64), i64(1), i64(math.MinInt64)},
		{collectives.Float32, collectives.Min, f32(nan, 1, negative, zero), f32(1, nan, zero, negative), f32(nan, nan, negative, negative)},
		{collectives.Float32, collectives.Max, f32(nan, 1, negative, zero), f32(1, nan, zero, negative), f32(nan, nan, zero, zero)},
		// 1 + 2⁻⁸ and 1 + 3·2⁻⁸ are ties of bfloat16: to even, down and up.
		{collectives.BFloat16, collectives.Sum, u16(0x3f80, 0x3f81, 0x7f7f), u16(0x3b80, 0x3b80, 0x7f7f), u16(0x3f80, 0x3f82, 0x7f80)},
		// Likewise 1 + 2⁻¹¹ of float16; 65504 + 16 overflows, 65504 + 8 does not; subnormals add exactly.
		{collectives.Float16, collectives.Sum, u16(0x3c00, 0x3c01, 0x7bff, 0x7bff, 1), u16(0x1000, 0x1000, 0x4c00, 0x4800, 2), u16(0x3c00, 0x3c02, 0x7c00, 0x7bff, 3)},
		{collectives.Uint32, collectives.Max, []byte{0, 0, 0, 0x80}, []byte{1, 0, 0, 0}, []byte{0, 0, 0, 0x80}},
		{collectives.Uint64, collectives.Min, i64(-1, 3), i64(1, -1), i64(1, 3)},
		// 1 + 1/16 and 1.125 + 1/16 are ties of float8e4m3; beyond 448 there is nothing; 2⁻⁹ is the least number.
		{collectives.Float8E4M3, collectives.Sum, []byte{0x38, 0x39, 0x7e, 0x01}, []byte{0x18, 0x18, 0x7e, 0x01}, []byte{0x38, 0x3a, 0x7e, 0x02}},
		{collectives.Float8E5M2, collectives.Prod, []byte{0x40, 0x7b, 0xfb}, []byte{0x42, 0x40, 0x40}, []byte{0x46, 0x7b, 0xfb}}, // 2·3; 57344·2
		{collectives.Float16, collectives.Prod, u16(0x4000, 0x0001), u16(0x4200, 0x3800), u16(0x4600, 0)},                        // 2·3; 2⁻²⁵ is a tie: to 0
	} {
		got := make([]byte, len(c.want))
		scalarFor(c.d, c.op)(got, c.a, c.b)
		if i := difference(c.d, got, c.want); i >= 0 {
			t.Errorf("%s %s, element %d: %x, want %x", c.d, c.op, i, got, c.want)
		}
	}
}

// TestHalfConversions goes through all 65,536 patterns, and through float32 beside and between them.
func TestHalfConversions(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		if f := fromFloat16(h); f == f && toFloat16(f) != h {
			t.Fatalf("float16 %#04x: read as %g, written as %#04x", h, f, toFloat16(f))
		} else if f != f && (h&0x7fff <= 0x7c00 || toFloat16(f)&0x7fff <= 0x7c00) {
			t.Fatalf("float16 %#04x and NaN", h)
		}
		if f := fromBFloat16(h); f == f && toBFloat16(f) != h {
			t.Fatalf("bfloat16 %#04x: read as %g, written as %#04x", h, f, toBFloat16(f))
		} else if f != f && toBFloat16(f)&0x7fff <= 0x7f80 {
			t.Fatalf("bfloat16 %#04x and NaN", h)
		}
		if h < 0x7bff { // halfway to the next one goes to the even one, anything else to the nearer one
			low, high := float64(fromFloat16(h)), float64(fromFloat16(h+1))
			middle := float32((low + high) / 2)
			if got, want := toFloat16(middle), h+h&1; got != want {
				t.Fatalf("float16: %g becomes %#04x, want %#04x", middle, got, want)
			}
			if got := toFloat16(math.Nextafter32(middle, 0)); got != h {
				t.Fatalf("float16: below %g becomes %#04x, want %#04x", middle, got, h)
			}
			if got := toFloat16(math.Nextafter32(middle, 1e9)); got != h+1 {
				t.Fatalf("float16: above %g becomes %#04x, want %#04x", middle, got, h+1)
			}
		}
	}
	if got := fromFloat16(0x3555); got != 0.333251953125 {
		t.Errorf("float16 0x3555 is %g, want 0.333251953125", got)
	}
}

// TestFloat8Conversions goes through all patterns of both types, and through what lies between them.
func TestFloat8Conversions(t *testing.T) {
	for _, k := range []struct {
		name    string
		from    func(uint8) float32
		to      func(float32) uint8
		largest uint8
		is      float32 // the largest
	}{{"float8e4m3", fromFloat8E4M3, toFloat8E4M3, 0x7e, 448}, {"float8e5m2", fromFloat8E5M2, toFloat8E5M2, 0x7b, 57344}} {
		if k.from(k.largest) != k.is || k.from(0x38) != map[string]float32{"float8e4m3": 1, "float8e5m2": 0.5}[k.name] {
			t.Errorf("%s: the largest is %g", k.name, k.from(k.largest))
		}
		for x := range k.largest {
			low, high := k.from(x), k.from(x+1)
			if k.to(low) != x || k.to(-low) != x|0x80 || low >= high {
				t.Errorf("%s %#02x: read as %g, written as %#02x", k.name, x, low, k.to(low))
			}
			middle := (low + high) / 2
			if got, want := k.to(middle), x+x&1; got != want {
				t.Errorf("%s: %g becomes %#02x, want %#02x", k.name, middle, got, want)
			}
			if below, above := k.to(math.Nextafter32(middle, 0)), k.to(math.Nextafter32(middle, 1e9)); below != x || above != x+1 {
				t.Errorf("%s: beside %g are %#02x and %#02x", k.name, middle, below, above)
			}
		}
		if nan := float32(math.NaN()); k.to(nan)&0x7f != 0x7f || k.from(0x7f) == k.from(0x7f) || k.to(float32(math.Inf(-1))) != k.largest|0x80 {
			t.Errorf("%s: NaN becomes %#02x, −∞ %#02x", k.name, k.to(nan), k.to(float32(math.Inf(-1))))
		}
	}
}

func TestAverage(t *testing.T) {
	for _, c := range []struct {
		d          collectives.DataType
		n          int
		data, want []byte
	}{
		{collectives.Int8, 3, []byte{7, 0xf9}, []byte{2, 0xfe}}, // 7 and −7
		{collectives.Uint8, 300, []byte{255}, []byte{0}},
		{collectives.Int32, 4, []byte{9, 0, 0, 0}, []byte{2, 0, 0, 0}},
		{collectives.Int64, 4, []byte{8, 0, 0, 0, 0, 0, 0, 0}, []byte{2, 0, 0, 0, 0, 0, 0, 0}},
		{collectives.Float32, 2, []byte{0, 0, 0x40, 0x40}, []byte{0, 0, 0xc0, 0x3f}}, // 3 → 1.5
		{collectives.Float64, 2, []byte{0, 0, 0, 0, 0, 0, 8, 0x40}, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}},
		{collectives.Float16, 2, []byte{0, 0x42}, []byte{0, 0x3e}},
		{collectives.BFloat16, 2, []byte{0x40, 0x40}, []byte{0xc0, 0x3f}},
		{collectives.Uint32, 300, []byte{255, 255, 255, 255}, []byte{0x0d, 0x74, 0xda, 0}}, // 14316557
		{collectives.Uint64, 16, []byte{0, 0, 0, 0, 0, 0, 0, 0xf0}, []byte{0, 0, 0, 0, 0, 0, 0, 0x0f}},
		{collectives.Float8E4M3, 2, []byte{0x44}, []byte{0x3c}}, // 3 → 1.5
		{collectives.Float8E5M2, 2, []byte{0x42}, []byte{0x3e}},
	} {
		got := bytes.Clone(c.data)
		Average(c.d, c.n, got)
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: %x ÷ %d = %x, want %x", c.d, c.data, c.n, got, c.want)
		}
	}
}

func BenchmarkReducer(b *testing.B) {
	for _, d := range collectives.DataTypes {
		for _, op := range combining {
			for _, size := range []int{64 << 10, 16 << 20} {
				dst, src := make([]byte, size), make([]byte, size)
				for name, f := range map[string]func(dst, src []byte){
					"vector": Reducer(d, op),
					"scalar": func(dst, src []byte) { scalarFor(d, op)(dst, dst, src) },
				} {
					b.Run(fmt.Sprintf("%s/%s/%dKiB/%s", d, op, size>>10, name), func(b *testing.B) {
						b.SetBytes(int64(size))
						for b.Loop() {
							f(dst, src)
						}
					})
				}
			}
		}
	}
}
