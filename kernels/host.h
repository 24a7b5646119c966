// The kernels as functions of the host, for stand-ins and tests: host.cpp, built by g++, defines what is declared here.
#ifndef COLLBENCH_KERNELS_HOST_H
#define COLLBENCH_KERNELS_HOST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// run carries out a whole grid in the calling thread, thread by thread. Several threads of the host may run kernels at
// once. Addresses in the params are the host's.
struct cb_host_kernel {
	const char *name;
	void (*run)(const void *params, unsigned grid_x, unsigned block_x);
	size_t params_size;
};
extern const struct cb_host_kernel cb_host_kernels[];
extern const unsigned cb_host_kernels_count;

#ifdef __cplusplus
}
#endif
#endif
