package host

import "math"

// fromFloat8E4M3 is exact. The exponent is moved by a multiplication, which makes subnormal numbers normal as well.
func fromFloat8E4M3(x uint8) float32 {
	sign, magnitude := uint32(x&0x80)<<24, uint32(x&0x7f)
	if magnitude == 0x7f { // NaN; there are no infinities
		return math.Float32frombits(sign | 0x7fc00000)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude<<20)*0x1p120))
}

func toFloat8E4M3(f float32) uint8 { return toFloat8(f, 3, 7, 0x7e) }

// fromFloat8E5M2 is exact.
func fromFloat8E5M2(x uint8) float32 { return fromFloat16(uint16(x) << 8) }

func toFloat8E5M2(f float32) uint8 { return toFloat8(f, 2, 15, 0x7b) }

// toFloat8 rounds to nearest, ties to even, into so many bits of significand. What is beyond the largest finite number,
// infinity included, becomes that, as in NCCL's own conversions.
func toFloat8(f float32, significand, bias int, largest uint32) uint8 {
	drop, zeroExponent := 23-significand, uint32(127-bias)<<23
	bits := math.Float32bits(f)
	sign, magnitude := uint8(bits>>24&0x80), bits&0x7fffffff
	if magnitude > 0x7f800000 {
		return sign | 0x7f
	}
	var rounded uint32
	if magnitude < zeroExponent+1<<23 { // subnormal: adding leaves its units, rounded by the FPU
		units := zeroExponent + uint32(drop+1)<<23
		rounded = math.Float32bits(math.Float32frombits(magnitude)+math.Float32frombits(units)) - units
	} else {
		rounded = (magnitude - zeroExponent + 1<<(drop-1) - 1 + magnitude>>drop&1) >> drop
	}
	return sign | uint8(min(rounded, largest))
}
