package host

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"

	"collbench/collectives"
)

// copied stands for "no reduction": values that only have to arrive as they are.
const copied = collectives.Reduction(255)

// exact is the largest n such that type d holds every whole number of −n … n (0 … n for unsigned ones).
var exact = map[collectives.DataType]float64{
	collectives.Float32: 1 << 24, collectives.Float64: 1 << 53, collectives.Float16: 1 << 11, collectives.BFloat16: 1 << 8,
	collectives.Int8: 1<<7 - 1, collectives.Uint8: 1<<8 - 1, collectives.Int32: 1<<31 - 1, collectives.Int64: 1 << 53,
	collectives.Uint32: 1<<32 - 1, collectives.Uint64: 1 << 53, collectives.Float8E4M3: 1 << 4, collectives.Float8E5M2: 1 << 3,
}

// exponents is the largest n such that 2⁻ⁿ … 2ⁿ are normal numbers of type d.
var exponents = map[collectives.DataType]float64{
	collectives.Float32: 126, collectives.Float64: 1022, collectives.Float16: 14, collectives.BFloat16: 126,
	collectives.Float8E4M3: 6, collectives.Float8E5M2: 14,
}

// tables are the periods of the input and of its reduction over the ranks, as bytes in the machine's order.
//
// What makes a reduction exact in any order: integer sums and products wrap around; minima and maxima are chosen,
// not computed; floating-point sums, and all averages, are of whole numbers whose absolute values add up to no more
// than the type holds exactly; floating-point products are of ±2ᵉ with exponents whose absolute values add up to no
// more than the type's range. fits holds integer sums to the bound of averages. With many ranks and few bits most elements are 0 (or ±1) so that the bound holds.
func tables(d collectives.DataType, r collectives.Reduction, ranks int, fits bool) (inputs, reduced []byte) {
	random := rand.New(rand.NewPCG(uint64(d), uint64(r)))
	if d.Floating() {
		values := floats(random, d, r, ranks)
		put := func(v float64) []byte { return putFloat(d, v) }
		inputs = repeat(values, put)
		if r != copied {
			reduced = repeat(combine(values, r, ranks), put)
		}
		return inputs, reduced
	}
	values := integers(random, d, r, ranks, fits)
	put := func(v int64) []byte { return putInteger(d, v) }
	inputs = repeat(values, put)
	switch {
	case r == copied:
	case d == collectives.Uint64: // whose order is not that of int64
		large := make([]uint64, period)
		for i, v := range values {
			large[i] = uint64(v)
		}
		reduced = repeat(combine(large, r, ranks), func(v uint64) []byte { return putInteger(d, int64(v)) })
	default:
		reduced = repeat(combine(values, r, ranks), put)
	}
	return inputs, reduced
}

func floats(random *rand.Rand, d collectives.DataType, r collectives.Reduction, ranks int) []float64 {
	values := make([]float64, period)
	switch r {
	case collectives.Sum, collectives.Avg:
		return bounded(random, exact[d], -1, ranks)
	case collectives.PreMulSum:
		return bounded(random, exact[d]/collectives.PreMulFactor, -1, ranks)
	case collectives.Prod:
		for i, e := range bounded(random, exponents[d], -1, ranks) {
			values[i] = math.Copysign(math.Ldexp(1, int(e)), random.Float64()-0.5)
		}
	default:
		for i := range values {
			values[i] = math.Round((2*random.Float64() - 1) * exact[d])
		}
	}
	return values
}

func integers(random *rand.Rand, d collectives.DataType, r collectives.Reduction, ranks int, fits bool) []int64 {
	values := make([]int64, period)
	if r == collectives.Avg || fits && r == collectives.Sum {
		low := -1.0
		if unsigned(d) {
			low = 0
		}
		for i, v := range bounded(random, exact[d], low, ranks) {
			values[i] = int64(v)
		}
		return values
	}
	for i := range values {
		v := int64(random.Uint64())
		if r == collectives.Prod {
			v |= 1 // products of odd numbers are odd: none is lost in zeros
		}
		values[i] = getInteger(d, putInteger(d, v))
	}
	return values
}

func unsigned(d collectives.DataType) bool {
	return d == collectives.Uint8 || d == collectives.Uint32 || d == collectives.Uint64
}

// bounded draws whole numbers, evenly spread over low·m … m, with the largest m (but for a quarter) such that at
// every place the absolute values of all ranks add up to limit or less. Below 1, m is twice the part that is not 0 but ±1.
func bounded(random *rand.Rand, limit, low float64, ranks int) []float64 {
	draws := make([]float64, period)
	for i := range draws {
		draws[i] = low + (1-low)*random.Float64()
	}
	values, magnitudes := make([]float64, period), make([]float64, period)
	for m := min(limit, 4*limit/float64(ranks)); ; m *= 0.75 {
		for i, x := range draws {
			switch {
			case m >= 1:
				values[i] = math.Round(x * m)
			case math.Abs(x) < m/2:
				values[i] = math.Copysign(1, x)
			default:
				values[i] = 0
			}
			magnitudes[i] = math.Abs(values[i])
		}
		largest := 0.0
		for _, v := range combine(magnitudes, collectives.Sum, ranks) {
			largest = max(largest, v)
		}
		if largest <= limit {
			return values
		}
	}
}

// combine is the reduction of all ranks' values at each place of the period. Avg divides as Reduction says:
// integers toward zero; in float64 and rounded once more to the type, which is what dividing in the type gives. PreMulSum may
// as well multiply the sum: nothing is rounded.
func combine[T int64 | uint64 | float64](values []T, r collectives.Reduction, ranks int) []T {
	result := make([]T, period)
	for i := range result {
		v := values[(i+phase(0))%period]
		for rank := 1; rank < ranks; rank++ {
			x := values[(i+phase(rank))%period]
			switch r {
			case collectives.Min:
				v = min(v, x)
			case collectives.Max:
				v = max(v, x)
			case collectives.Prod:
				v *= x
			default:
				v += x
			}
		}
		switch r {
		case collectives.Avg:
			v /= T(ranks)
		case collectives.PreMulSum:
			v *= collectives.PreMulFactor
		}
		result[i] = v
	}
	return result
}

// repeat writes repeats + 1 periods, so that repeats of them can be had from any start.
func repeat[T any](values []T, put func(T) []byte) []byte {
	var once []byte
	for _, v := range values {
		once = append(once, put(v)...)
	}
	return bytes.Repeat(once, repeats+1)
}

// Number is a whole number, which the type has to hold, as an element of the type.
func Number(d collectives.DataType, v int) []byte {
	if d.Floating() {
		return putFloat(d, float64(v))
	}
	return putInteger(d, int64(v))
}

func putFloat(d collectives.DataType, v float64) []byte {
	order := binary.NativeEndian
	switch d {
	case collectives.Float64:
		return order.AppendUint64(nil, math.Float64bits(v))
	case collectives.Float16:
		return order.AppendUint16(nil, toFloat16(float32(v)))
	case collectives.BFloat16:
		return order.AppendUint16(nil, toBFloat16(float32(v)))
	case collectives.Float8E4M3:
		return []byte{toFloat8E4M3(float32(v))}
	case collectives.Float8E5M2:
		return []byte{toFloat8E5M2(float32(v))}
	}
	return order.AppendUint32(nil, math.Float32bits(float32(v)))
}

// putInteger keeps the low bits: that is wrapping around.
func putInteger(d collectives.DataType, v int64) []byte {
	switch d.Size() {
	case 1:
		return []byte{byte(v)}
	case 4:
		return binary.NativeEndian.AppendUint32(nil, uint32(v))
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(v))
}

func getInteger(d collectives.DataType, b []byte) int64 {
	switch d {
	case collectives.Int8:
		return int64(int8(b[0]))
	case collectives.Uint8:
		return int64(b[0])
	case collectives.Int32:
		return int64(int32(binary.NativeEndian.Uint32(b)))
	case collectives.Uint32:
		return int64(binary.NativeEndian.Uint32(b))
	}
	return int64(binary.NativeEndian.Uint64(b))
}

// text writes one element as a number.
func text(d collectives.DataType, b []byte) string {
	order := binary.NativeEndian
	switch d {
	case collectives.Float32:
		return strconv.FormatFloat(float64(math.Float32frombits(order.Uint32(b))), 'g', -1, 32)
	case collectives.Float64:
		return strconv.FormatFloat(math.Float64frombits(order.Uint64(b)), 'g', -1, 64)
	case collectives.Float16:
		return strconv.FormatFloat(float64(fromFloat16(order.Uint16(b))), 'g', -1, 32)
	case collectives.BFloat16:
		return strconv.FormatFloat(float64(fromBFloat16(order.Uint16(b))), 'g', -1, 32)
	case collectives.Float8E4M3:
		return strconv.FormatFloat(float64(fromFloat8E4M3(b[0])), 'g', -1, 32)
	case collectives.Float8E5M2:
		return strconv.FormatFloat(float64(fromFloat8E5M2(b[0])), 'g', -1, 32)
	case collectives.Uint64:
		return strconv.FormatUint(order.Uint64(b), 10)
	}
	return strconv.FormatInt(getInteger(d, b), 10)
}
