#include "profiler.h"

#include <string.h>

#include "record.h"

#define EXPORTED __attribute__((visibility("default")))

cb_operation_record cb_records[CB_RECORDS];
uint64_t cb_records_lost;
int cb_profiler_version, cb_profiler_communicators;

static uint32_t hash(const cb_operation_key *k) { // FNV-1a
	uint32_t h = 2166136261u;
	for (const unsigned char *p = (const unsigned char *)k; p < (const unsigned char *)(k + 1); p++)
		h = (h ^ *p) * 16777619u;
	return h;
}

// count adds one to the record of the key. Threads may do it at once, without locks: an empty place is taken by whoever
// changes its state; one that is being written is passed by, so a key may have two records.
static void count(const cb_operation_key *key) {
	uint32_t start = hash(key);
	for (int i = 0; i < CB_RECORDS; i++) {
		cb_operation_record *r = &cb_records[(start + i) % CB_RECORDS];
		uint32_t empty = 0, state = __atomic_load_n(&r->state, __ATOMIC_ACQUIRE);
		if (state == 0 && __atomic_compare_exchange_n(&r->state, &empty, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			r->key = *key;
			__atomic_store_n(&r->times, 1, __ATOMIC_RELAXED);
			__atomic_store_n(&r->state, 2, __ATOMIC_RELEASE);
			return;
		}
		if (state == 2 && memcmp(&r->key, key, sizeof *key) == 0) {
			__atomic_add_fetch(&r->times, 1, __ATOMIC_RELAXED);
			return;
		}
	}
	__atomic_add_fetch(&cb_records_lost, 1, __ATOMIC_RELAXED);
}

uint64_t cb_record_times(int i) {
	return __atomic_load_n(&cb_records[i].state, __ATOMIC_ACQUIRE) == 2 ? __atomic_load_n(&cb_records[i].times, __ATOMIC_RELAXED) : 0;
}

void cb_records_clear(void) {
	memset(cb_records, 0, sizeof cb_records);
	cb_records_lost = 0;
}

// set copies text that may be missing; the rest of the field stays 0, as the key is compared by its bytes.
#define set(field, text) do { const char *t = (text); if (t != NULL) strncpy(field, t, sizeof(field) - 1); } while (0)

static void operation(int event, const char *function, const char *datatype, size_t elements, unsigned channels, const char *algorithm, const char *protocol) {
	cb_operation_key k;
	memset(&k, 0, sizeof k);
	k.event = event;
	k.channels = channels;
	k.count = elements;
	set(k.function, function);
	set(k.datatype, datatype);
	set(k.algorithm, algorithm);
	set(k.protocol, protocol);
	count(&k);
}

static ncclResult_t begin(int version, int wanted, void **context, int *mask) {
	*context = &cb_profiler_version; // anything: NCCL finalizes what has a context
	*mask = wanted;
	__atomic_store_n(&cb_profiler_version, version, __ATOMIC_RELAXED);
	__atomic_add_fetch(&cb_profiler_communicators, 1, __ATOMIC_RELAXED);
	return ncclSuccess;
}

static ncclResult_t finalize(void *context) {
	(void)context;
	__atomic_sub_fetch(&cb_profiler_communicators, 1, __ATOMIC_RELAXED);
	return ncclSuccess;
}

static ncclResult_t stop_event(void *handle) { return (void)handle, ncclSuccess; }

static ncclResult_t record_state(void *handle, int state, void *arguments) { return (void)handle, (void)state, (void)arguments, ncclSuccess; }

// Version 1 has numbers where later ones have names: those of NCCL 2.23 (src/include/nccl_common.h, nccl.h.in).
static const char *const functions[] = {"Broadcast", "Reduce", "AllGather", "ReduceScatter", "AllReduce", "SendRecv", "Send", "Recv"};
static const char *const datatypes[] = {"ncclInt8", "ncclUint8", "ncclInt32", "ncclUint32", "ncclInt64", "ncclUint64", "ncclFloat16", "ncclFloat32",
	"ncclFloat64", "ncclBfloat16"};
static const char *const algorithms[] = {"TREE", "RING", "COLLNET_DIRECT", "COLLNET_CHAIN", "NVLS", "NVLS_TREE", "PAT"};
static const char *const protocols[] = {"LL", "LL128", "SIMPLE"};
#define NAME(list, i) ((i) < sizeof list / sizeof *list ? list[i] : NULL)

static ncclResult_t init_v1(void **context, int *mask) { return begin(1, ncclProfileColl | ncclProfileP2p, context, mask); }

static ncclResult_t start_v1(void *context, void **handle, ncclProfilerEventDescr_v1_t *e) {
	(void)context;
	*handle = NULL;
	if (e->type == ncclProfileColl)
		operation(CB_EVENT_COLL, NAME(functions, e->coll.func), NAME(datatypes, e->coll.datatype), e->coll.count, e->coll.nMaxChannels,
			NAME(algorithms, e->coll.algo), NAME(protocols, e->coll.proto));
	else if (e->type == ncclProfileP2p)
		operation(CB_EVENT_P2P, NAME(functions, e->p2p.func), NAME(datatypes, e->p2p.datatype), e->p2p.count, 0, NULL, NULL);
	return ncclSuccess;
}

#define START(version, channels_of_coll, channels_of_p2p, more) \
	static ncclResult_t start_v##version(void *context, void **handle, ncclProfilerEventDescr_v##version##_t *e) { \
		(void)context; \
		*handle = NULL; \
		if (e->type == ncclProfileColl) \
			operation(CB_EVENT_COLL, e->coll.func, e->coll.datatype, e->coll.count, channels_of_coll, e->coll.algo, e->coll.proto); \
		else if (e->type == ncclProfileP2p) \
			operation(CB_EVENT_P2P, e->p2p.func, e->p2p.datatype, e->p2p.count, channels_of_p2p, NULL, NULL); \
		more \
		return ncclSuccess; \
	}
#define API \
	else if (e->type == ncclProfileCollApi) \
		operation(CB_EVENT_COLL_API, e->collApi.func, e->collApi.datatype, e->collApi.count, 0, NULL, NULL); \
	else if (e->type == ncclProfileP2pApi) \
		operation(CB_EVENT_P2P_API, e->p2pApi.func, e->p2pApi.datatype, e->p2pApi.count, 0, NULL, NULL);
#define COPY_ENGINE \
	else if (e->type == ncclProfileCeColl) \
		operation(CB_EVENT_COPY_ENGINE, e->ceColl.func, e->ceColl.datatype, e->ceColl.count, 0, NULL, NULL);
START(2, e->coll.nMaxChannels, 0, )
START(3, e->coll.nMaxChannels, 0, )
START(4, e->coll.nChannels, e->p2p.nChannels, )
START(5, e->coll.nChannels, e->p2p.nChannels, API)
START(6, e->coll.nChannels, e->p2p.nChannels, API COPY_ENGINE)

static ncclResult_t init_v2(void **context, int *mask) { return begin(2, ncclProfileColl | ncclProfileP2p, context, mask); }
static ncclResult_t init_v3(void **context, int *mask) { return begin(3, ncclProfileColl | ncclProfileP2p, context, mask); }

static ncclResult_t init_v4(void **context, int *mask, const char *name, uint64_t hash, int nodes, int ranks, int rank, void (*log)(void)) {
	(void)name, (void)hash, (void)nodes, (void)ranks, (void)rank, (void)log;
	return begin(4, ncclProfileColl | ncclProfileP2p, context, mask);
}

#define INIT(version, wanted) \
	static ncclResult_t init_v##version(void **context, uint64_t id, int *mask, const char *name, int nodes, int ranks, int rank, void (*log)(void)) { \
		(void)id, (void)name, (void)nodes, (void)ranks, (void)rank, (void)log; \
		return begin(version, wanted, context, mask); \
	}
INIT(5, ncclProfileColl | ncclProfileP2p | ncclProfileCollApi | ncclProfileP2pApi)
INIT(6, ncclProfileColl | ncclProfileP2p | ncclProfileCollApi | ncclProfileP2pApi | ncclProfileCeColl)

// What NCCL looks up in this program when NCCL_PROFILER_PLUGIN=STATIC_PLUGIN: the newest version that it knows.
#define PLUGIN(version) \
	EXPORTED ncclProfiler_v##version##_t ncclProfiler_v##version = {"collbench", init_v##version, start_v##version, stop_event, record_state, finalize};
PLUGIN(1)
PLUGIN(2)
PLUGIN(3)
PLUGIN(4)
PLUGIN(5)
PLUGIN(6)
