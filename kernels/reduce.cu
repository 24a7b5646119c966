#include "numbers.cuh"

// wrapping is the type in which integers are added and multiplied, so that they wrap around.
template <class V> struct wrapping { typedef V type; };
template <> struct wrapping<int8_t> { typedef uint8_t type; };
template <> struct wrapping<int32_t> { typedef uint32_t type; };
template <> struct wrapping<int64_t> { typedef uint64_t type; };

template <class V> CB_INLINE V sum(V a, V b) {
	typedef typename wrapping<V>::type U;
	return (V)((U)a + (U)b);
}

template <class V> CB_INLINE V product(V a, V b) {
	typedef typename wrapping<V>::type U;
	return (V)((U)a * (U)b);
}

// Of two equal numbers, or of two of which one is NaN, the lesser and the greater: -0 is less than +0.
template <class V> CB_INLINE V lesser(V a, V) { return a; }
template <class V> CB_INLINE V greater(V a, V) { return a; }
CB_INLINE float lesser(float a, float b) { return a == b ? float_of(bits_of(a) | bits_of(b)) : a + b; }
CB_INLINE float greater(float a, float b) { return a == b ? float_of(bits_of(a) & bits_of(b)) : a + b; }
CB_INLINE double lesser(double a, double b) {
	return a == b ? __longlong_as_double(__double_as_longlong(a) | __double_as_longlong(b)) : a + b;
}
CB_INLINE double greater(double a, double b) {
	return a == b ? __longlong_as_double(__double_as_longlong(a) & __double_as_longlong(b)) : a + b;
}

// Division by the number of ranks; of integers, toward zero.
template <class V> CB_INLINE V quotient(V a, uint32_t n) { return (V)((int64_t)a / (int64_t)n); }
CB_INLINE uint64_t quotient(uint64_t a, uint32_t n) { return a / n; }
CB_INLINE float quotient(float a, uint32_t n) { return a / (float)n; }
CB_INLINE double quotient(double a, uint32_t n) { return a / (double)n; }

template <class V> CB_INLINE V apply(uint32_t op, V a, V b) {
	switch (op) {
	case CB_SUM:
		return sum(a, b);
	case CB_PROD:
		return product(a, b);
	case CB_MIN:
		return a < b ? a : b < a ? b : lesser(a, b);
	}
	return a > b ? a : b > a ? b : greater(a, b);
}

// reduce_elements is cb_reduce for elements first, first + step, … below count.
template <class N>
__device__ __noinline__ void reduce_elements(cb_reduce_params p, uint64_t first, uint64_t step, uint64_t count) {
	typedef typename N::bits T;
	const T *from_a = at_address<const T>(p.a), *from_b = at_address<const T>(p.b);
	const typename N::value scalar = N::widen(*(const T *)&p.scalar);
#pragma unroll 1
	for (uint64_t i = first; i < count; i += step) {
		T a = from_a[i];
		if (p.flags & CB_SCALE_A)
			a = N::narrow(product(N::widen(a), scalar));
		if (p.b) {
			T b = from_b[i];
			if (p.flags & CB_SCALE_B)
				b = N::narrow(product(N::widen(b), scalar));
			a = N::narrow(apply(p.op, N::widen(a), N::widen(b)));
		}
		if (p.divisor > 1)
			a = N::narrow(quotient(N::widen(a), p.divisor));
		at_address<T>(p.out)[i] = a;
	}
}

// reduce_vectors is cb_reduce without scalar and divisor for whole vectors from element `head` on.
template <class N, int op> CB_INLINE void reduce_vectors(const cb_reduce_params &p, uint64_t head, uint64_t vectors) {
	typedef pack<typename N::bits> V;
	uint64_t skip = head * sizeof(typename N::bits);
	const V *a = at_address<const V>(p.a + skip), *b = at_address<const V>(p.b + skip);
	V *out = at_address<V>(p.out + skip);
	share mine = of_grid();
#pragma unroll 1
	for (uint64_t v = mine.index; v < vectors; v += mine.stride) {
		V x = a[v], y = b[v];
#pragma unroll
		for (int k = 0; k < (int)(sizeof(V) / sizeof(typename N::bits)); k++)
			x.at[k] = N::narrow(apply(op, N::widen(x.at[k]), N::widen(y.at[k])));
		out[v] = x;
	}
}

// reduce takes the fast way where it can: all three buffers lie alike, and nothing but the reduction is to be done.
template <class N> CB_INLINE void reduce(const cb_reduce_params &p) {
	const uint64_t in_vector = 16 / sizeof(typename N::bits);
	share mine = of_grid();
	uint64_t head = 0, vectors = 0;
	if (p.b && !p.flags && p.divisor <= 1 && (((p.out ^ p.a) | (p.out ^ p.b)) & 15) == 0) {
		head = least(until_aligned(p.out, 16) / sizeof(typename N::bits), p.count);
		vectors = (p.count - head) / in_vector;
	}
	switch (p.op) {
	case CB_SUM:
		reduce_vectors<N, CB_SUM>(p, head, vectors);
		break;
	case CB_PROD:
		reduce_vectors<N, CB_PROD>(p, head, vectors);
		break;
	case CB_MAX:
		reduce_vectors<N, CB_MAX>(p, head, vectors);
		break;
	case CB_MIN:
		reduce_vectors<N, CB_MIN>(p, head, vectors);
		break;
	}
	reduce_elements<N>(p, mine.index, mine.stride, head);
	reduce_elements<N>(p, head + vectors * in_vector + mine.index, mine.stride, p.count);
}

// cb_reduce combines two buffers into one. Vectors of 16 float8 would make half of the program's size: none for them.
extern "C" __global__ void cb_reduce(const cb_reduce_params p) {
	switch (p.type) {
	case CB_INT8:
		return reduce<plain<int8_t>>(p);
	case CB_UINT8:
		return reduce<plain<uint8_t>>(p);
	case CB_INT32:
		return reduce<plain<int32_t>>(p);
	case CB_UINT32:
		return reduce<plain<uint32_t>>(p);
	case CB_INT64:
		return reduce<plain<int64_t>>(p);
	case CB_UINT64:
		return reduce<plain<uint64_t>>(p);
	case CB_FLOAT16:
		return reduce<float16>(p);
	case CB_FLOAT32:
		return reduce<plain<float>>(p);
	case CB_FLOAT64:
		return reduce<plain<double>>(p);
	case CB_BFLOAT16:
		return reduce<bfloat16>(p);
	case CB_FLOAT8E4M3:
		return reduce_elements<float8e4m3>(p, of_grid().index, of_grid().stride, p.count);
	case CB_FLOAT8E5M2:
		return reduce_elements<float8e5m2>(p, of_grid().index, of_grid().stride, p.count);
	}
}
