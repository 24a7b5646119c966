// What the fake library's functions do that a test looks at. Its clock counts operations: each takes a millisecond, or with
// FAKE_GROWS the n-th all-reduce n of them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../loop.h"
#include "../../profiler.h"

static FILE *out;
static int hang, background, polls, plugin, issued, grows;
static double clock_ms;
static struct CUevent_st { double at; } pool[1024];
static int events;

__attribute__((constructor)) static void begin(void) {
	const char *path = getenv("FAKE_LOG");
	out = path != NULL ? fopen(path, "a") : NULL;
}

static int setting(const char *name) {
	const char *text = getenv(name);
	return text != NULL ? atoi(text) : 0;
}

static ncclResult_t done(const char *format, ...) {
	clock_ms += 1;
	if (out == NULL)
		return ncclSuccess;
	va_list list;
	va_start(list, format);
	vfprintf(out, format, list);
	va_end(list);
	fputc('\n', out);
	fflush(out);
	return ncclSuccess;
}

// The driver.

CUresult cuInit(unsigned int flags) { return setting("FAKE_CUINIT"); }
CUresult cuDriverGetVersion(int *v) { return *v = setting("FAKE_DRIVER"), CUDA_SUCCESS; }
CUresult cuGetErrorName(CUresult e, const char **text) { return *text = e == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_OTHER", CUDA_SUCCESS; }
CUresult cuGetErrorString(CUresult e, const char **text) { return *text = e == 100 ? "no CUDA-capable device is detected" : "other", CUDA_SUCCESS; }
CUresult cuEventCreate(CUevent *e, unsigned int flags) { return *e = &pool[events++], CUDA_SUCCESS; }
CUresult cuEventRecord(CUevent e, CUstream s) { return e->at = clock_ms, CUDA_SUCCESS; }
CUresult cuEventElapsedTime(float *ms, CUevent a, CUevent b) { return *ms = b->at - a->at, CUDA_SUCCESS; }
static CUresult query(void) { return hang || ++polls % 3 != 0 ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS; }
CUresult cuEventQuery(CUevent e) { return query(); }
CUresult cuStreamQuery(CUstream s) { return query(); }
CUresult cuGraphLaunch(CUgraphExec g, CUstream s) { return done("graph"); }
CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, CUstream s, void **parameters, void **extra) {
	done("kernel of %ux%u, iteration %u", gx, bx, ((unsigned *)parameters[0])[1]);
	return CUDA_SUCCESS;
}

// What marks stand-ins.
const char softgpu_stand_in[] = "the fake of the tests";

// NCCL.

ncclResult_t ncclGetVersion(int *v) { return *v = setting("FAKE_NCCL"), ncclSuccess; }
const char *ncclGetErrorString(ncclResult_t r) { return r == ncclRemoteError ? "remote process exited or there was a network error" : "other"; }
const char *ncclGetLastError(ncclComm_t c) { return "said the fake\n"; }

static ncclProfiler_v1_t *v1;
static ncclProfiler_v2_t *v2;
static ncclProfiler_v3_t *v3;
static ncclProfiler_v4_t *v4;
static ncclProfiler_v5_t *v5;
static ncclProfiler_v6_t *v6;

static void start_profiler(void) {
	void *self = dlopen(NULL, RTLD_NOW | RTLD_LOCAL), *context = NULL;
	int mask = 0;
	switch (plugin = setting("FAKE_PROFILER")) {
	case 1: (v1 = dlsym(self, "ncclProfiler_v1"))->init(&context, &mask); break;
	case 2: (v2 = dlsym(self, "ncclProfiler_v2"))->init(&context, &mask); break;
	case 3: (v3 = dlsym(self, "ncclProfiler_v3"))->init(&context, &mask); break;
	case 4: (v4 = dlsym(self, "ncclProfiler_v4"))->init(&context, &mask, "name", 1, 1, 2, 0, NULL); break;
	case 5: (v5 = dlsym(self, "ncclProfiler_v5"))->init(&context, 1, &mask, "name", 1, 2, 0, NULL); break;
	case 6: (v6 = dlsym(self, "ncclProfiler_v6"))->init(&context, 1, &mask, "name", 1, 2, 0, NULL); break;
	}
	if (plugin != 0)
		done("profiler %d, mask %d, context %s", plugin, mask, context != NULL ? "yes" : "no");
}

#define TELL(version, channels) { \
	ncclProfilerEventDescr_v##version##_t e = {.type = ncclProfileColl}; \
	e.coll.func = "AllReduce"; e.coll.count = count; e.coll.datatype = "ncclFloat32"; e.coll.algo = "NVLS"; e.coll.proto = "SIMPLE"; e.coll.channels = 16; \
	v##version->startEvent(NULL, &handle, &e); \
	break; \
}

static void profile(size_t count) {
	void *handle;
	if (plugin >= 5) {
		ncclProfilerEventDescr_v6_t e = {.type = ncclProfileCollApi};
		e.collApi.func = "AllReduce", e.collApi.count = count, e.collApi.datatype = "ncclFloat32";
		(plugin == 5 ? v5->startEvent : v6->startEvent)(NULL, &handle, &e);
	}
	if (setting("FAKE_SYMMETRIC"))
		return;
	switch (plugin) {
	case 1: {
		ncclProfilerEventDescr_v1_t e = {.type = ncclProfileColl};
		e.coll.func = 4, e.coll.count = count, e.coll.datatype = ncclFloat32, e.coll.algo = 4, e.coll.proto = 2, e.coll.nMaxChannels = 16;
		v1->startEvent(NULL, &handle, &e);
		break;
	}
	case 2: TELL(2, nMaxChannels)
	case 3: TELL(3, nMaxChannels)
	case 4: TELL(4, nChannels)
	case 5: TELL(5, nChannels)
	case 6: TELL(6, nChannels)
	}
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t *c) {
	*comm = (ncclComm_t)&pool;
	hang = setting("FAKE_HANG"), background = setting("FAKE_BACKGROUND"), grows = setting("FAKE_GROWS");
	start_profiler();
	done("init of %d/%d, size %zu, version %u, blocking %d, maxCTAs %d, minCTAs %s", rank, ranks, c->size, c->version, c->blocking, c->maxCTAs,
		c->minCTAs == INT_MIN ? "undefined" : "defined");
	return ncclInProgress;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *r) {
	*r = setting("FAKE_INIT_HANG") || ++polls % 3 != 0 ? ncclInProgress : issued ? background : ncclSuccess;
	return ncclSuccess;
}
ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t *part, ncclConfig_t *c) {
	*part = color == NCCL_SPLIT_NOCOLOR ? NULL : (ncclComm_t)&pool[1];
	return done("split color %d key %d", color, key), ncclInProgress;
}
ncclResult_t ncclCommUserRank(ncclComm_t c, int *rank) { return *rank = 3, ncclSuccess; }
ncclResult_t ncclCommCount(ncclComm_t c, int *ranks) { return *ranks = 5, ncclSuccess; }
ncclResult_t ncclRedOpCreatePreMulSum(ncclRedOp_t *op, void *scalar, ncclDataType_t t, ncclScalarResidence_t where, ncclComm_t c) {
	return *op = 77, done("premulsum of %g, type %d, place %d", *(float *)scalar, t, where);
}
ncclResult_t ncclCommRegister(ncclComm_t c, void *p, size_t n, void **handle) { return *handle = p, done("register %ld, %zu bytes", (long)p, n); }
ncclResult_t ncclCommDeregister(ncclComm_t c, void *handle) { return done("deregister %ld", (long)handle); }
ncclResult_t ncclCommAbort(ncclComm_t c) { return done("abort"); }
ncclResult_t ncclCommFinalize(ncclComm_t c) { return done("finalize"), ncclInProgress; }
ncclResult_t ncclCommDestroy(ncclComm_t c) { return done("destroy"); }
ncclResult_t ncclCommWindowRegister(ncclComm_t comm, void *p, size_t n, ncclWindow_t *w, int flags) { return *w = NULL, ncclSuccess; }
ncclResult_t ncclGroupStart(void) { return clock_ms -= 1, done("("); }
ncclResult_t ncclGroupEnd(void) { return clock_ms -= 1, done(")"); }
ncclResult_t ncclAllReduce(const void *s, void *r, size_t n, ncclDataType_t t, ncclRedOp_t o, ncclComm_t c, cudaStream_t q) {
	clock_ms += grows * issued++;
	if (plugin != 0)
		profile(n);
	return done("all_reduce %ld %ld %zu %d %d", (long)s, (long)r, n, t, o);
}
ncclResult_t ncclBroadcast(const void *s, void *r, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t q) { return done("broadcast %zu root %d", n, root); }
ncclResult_t ncclReduce(const void *s, void *r, size_t n, ncclDataType_t t, ncclRedOp_t o, int root, ncclComm_t c, cudaStream_t q) { return done("reduce %zu op %d root %d", n, o, root); }
ncclResult_t ncclAllGather(const void *s, void *r, size_t n, ncclDataType_t t, ncclComm_t c, cudaStream_t q) { return done("all_gather %zu", n); }
ncclResult_t ncclReduceScatter(const void *s, void *r, size_t n, ncclDataType_t t, ncclRedOp_t o, ncclComm_t c, cudaStream_t q) { return done("reduce_scatter %zu op %d", n, o); }
ncclResult_t ncclAlltoAll(const void *s, void *r, size_t n, ncclDataType_t t, ncclComm_t c, cudaStream_t q) { return done("all_to_all %zu", n); }
ncclResult_t ncclGather(const void *s, void *r, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t q) { return done("gather %zu root %d", n, root); }
ncclResult_t ncclScatter(const void *s, void *r, size_t n, ncclDataType_t t, int root, ncclComm_t c, cudaStream_t q) { return done("scatter %zu root %d", n, root); }
ncclResult_t ncclSend(const void *s, size_t n, ncclDataType_t t, int peer, ncclComm_t c, cudaStream_t q) { return done("send %ld %zu to %d", (long)s, n, peer); }
ncclResult_t ncclRecv(void *r, size_t n, ncclDataType_t t, int peer, ncclComm_t c, cudaStream_t q) { return done("recv %ld %zu from %d", (long)r, n, peer); }
