// The plain loop that ours is held against: so many all-reduces, and what one takes in nanoseconds.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../nccl.h"

int main(int count, char **arguments) {
	void *library = dlopen(arguments[1], RTLD_NOW);
	ncclResult_t (*all_reduce)(const void *, void *, size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t) = dlsym(library, "ncclAllReduce");
	int n = atoi(arguments[2]);
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < n; i++)
		if (all_reduce(NULL, NULL, 1, ncclFloat32, ncclSum, NULL, NULL) != ncclSuccess)
			return 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.3f\n", ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / n);
	return 0;
}
