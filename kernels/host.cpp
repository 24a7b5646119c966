//go:build ignore

// The kernels for the host: g++ -std=c++17 -O2 -ffp-contract=off -fno-strict-aliasing. Contracting a product and a sum
// would round once where the device rounds twice.
#include "kernels.h"
#include "host.h"
#include "host_cuda.h"

namespace {
#include "kernels.cu"
} // namespace

template <class P, void (*kernel)(P)> static void grid(const void *params, unsigned grid_x, unsigned block_x) {
	P p;
	memcpy(&p, params, sizeof p);
	gridDim = {grid_x, 1, 1};
	blockDim = {block_x, 1, 1};
	for (unsigned b = 0; b < grid_x; b++) {
		for (unsigned t = 0; t < block_x; t++) {
			blockIdx = {b, 0, 0};
			threadIdx = {t, 0, 0};
			kernel(p);
		}
	}
}

extern "C" const struct cb_host_kernel cb_host_kernels[] = {
	{"cb_fill", grid<cb_fill_params, cb_fill>, sizeof(cb_fill_params)},
	{"cb_verify", grid<cb_verify_params, cb_verify>, sizeof(cb_verify_params)},
	{"cb_reduce", grid<cb_reduce_params, cb_reduce>, sizeof(cb_reduce_params)},
	{"cb_copy", grid<cb_copy_params, cb_copy>, sizeof(cb_copy_params)},
};
extern "C" const unsigned cb_host_kernels_count = sizeof cb_host_kernels / sizeof cb_host_kernels[0];
