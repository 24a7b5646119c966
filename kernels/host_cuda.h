// What the kernels' sources need of CUDA, for a host's C++ compiler: a thread of the grid is a call of the kernel, and
// the threads run one after the other (host.cpp). So no kernel may wait for another thread of its grid.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __global__
#define __device__
#define __forceinline__ inline
#define __noinline__

struct cb_dim {
	unsigned x, y, z;
};
static thread_local cb_dim threadIdx, blockIdx, blockDim, gridDim;

static inline void *__cvta_global_to_generic(size_t address) { return (void *)address; }

template <class To, class From> static inline To cb_same_bits(From from) {
	static_assert(sizeof(To) == sizeof(From));
	To to;
	memcpy(&to, &from, sizeof to);
	return to;
}
static inline unsigned __float_as_uint(float f) { return cb_same_bits<unsigned>(f); }
static inline float __uint_as_float(unsigned u) { return cb_same_bits<float>(u); }
static inline long long __double_as_longlong(double d) { return cb_same_bits<long long>(d); }
static inline double __longlong_as_double(long long l) { return cb_same_bits<double>(l); }

// Several launches may run at once, in threads of the host.
template <class T> static inline T atomicAdd(T *at, T x) { return __atomic_fetch_add(at, x, __ATOMIC_RELAXED); }
template <class T> static inline T atomicExch(T *at, T x) { return __atomic_exchange_n(at, x, __ATOMIC_SEQ_CST); }
template <class T> static inline T atomicCAS(T *at, T expected, T x) {
	__atomic_compare_exchange_n(at, &expected, x, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return expected;
}
static inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
