// Stands for the structures of NCCL's profiler interface, ncclProfiler_v1 to _v6: our own declarations, from the headers
// of the releases. Only the events that the stand-in raises; each descriptor is as long as NCCL's or longer.
#pragma once

#include "nccl.h"

#include <sys/types.h>

namespace softgpu {

enum Event { GroupEvent = 1, CollEvent = 2, P2pEvent = 4, ProxyOpEvent = 8, ProxyStepEvent = 16, KernelChEvent = 64, NetPluginEvent = 128,
	GroupApiEvent = 256, CollApiEvent = 512, P2pApiEvent = 1024, KernelLaunchEvent = 2048 };
enum State { KernelChStop = 22, GroupStartApiStop = 23, GroupEndApiStart = 24 };

struct ProfilerSymbol { // ncclProfiler_vN_t, N = 1 … 6
	const char *name;
	void *init;
	int (*start)(void *context, void **handle, void *descriptor);
	int (*stop)(void *handle);
	int (*record)(void *handle, int state, void *arguments);
	int (*finalize)(void *context);
};
typedef int (*ProfilerInit1)(void **context, int *mask);
typedef int (*ProfilerInit4)(void **context, int *mask, const char *name, uint64_t hash, int nodes, int ranks, int rank, Logger);
typedef int (*ProfilerInit5)(void **context, uint64_t id, int *mask, const char *name, int nodes, int ranks, int rank, Logger);

struct Descriptor1 { // algorithm and protocol as numbers
	uint8_t type;
	void *parent;
	int rank;
	union {
		struct { const char *name; uint64_t hash, sequence; uint8_t func; const void *send; void *receive; size_t count; int root; uint8_t datatype;
			uint32_t op; size_t traffic; uint8_t channels, warps, algo, proto; int collnet, nvls; } coll;
		struct { const char *name; uint64_t hash; uint8_t func; void *buffer; uint8_t datatype; size_t count; int peer; } p2p;
	};
};

struct Descriptor2 {
	uint8_t type;
	void *parent;
	int rank;
	union {
		struct { const char *name; uint64_t hash, sequence; const char *func; const void *send; void *receive; size_t count; int root; const char *datatype;
			size_t traffic; uint8_t channels, warps; const char *algo, *proto; } coll;
		struct { const char *name; uint64_t hash; const char *func; void *buffer; const char *datatype; size_t count; int peer; } p2p;
	};
};

struct Descriptor3 { // without the bytes of traffic, with channels of kernels
	uint8_t type;
	void *parent;
	int rank;
	union {
		struct { const char *name; uint64_t hash, sequence; const char *func; const void *send; void *receive; size_t count; int root; const char *datatype;
			uint8_t channels, warps; const char *algo, *proto; } coll;
		struct { const char *name; uint64_t hash; const char *func; void *buffer; const char *datatype; size_t count; int peer; } p2p;
		struct { uint8_t channel; } kernel;
	};
};

struct Descriptor4 {
	uint8_t type;
	void *parent;
	int rank;
	union {
		struct { uint64_t sequence; const char *func; const void *send; void *receive; size_t count; int root; const char *datatype; uint8_t channels, warps;
			const char *algo, *proto; } coll;
		struct { const char *func; void *buffer; const char *datatype; size_t count; int peer; uint8_t channels; } p2p;
		struct { uint8_t channel; uint64_t timer; } kernel;
	};
};

struct Descriptor5 { // and 6, whose further events (copy engines) are not raised
	uint64_t type;
	void *parent;
	int rank;
	union {
		struct { bool captured; int depth; } group_api;
		struct { const char *func; size_t count; const char *datatype; int root; void *stream; bool captured; } coll_api;
		struct { const char *func; size_t count; const char *datatype; void *stream; bool captured; } p2p_api;
		struct { void *stream; } launch;
		struct { uint64_t sequence; const char *func; const void *send; void *receive; size_t count; int root; const char *datatype; uint8_t channels, warps;
			const char *algo, *proto; void *group; } coll;
		struct { const char *func; void *buffer; const char *datatype; size_t count; int peer; uint8_t channels; void *group; } p2p;
		struct { uint8_t channel; uint64_t timer; } kernel;
		char whole[112]; // of v6's largest, an operation of copy engines
	};
};

union KernelState { uint64_t timer; char whole[16]; };

} // namespace softgpu
