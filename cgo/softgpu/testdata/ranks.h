// What the test programs share: our own declarations of libcuda's and libnccl's calls, found by dlopen, and ranks as
// processes, each with its own device.
#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct { char bytes[128]; } unique_id;
typedef struct {
	size_t size;
	unsigned magic, version;
	int blocking, cga, min_ctas, max_ctas;
	const char *net;
	int split_share, traffic_class;
	const char *name;
	int rest[10];
} config;
typedef unsigned long long address;

static struct {
	int (*cuInit)(unsigned), (*cuDriverGetVersion)(int *), (*cuDevicePrimaryCtxRetain)(void **, int), (*cuCtxSetCurrent)(void *);
	int (*cuStreamCreate)(void **, unsigned), (*cuStreamSynchronize)(void *), (*cuStreamQuery)(void *), (*cuStreamBeginCapture_v2)(void *, int), (*cuStreamDestroy_v2)(void *);
	int (*cuStreamEndCapture)(void *, void **), (*cuGraphInstantiateWithFlags)(void **, void *, unsigned long long), (*cuGraphLaunch)(void *, void *);
	int (*cuMemAlloc_v2)(address *, size_t), (*cuMemFree_v2)(address), (*cuMemsetD8_v2)(address, unsigned char, size_t);
} cu;
static struct {
	int (*ncclGetVersion)(int *), (*ncclGetUniqueId)(unique_id *), (*ncclCommInitRank)(void **, int, unique_id, int);
	int (*ncclCommInitRankConfig)(void **, int, unique_id, int, config *), (*ncclCommSplit)(void *, int, int, void **, config *);
	int (*ncclCommDestroy)(void *), (*ncclCommAbort)(void *), (*ncclCommGetAsyncError)(void *, int *), (*ncclGroupStart)(void), (*ncclGroupEnd)(void);
	const char *(*ncclGetErrorString)(int), *(*ncclGetLastError)(void *);
	int (*ncclAllReduce)(const void *, void *, size_t, int, int, void *, void *), (*ncclBroadcast)(const void *, void *, size_t, int, int, void *, void *);
	int (*ncclReduce)(const void *, void *, size_t, int, int, int, void *, void *), (*ncclAllGather)(const void *, void *, size_t, int, void *, void *);
	int (*ncclReduceScatter)(const void *, void *, size_t, int, int, void *, void *);
	int (*ncclSend)(const void *, size_t, int, int, void *, void *), (*ncclRecv)(void *, size_t, int, int, void *, void *);
	int (*ncclRedOpCreatePreMulSum)(int *, void *, int, int, void *), (*ncclRedOpDestroy)(int, void *);
	// Not in every release: NULL then.
	int (*ncclMemAlloc)(void **, size_t), (*ncclCommWindowRegister)(void *, void *, size_t, void **, int);
	int (*ncclAlltoAll)(const void *, void *, size_t, int, void *, void *), (*ncclGather)(const void *, void *, size_t, int, int, void *, void *);
	int (*ncclScatter)(const void *, void *, size_t, int, int, void *, void *);
} nccl;

#define MUST(call) do { int rc_ = (call); if (rc_) { printf("rank %d: %s answers %d: %s\n", rank, #call, rc_, nccl.ncclGetLastError ? nccl.ncclGetLastError(NULL) : ""); exit(1); } } while (0)

static int rank, ranks, device_stays;
static void *stream, *comm;

static void *symbol(void *library, const char *name, int optional) {
	void *found = dlsym(library, name);
	if (!found && !optional) {
		printf("rank %d: %s\n", rank, dlerror());
		exit(3);
	}
	return found;
}

#define FIND(table, library, name, optional) (*(void **)&table.name = symbol(library, #name, optional))

static void load(void) {
	void *c = dlopen("libcuda.so.1", RTLD_NOW), *n = dlopen("libnccl.so.2", RTLD_NOW);
	if (!c || !n) {
		printf("%s\n", dlerror());
		exit(3);
	}
	if (!dlsym(c, "softgpu_stand_in") || !dlsym(n, "softgpu_stand_in")) {
		printf("not the stand-in libraries\n");
		exit(3);
	}
	FIND(cu, c, cuInit, 0), FIND(cu, c, cuDriverGetVersion, 0), FIND(cu, c, cuDevicePrimaryCtxRetain, 0), FIND(cu, c, cuCtxSetCurrent, 0);
	FIND(cu, c, cuStreamCreate, 0), FIND(cu, c, cuStreamSynchronize, 0), FIND(cu, c, cuStreamQuery, 0), FIND(cu, c, cuStreamDestroy_v2, 0), FIND(cu, c, cuStreamBeginCapture_v2, 0);
	FIND(cu, c, cuStreamEndCapture, 0), FIND(cu, c, cuGraphInstantiateWithFlags, 0), FIND(cu, c, cuGraphLaunch, 0);
	FIND(cu, c, cuMemAlloc_v2, 0), FIND(cu, c, cuMemFree_v2, 0), FIND(cu, c, cuMemsetD8_v2, 0);
	FIND(nccl, n, ncclGetVersion, 0), FIND(nccl, n, ncclGetUniqueId, 0), FIND(nccl, n, ncclCommInitRank, 0), FIND(nccl, n, ncclCommInitRankConfig, 0);
	FIND(nccl, n, ncclCommSplit, 0), FIND(nccl, n, ncclCommDestroy, 0), FIND(nccl, n, ncclCommAbort, 0), FIND(nccl, n, ncclCommGetAsyncError, 0);
	FIND(nccl, n, ncclGroupStart, 0), FIND(nccl, n, ncclGroupEnd, 0), FIND(nccl, n, ncclGetErrorString, 0), FIND(nccl, n, ncclGetLastError, 0);
	FIND(nccl, n, ncclAllReduce, 0), FIND(nccl, n, ncclBroadcast, 0), FIND(nccl, n, ncclReduce, 0), FIND(nccl, n, ncclAllGather, 0), FIND(nccl, n, ncclReduceScatter, 0);
	FIND(nccl, n, ncclSend, 0), FIND(nccl, n, ncclRecv, 0), FIND(nccl, n, ncclRedOpCreatePreMulSum, 0), FIND(nccl, n, ncclRedOpDestroy, 0);
	FIND(nccl, n, ncclMemAlloc, 1), FIND(nccl, n, ncclCommWindowRegister, 1), FIND(nccl, n, ncclAlltoAll, 1), FIND(nccl, n, ncclGather, 1), FIND(nccl, n, ncclScatter, 1);
}

static void open_device(void) {
	void *context;
	MUST(cu.cuInit(0));
	MUST(cu.cuDevicePrimaryCtxRetain(&context, device_stays ? 0 : rank));
	MUST(cu.cuCtxSetCurrent(context));
	MUST(cu.cuStreamCreate(&stream, 1));
}

static config initial(void) {
	config c = {sizeof c, 0xcafebeef, 23007, INT_MIN, INT_MIN, INT_MIN, INT_MIN, NULL, INT_MIN, INT_MIN, NULL, {0}};
	for (int i = 0; i < 10; i++)
		c.rest[i] = INT_MIN;
	return c;
}

static char *buffer(size_t size) {
	address a = 0;
	MUST(cu.cuMemAlloc_v2(&a, size));
	return (char *)(uintptr_t)a;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

// A box that all ranks see: the unique id, and whether it's there.
struct box { volatile int ready; unique_id id; };
static struct box *box;

static unique_id meet(void) {
	if (rank == 0) {
		MUST(nccl.ncclGetUniqueId(&box->id));
		__atomic_store_n(&box->ready, 1, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(&box->ready, __ATOMIC_ACQUIRE))
		usleep(200);
	return box->id;
}

// run starts so many ranks; the answer is the first exit status that is not 0.
static int run(int n, void (*body)(void)) {
	ranks = n;
	box = (struct box *)mmap(NULL, sizeof *box, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (rank = 0; rank < n; rank++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody is left of a test that was killed
			load();
			body();
			exit(0);
		}
	int status, worst = 0;
	for (int i = 0; i < n; i++)
		if (wait(&status) > 0 && !worst)
			worst = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return worst;
}
