// What all kernels share: addresses, 16 bytes at once, and who does what in a grid.
#pragma once

#include "kernels.h"
#ifndef __CUDACC_RTC__
#include "host_cuda.h"
#endif

#define CB_INLINE __device__ __forceinline__

// 16 bytes of elements, loaded and stored as one.
template <class T> struct alignas(16) pack {
	T at[16 / sizeof(T)];
};
typedef pack<uint64_t> vector;

CB_INLINE bool operator==(const vector &a, const vector &b) {
	return ((a.at[0] ^ b.at[0]) | (a.at[1] ^ b.at[1])) == 0;
}

// at_address says that the address is one of global memory, which lets the compiler use the faster instructions.
template <class T> CB_INLINE T *at_address(uint64_t address) {
	return (T *)__cvta_global_to_generic((size_t)address);
}

CB_INLINE uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

// The bytes from an address to the next multiple of `to`, a power of two.
CB_INLINE uint64_t until_aligned(uint64_t address, uint32_t to) { return -address & (to - 1); }

// A thread's part of work that is cut into equal pieces: it takes the pieces index, index + stride, …
struct share {
	uint64_t index, stride;
};

CB_INLINE share of_grid() {
	return {(uint64_t)blockIdx.x * blockDim.x + threadIdx.x, (uint64_t)gridDim.x * blockDim.x};
}
