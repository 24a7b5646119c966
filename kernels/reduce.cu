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

template <class V, int op> CB_INLINE V apply(V a, V b) {
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

// combine is cb_reduce for one element.
template <class N, int op> CB_INLINE typename N::bits combine(const cb_reduce_params &p, typename N::bits a, typename N::bits b) {
	typename N::bits scalar = *(const typename N::bits *)&p.scalar;
	if (p.flags & CB_SCALE_A)
		a = N::narrow(product(N::widen(a), N::widen(scalar)));
	if (p.flags & CB_SCALE_B)
		b = N::narrow(product(N::widen(b), N::widen(scalar)));
	if (p.b)
		a = N::narrow(apply<typename N::value, op>(N::widen(a), N::widen(b)));
	if (p.divisor > 1)
		a = N::narrow(quotient(N::widen(a), p.divisor));
	return a;
}

template <class N, int op> CB_INLINE void reduce(const cb_reduce_params &p) {
	typedef typename N::bits T;
	T *out = at_address<T>(p.out);
	const T *a = at_address<const T>(p.a), *b = at_address<const T>(p.b ? p.b : p.a);
	share mine = of_grid();
	uint64_t head = p.count, vectors = 0;
	if (((p.out ^ p.a) & 15) == 0 && (p.b == 0 || ((p.out ^ p.b) & 15) == 0)) {
		head = least(until_aligned(p.out, 16) / sizeof(T), p.count);
		vectors = (p.count - head) * sizeof(T) / 16;
	}
	for (uint64_t v = mine.index; v < vectors; v += mine.stride) {
		pack<T> x = ((const pack<T> *)(a + head))[v], y = ((const pack<T> *)(b + head))[v];
#pragma unroll
		for (int k = 0; k < (int)(16 / sizeof(T)); k++)
			x.at[k] = combine<N, op>(p, x.at[k], y.at[k]);
		((pack<T> *)(out + head))[v] = x;
	}
	uint64_t body = vectors * (16 / sizeof(T));
	for (uint64_t i = mine.index; i < p.count - body; i += mine.stride) {
		uint64_t e = i < head ? i : i + body;
		out[e] = combine<N, op>(p, a[e], b[e]);
	}
}

template <class N> CB_INLINE void reduce_by(const cb_reduce_params &p) {
	switch (p.op) {
	case CB_SUM:
		return reduce<N, CB_SUM>(p);
	case CB_PROD:
		return reduce<N, CB_PROD>(p);
	case CB_MAX:
		return reduce<N, CB_MAX>(p);
	case CB_MIN:
		return reduce<N, CB_MIN>(p);
	}
}

// cb_reduce combines two buffers into one.
extern "C" __global__ void cb_reduce(const cb_reduce_params p) {
	switch (p.type) {
	case CB_INT8:
		return reduce_by<plain<int8_t>>(p);
	case CB_UINT8:
		return reduce_by<plain<uint8_t>>(p);
	case CB_INT32:
		return reduce_by<plain<int32_t>>(p);
	case CB_UINT32:
		return reduce_by<plain<uint32_t>>(p);
	case CB_INT64:
		return reduce_by<plain<int64_t>>(p);
	case CB_UINT64:
		return reduce_by<plain<uint64_t>>(p);
	case CB_FLOAT16:
		return reduce_by<float16>(p);
	case CB_FLOAT32:
		return reduce_by<plain<float>>(p);
	case CB_FLOAT64:
		return reduce_by<plain<double>>(p);
	case CB_BFLOAT16:
		return reduce_by<bfloat16>(p);
	case CB_FLOAT8E4M3:
		return reduce_by<float8e4m3>(p);
	case CB_FLOAT8E5M2:
		return reduce_by<float8e5m2>(p);
	}
}
