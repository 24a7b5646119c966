// The data types: how the bits of an element become a number to calculate with, and back. The same code runs on the
// host, where float16 is converted by hand.
#pragma once

#include "device.cuh"

CB_INLINE uint32_t bits_of(float f) { return __float_as_uint(f); }
CB_INLINE float float_of(uint32_t bits) { return __uint_as_float(bits); }

CB_INLINE float from_float16(uint16_t h) {
#ifdef __CUDACC_RTC__
	float f;
	asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
	return f;
#else
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = h & 0x7fff;
	if (magnitude >= 0x7c00) // infinite or NaN
		return float_of(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
	return float_of(sign | bits_of(float_of(magnitude << 13) * 0x1p112f)); // subnormal numbers become normal
#endif
}

CB_INLINE uint16_t to_float16(float f) {
#ifdef __CUDACC_RTC__
	uint16_t h;
	asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
	return h;
#else
	uint32_t bits = bits_of(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
	if (magnitude > 0x7f800000) // NaN
		return sign | 0x7fff;
	if (magnitude >= 0x477ff000) // 65520 and beyond
		return sign | 0x7c00;
	if (magnitude < 0x38800000) // below 2^-14: subnormal. Adding 0.5 leaves units of 2^-24, rounded by the FPU.
		return sign | (bits_of(float_of(magnitude) + 0.5f) - 0x3f000000);
	return sign | (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
#endif
}

CB_INLINE float from_bfloat16(uint16_t b) { return float_of((uint32_t)b << 16); }

CB_INLINE uint16_t to_bfloat16(float f) {
	uint32_t bits = bits_of(f);
	return f != f ? bits >> 16 | 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// float8 as in "FP8 formats for deep learning" (Micikevicius et al., 2022): e4m3 has no infinity and NaN is S.1111.111;
// e5m2 is the upper half of a float16.
CB_INLINE float from_float8e4m3(uint8_t x) {
	uint32_t sign = (uint32_t)(x & 0x80) << 24, magnitude = x & 0x7f;
	if (magnitude == 0x7f)
		return float_of(sign | 0x7fc00000);
	return float_of(sign | bits_of(float_of(magnitude << 20) * 0x1p120f));
}

CB_INLINE float from_float8e5m2(uint8_t x) { return from_float16((uint16_t)x << 8); }

// to_float8 rounds to nearest, ties to even, into so many bits of significand; what is beyond the largest finite
// number, infinity included, becomes that (satfinite, as NCCL's own conversions are).
template <int significand, int bias, uint32_t largest> CB_INLINE uint8_t to_float8(float f) {
	const int drop = 23 - significand;
	uint32_t bits = bits_of(f), sign = bits >> 24 & 0x80, magnitude = bits & 0x7fffffff;
	const uint32_t zero_exponent = (uint32_t)(127 - bias) << 23;
	if (magnitude > 0x7f800000)
		return sign | 0x7f;
	uint32_t rounded;
	if (magnitude < zero_exponent + (1u << 23)) { // subnormal: adding leaves its units, rounded by the FPU
		const uint32_t units = zero_exponent + ((uint32_t)(drop + 1) << 23);
		rounded = bits_of(float_of(magnitude) + float_of(units)) - units;
	} else {
		rounded = (magnitude - zero_exponent + (1u << (drop - 1)) - 1 + (magnitude >> drop & 1)) >> drop;
	}
	return sign | (rounded < largest ? rounded : largest);
}

// A type: what an element is in memory (bits) and in calculations (value).
template <class T> struct plain {
	typedef T bits;
	typedef T value;
	static CB_INLINE T widen(T x) { return x; }
	static CB_INLINE T narrow(T x) { return x; }
};
struct float16 {
	typedef uint16_t bits;
	typedef float value;
	static CB_INLINE float widen(uint16_t x) { return from_float16(x); }
	static CB_INLINE uint16_t narrow(float x) { return to_float16(x); }
};
struct bfloat16 {
	typedef uint16_t bits;
	typedef float value;
	static CB_INLINE float widen(uint16_t x) { return from_bfloat16(x); }
	static CB_INLINE uint16_t narrow(float x) { return to_bfloat16(x); }
};
struct float8e4m3 {
	typedef uint8_t bits;
	typedef float value;
	static CB_INLINE float widen(uint8_t x) { return from_float8e4m3(x); }
	static CB_INLINE uint8_t narrow(float x) { return to_float8<3, 7, 0x7e>(x); }
};
struct float8e5m2 {
	typedef uint8_t bits;
	typedef float value;
	static CB_INLINE float widen(uint8_t x) { return from_float8e5m2(x); }
	static CB_INLINE uint8_t narrow(float x) { return to_float8<2, 15, 0x7b>(x); }
};

// The bytes of an element.
CB_INLINE uint32_t size_of(uint32_t type) {
	switch (type) {
	case CB_INT64:
	case CB_UINT64:
	case CB_FLOAT64:
		return 8;
	case CB_INT32:
	case CB_UINT32:
	case CB_FLOAT32:
		return 4;
	case CB_FLOAT16:
	case CB_BFLOAT16:
		return 2;
	}
	return 1;
}
