// Ranks that meet the faults of SOFTGPU_FAULT and say what they saw: one line per rank and observation. A rank that
// waits for longer than WAIT_MS aborts its communicator, as collbench's watchdog makes it do.
#include "ranks.h"

static double patience;

// settle waits for a communicator that doesn't block; the error it ends with, or -1: it never came.
static int settle(void) {
	int state = 7;
	for (double end = now() + patience; state == 7 && now() < end; usleep(500))
		if (nccl.ncclCommGetAsyncError(comm, &state))
			return -2;
	return state == 7 ? -1 : state;
}

// finish waits for the stream; 0, the communicator's error, or -1.
static int finish(void) {
	int state;
	for (double end = now() + patience; cu.cuStreamQuery(stream) == 600; usleep(200)) {
		MUST(nccl.ncclCommGetAsyncError(comm, &state));
		if (state)
			return state;
		if (now() > end)
			return -1;
	}
	return 0;
}

static void body(void) {
	int version = 0, device;
	patience = atof(getenv("WAIT_MS") ? getenv("WAIT_MS") : "20000") * 1e-3;
	open_device();
	MUST(cu.cuDriverGetVersion(&device));
	nccl.ncclGetVersion(&version);
	if (rank == 0)
		printf("driver %d nccl %d\n", device, version);
	size_t n = 1000;
	address a;
	int rc = cu.cuMemAlloc_v2(&a, 1 << 16);
	if (rc) {
		printf("rank %d: alloc %d\n", rank, rc);
		return;
	}
	config c = initial();
	c.blocking = 0;
	rc = nccl.ncclCommInitRankConfig(&comm, ranks, meet(), rank, &c);
	if (rc == 7)
		rc = settle();
	if (rc) {
		printf("rank %d: init %d: %s\n", rank, rc, rc > 0 ? nccl.ncclGetLastError(comm) : "hangs");
		if (comm)
			MUST(nccl.ncclCommAbort(comm));
		return;
	}
	float *in = (float *)(uintptr_t)a, *out = (float *)buffer(1 << 14);
	if (nccl.ncclCommWindowRegister) {
		void *window = NULL;
		MUST(nccl.ncclCommWindowRegister(comm, in, 1 << 14, &window, 1));
		printf("rank %d: window %s\n", rank, window ? "yes" : "NULL");
	}
	for (int iteration = 0; iteration < 4; iteration++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (float)(rank + 1);
		double begin = now();
		rc = nccl.ncclAllReduce(in, out, n, 7, 0, comm, stream);
		int background = rc == 7;
		if (getenv("SAY_BACKGROUND") && iteration == 0)
			printf("rank %d: %s\n", rank, background ? "in the background" : "at once");
		if (background)
			rc = settle();
		if (rc && !background) {
			printf("rank %d: all_reduce %d: %s\n", rank, rc, nccl.ncclGetLastError(comm));
			MUST(nccl.ncclCommAbort(comm));
			return;
		}
		if (!rc)
			rc = finish();
		double took = now() - begin;
		if (rc) {
			printf("rank %d: iteration %d %s\n", rank, iteration, rc == -1 ? "hangs" : nccl.ncclGetErrorString(rc));
			MUST(nccl.ncclCommAbort(comm));
			MUST(cu.cuStreamSynchronize(stream)); // an abort ends the kernel
			return;
		}
		size_t wrong = 0;
		for (size_t i = 0; i < n; i++)
			wrong += out[i] != (float)(ranks * (ranks + 1) / 2);
		if (wrong)
			printf("rank %d: iteration %d wrong %zu\n", rank, iteration, wrong);
		if (took > 0.04 && getenv("SAY_SLOW"))
			printf("rank %d: iteration %d slow\n", rank, iteration);
	}
	MUST(nccl.ncclCommDestroy(comm));
	printf("rank %d: done\n", rank);
}

int main(int argc, char **argv) {
	device_stays = getenv("ONE_DEVICE") != NULL; // of each process's visible ones
	return run(atoi(argv[1]), body);
}
