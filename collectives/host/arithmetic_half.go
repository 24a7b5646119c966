package host

import "math"

// fromBFloat16 is exact: a bfloat16 is the upper half of a float32.
func fromBFloat16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// toBFloat16 rounds to nearest, ties to even. What is beyond the largest finite number becomes infinite.
func toBFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	if f != f {
		return uint16(bits>>16) | 0x7fff
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// fromFloat16 is exact. The exponent is moved by a multiplication, which makes subnormal numbers normal as well.
func fromFloat16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	magnitude := uint32(h & 0x7fff)
	if magnitude >= 0x7c00 { // infinite or NaN
		return math.Float32frombits(sign | 0x7f800000 | magnitude&0x3ff<<13)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude<<13)*0x1p112))
}

// toFloat16 rounds to nearest, ties to even. What is beyond the largest finite number becomes infinite.
func toFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN
		return sign | 0x7fff
	case magnitude >= 0x477ff000: // 65520 and beyond
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2⁻¹⁴: subnormal. Adding 0.5 leaves units of 2⁻²⁴, rounded by the FPU.
		return sign | uint16(math.Float32bits(math.Float32frombits(magnitude)+0.5)-0x3f000000)
	}
	return sign | uint16((magnitude-0x38000000+0xfff+magnitude>>13&1)>>13)
}
