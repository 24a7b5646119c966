package host

import (
	"fmt"
	"unsafe"

	"collbench/collectives"
)

// Reducer returns the reduction dst = dst op src. See Combiner.
func Reducer(d collectives.DataType, r collectives.Reduction) func(dst, src []byte) {
	combine := Combiner(d, r)
	return func(dst, src []byte) { combine(dst, dst, src) }
}

// Combiner returns the reduction out = a op b over elements of type d. The three slices are of equal length, a
// multiple of the element's size, and may start at any address; out may be a or b, but must not overlap them in
// part. Avg combines as Sum does: Average finishes it. So does PreMulSum, whose elements have to be multiplied before.
//
// Integers wrap around. Min and max are Go's: NaN if one of the two is NaN, and −0 is less than +0; so they do not
// depend on the order of combination. Which NaN comes out of two, or of types of 16 and 8 bits, is not defined. These
// are combined in float32 and rounded to nearest, ties to even, after each step; what is beyond the largest number of a
// type of 8 bits becomes that.
func Combiner(d collectives.DataType, r collectives.Reduction) func(out, a, b []byte) {
	if r == collectives.Avg || r == collectives.PreMulSum {
		r = collectives.Sum
	}
	scalar, fast, size := scalarFor(d, r), wideFor(d, r), d.Size()
	return func(out, a, b []byte) {
		if len(a) != len(out) || len(b) != len(out) || len(out)%size != 0 {
			panic(fmt.Sprintf("reduction of %d and %d bytes of %s into %d", len(a), len(b), d, len(out)))
		}
		n := 0
		if fast != nil && len(out) >= wideBytes {
			n = len(out) &^ (wideBytes - 1)
			fast(&out[0], &a[0], &b[0], n)
		}
		if n < len(out) {
			scalar(out[n:], a[n:], b[n:])
		}
	}
}

// scalarFor is the reduction in plain Go: the reference, the tail of the vectorised one, and all there is for CPUs
// without it.
func scalarFor(d collectives.DataType, r collectives.Reduction) func(out, a, b []byte) {
	switch d {
	case collectives.Float32:
		return scalar[float32](r)
	case collectives.Float64:
		return scalar[float64](r)
	case collectives.Float16:
		return narrow(r, fromFloat16, toFloat16)
	case collectives.BFloat16:
		return narrow(r, fromBFloat16, toBFloat16)
	case collectives.Int8:
		return scalar[int8](r)
	case collectives.Uint8:
		return scalar[uint8](r)
	case collectives.Int32:
		return scalar[int32](r)
	case collectives.Int64:
		return scalar[int64](r)
	case collectives.Uint32:
		return scalar[uint32](r)
	case collectives.Uint64:
		return scalar[uint64](r)
	case collectives.Float8E4M3:
		return narrow(r, fromFloat8E4M3, toFloat8E4M3)
	case collectives.Float8E5M2:
		return narrow(r, fromFloat8E5M2, toFloat8E5M2)
	}
	panic(fmt.Sprintf("no arithmetic for %s", d))
}

type number interface {
	float32 | float64 | int8 | uint8 | int32 | int64 | uint32 | uint64
}

// view reads bytes as elements. The address may be unaligned: amd64 and arm64 load and store at any address.
func view[T any](b []byte) []T {
	var element T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(element)))
}

func scalar[T number](r collectives.Reduction) func(out, a, b []byte) {
	loop := map[collectives.Reduction]func(out, a, b []T){
		collectives.Sum: sumOf[T], collectives.Min: minOf[T], collectives.Max: maxOf[T], collectives.Prod: prodOf[T],
	}[r]
	return func(out, a, b []byte) { loop(view[T](out), view[T](a), view[T](b)) }
}

func sumOf[T number](out, a, b []T) {
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = a[i] + b[i]
	}
}

func minOf[T number](out, a, b []T) {
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = min(a[i], b[i])
	}
}

func maxOf[T number](out, a, b []T) {
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = max(a[i], b[i])
	}
}

func prodOf[T number](out, a, b []T) {
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = a[i] * b[i]
	}
}

// short are the bits of floating-point numbers that are calculated with in float32.
type short interface{ uint8 | uint16 }

// narrow reduces such numbers by way of float32, whose 24 significant bits are more than twice theirs: rounding twice gives
// what rounding once would (Figueroa, "When is double rounding innocuous?", 1995).
func narrow[T short](r collectives.Reduction, from func(T) float32, to func(float32) T) func(out, a, b []byte) {
	op := map[collectives.Reduction]func(x, y float32) float32{
		collectives.Sum:  func(x, y float32) float32 { return x + y },
		collectives.Min:  func(x, y float32) float32 { return min(x, y) },
		collectives.Max:  func(x, y float32) float32 { return max(x, y) },
		collectives.Prod: func(x, y float32) float32 { return x * y },
	}[r]
	return func(out, a, b []byte) {
		o, x, y := view[T](out), view[T](a), view[T](b)
		for i := range o {
			o[i] = to(op(from(x[i]), from(y[i])))
		}
	}
}

// Average divides every element of type d by n, the number of ranks, in place: what turns a sum into Avg. Integers
// are divided toward zero; the types of 16 and 8 bits are divided in float32 and rounded to nearest, ties to even.
func Average(d collectives.DataType, n int, data []byte) {
	switch d {
	case collectives.Float32:
		divide(view[float32](data), float32(n))
	case collectives.Float64:
		divide(view[float64](data), float64(n))
	case collectives.Float16:
		divideNarrow(view[uint16](data), float32(n), fromFloat16, toFloat16)
	case collectives.BFloat16:
		divideNarrow(view[uint16](data), float32(n), fromBFloat16, toBFloat16)
	case collectives.Int8:
		divideWhole(view[int8](data), n)
	case collectives.Uint8:
		divideWhole(view[uint8](data), n)
	case collectives.Int32:
		divideWhole(view[int32](data), n)
	case collectives.Int64:
		divideWhole(view[int64](data), n)
	case collectives.Uint32:
		divideWhole(view[uint32](data), n)
	case collectives.Uint64:
		divide(view[uint64](data), uint64(n))
	case collectives.Float8E4M3:
		divideNarrow(view[uint8](data), float32(n), fromFloat8E4M3, toFloat8E4M3)
	case collectives.Float8E5M2:
		divideNarrow(view[uint8](data), float32(n), fromFloat8E5M2, toFloat8E5M2)
	}
}

func divide[T float32 | float64 | uint64](data []T, n T) {
	for i := range data {
		data[i] /= n
	}
}

// divideWhole divides in int64: n may not fit the type.
func divideWhole[T int8 | uint8 | int32 | int64 | uint32](data []T, n int) {
	for i := range data {
		data[i] = T(int64(data[i]) / int64(n))
	}
}

func divideNarrow[T short](data []T, n float32, from func(T) float32, to func(float32) T) {
	for i := range data {
		data[i] = to(from(data[i]) / n)
	}
}
