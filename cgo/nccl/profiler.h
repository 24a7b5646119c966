// The profiler plugin's structs, versions 1 to 6, as far as we read them (profiler.tsv): names as in the plugin headers of
// NCCL 2.23 to 2.30. NCCL makes the descriptors, so what follows the last union member in use is left out.
#ifndef COLLBENCH_NCCL_PROFILER_H
#define COLLBENCH_NCCL_PROFILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nccl.h"

enum { ncclProfileColl = 1 << 1, ncclProfileP2p = 1 << 2, ncclProfileCollApi = 1 << 9, ncclProfileP2pApi = 1 << 10, ncclProfileCeColl = 1 << 12 };

typedef struct {
	uint8_t type;
	void *parentObj;
	int rank;
	union {
		struct {
			const char *name;
			uint64_t commHash;
			uint64_t seqNumber;
			uint8_t func;
			void const *sendBuff;
			void *recvBuff;
			size_t count;
			int root;
			uint8_t datatype;
			uint32_t op;
			size_t trafficBytes;
			uint8_t nMaxChannels;
			uint8_t nWarps;
			uint8_t algo;
			uint8_t proto;
		} coll;
		struct { const char *name; uint64_t commHash; uint8_t func; void *buff; uint8_t datatype; size_t count; int peer; } p2p;
	};
} ncclProfilerEventDescr_v1_t;

typedef struct {
	uint8_t type;
	void *parentObj;
	int rank;
	union {
		struct {
			const char *name;
			uint64_t commHash;
			uint64_t seqNumber;
			const char *func;
			void const *sendBuff;
			void *recvBuff;
			size_t count;
			int root;
			const char *datatype;
			size_t trafficBytes;
			uint8_t nMaxChannels;
			uint8_t nWarps;
			const char *algo;
			const char *proto;
		} coll;
		struct { const char *name; uint64_t commHash; const char *func; void *buff; const char *datatype; size_t count; int peer; } p2p;
	};
} ncclProfilerEventDescr_v2_t;

typedef struct {
	uint8_t type;
	void *parentObj;
	int rank;
	union {
		struct {
			const char *name;
			uint64_t commHash;
			uint64_t seqNumber;
			const char *func;
			void const *sendBuff;
			void *recvBuff;
			size_t count;
			int root;
			const char *datatype;
			uint8_t nMaxChannels;
			uint8_t nWarps;
			const char *algo;
			const char *proto;
		} coll;
		struct { const char *name; uint64_t commHash; const char *func; void *buff; const char *datatype; size_t count; int peer; } p2p;
	};
} ncclProfilerEventDescr_v3_t;

#define CB_COLL_V4 \
	uint64_t seqNumber; \
	const char *func; \
	void const *sendBuff; \
	void *recvBuff; \
	size_t count; \
	int root; \
	const char *datatype; \
	uint8_t nChannels; \
	uint8_t nWarps; \
	const char *algo; \
	const char *proto;
#define CB_P2P_V4 const char *func; void *buff; const char *datatype; size_t count; int peer; uint8_t nChannels;

typedef struct {
	uint8_t type;
	void *parentObj;
	int rank;
	union {
		struct { CB_COLL_V4 } coll;
		struct { CB_P2P_V4 } p2p;
	};
} ncclProfilerEventDescr_v4_t;

typedef struct {
	uint64_t type;
	void *parentObj;
	int rank;
	union {
		struct { const char *func; size_t count; const char *datatype; int root; void *stream; bool graphCaptured; } collApi;
		struct { const char *func; size_t count; const char *datatype; void *stream; bool graphCaptured; } p2pApi;
		struct { CB_COLL_V4 } coll;
		struct { CB_P2P_V4 } p2p;
		struct { // version 6
			uint64_t seqNumber;
			const char *func;
			void const *sendBuff;
			void *recvBuff;
			size_t count;
			int root;
			const char *datatype;
			const char *syncStrategy;
		} ceColl;
	};
} ncclProfilerEventDescr_v6_t;
typedef ncclProfilerEventDescr_v6_t ncclProfilerEventDescr_v5_t; // which lacks ceColl

// The plugin itself. Only init and the descriptor differ.
#define CB_PROFILER(version, ...) \
	typedef struct { \
		const char *name; \
		ncclResult_t (*init)(__VA_ARGS__); \
		ncclResult_t (*startEvent)(void *context, void **handle, ncclProfilerEventDescr_v##version##_t *event); \
		ncclResult_t (*stopEvent)(void *handle); \
		ncclResult_t (*recordEventState)(void *handle, int state, void *arguments); \
		ncclResult_t (*finalize)(void *context); \
	} ncclProfiler_v##version##_t;

CB_PROFILER(1, void **context, int *mask)
CB_PROFILER(2, void **context, int *mask)
CB_PROFILER(3, void **context, int *mask)
CB_PROFILER(4, void **context, int *mask, const char *name, uint64_t hash, int nodes, int ranks, int rank, void (*log)(void))
CB_PROFILER(5, void **context, uint64_t id, int *mask, const char *name, int nodes, int ranks, int rank, void (*log)(void))
CB_PROFILER(6, void **context, uint64_t id, int *mask, const char *name, int nodes, int ranks, int rank, void (*log)(void))

#endif
