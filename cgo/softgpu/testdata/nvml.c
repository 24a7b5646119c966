// Two ranks that ask the stand-in libnvidia-ml who they are, how they're connected and what crossed their links. Prints
// one line per fact, rank 0's.
#include "ranks.h"

typedef struct { unsigned field, scope; long long timestamp, latency; int type, result; union { unsigned long long ull; } value; } field_value;
static void *library;
#define N(name, types) ((int (*) types)symbol(library, #name, 0))

static unsigned long long counter(void *device, unsigned field, unsigned link) {
	field_value f = {field, link, 0, 0, 0, 0, {0}};
	MUST(N(nvmlDeviceGetFieldValues, (void *, int, field_value *))(device, 1, &f));
	return f.result ? (unsigned long long)-f.result : f.value.ull;
}

static void body(void) {
	void *device, *other;
	char text[96];
	unsigned count, mig, pending;
	int active, links = 0, level, status, mode;
	unsigned long long reasons;
	library = dlopen("libnvidia-ml.so.1", RTLD_NOW);
	if (!library || !symbol(library, "softgpu_stand_in", 0))
		exit(3);
	open_device();
	if (N(nvmlDeviceGetCount_v2, (unsigned *))(&count) != 1)
		exit(4); // not initialized
	MUST(N(nvmlInit_v2, (void))());
	MUST(N(nvmlDeviceGetCount_v2, (unsigned *))(&count));
	MUST(N(nvmlDeviceGetHandleByIndex_v2, (unsigned, void **))((unsigned)rank, &device));
	MUST(N(nvmlDeviceGetHandleByIndex_v2, (unsigned, void **))((unsigned)(1 - rank), &other));
	MUST(N(nvmlDeviceGetName, (void *, char *, unsigned))(device, text, sizeof text));
	for (unsigned l = 0; l < 18; l++) {
		MUST(N(nvmlDeviceGetNvLinkState, (void *, unsigned, int *))(device, l, &active));
		links += active;
	}
	MUST(N(nvmlDeviceGetTopologyCommonAncestor, (void *, void *, int *))(device, other, &level));
	MUST(N(nvmlDeviceGetP2PStatus, (void *, void *, int, int *))(device, other, 2, &status));
	MUST(N(nvmlDeviceGetMigMode, (void *, unsigned *, unsigned *))(device, &mig, &pending));
	MUST(N(nvmlDeviceGetVirtualizationMode, (void *, int *))(device, &mode));
	MUST(N(nvmlDeviceGetCurrentClocksThrottleReasons, (void *, unsigned long long *))(device, &reasons));
	if (rank == 0)
		printf("%u devices, %s\n%d links, level %d, nvlink %d\nmig %u, virtualization %d, throttle %llu\n", count, text, links, level, status, mig, mode, reasons);
	MUST(nccl.ncclCommInitRank(&comm, ranks, meet(), rank));
	char *in = buffer(1 << 20), *out = buffer(1 << 20);
	MUST(nccl.ncclAllReduce(in, out, 1 << 18, 7, 0, comm, stream));
	MUST(cu.cuStreamSynchronize(stream));
	if (rank == 0) {
		unsigned long long all = counter(device, 138, ~0u), sum = 0;
		for (unsigned l = 0; l < 18; l++)
			sum += counter(device, 138, l);
		printf("sent %llu KiB, by link %s\n", all, all - sum < 18 ? "the same" : "not");
		if (getenv("SOFTGPU_COUNTERS"))
			usleep(50000), printf("the other received %llu KiB\n", counter(other, 139, ~0u));
	}
	MUST(nccl.ncclCommDestroy(comm));
}

int main(void) { return run(2, body); }
