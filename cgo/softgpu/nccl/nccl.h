// Stands for nccl.h: our own declaration of the types and numbers that the stand-in needs, as in NCCL 2.18 … 2.30.
// A stand-in for tests only.
#pragma once

#include "../common/softgpu.h"

#include <cstdint>

struct ncclComm;
typedef ncclComm *ncclComm_t;
typedef struct CUstream_st *cudaStream_t;
struct ncclUniqueId { char internal[128]; };

enum ncclResult_t {
	ncclSuccess, ncclUnhandledCudaError, ncclSystemError, ncclInternalError, ncclInvalidArgument, ncclInvalidUsage,
	ncclRemoteError, ncclInProgress, ncclTimeout
};
enum ncclRedOp_t { ncclSum, ncclProd, ncclMax, ncclMin, ncclAvg, ncclNumOps };
enum ncclDataType_t {
	ncclInt8, ncclUint8, ncclInt32, ncclUint32, ncclInt64, ncclUint64, ncclFloat16, ncclFloat32, ncclFloat64,
	ncclBfloat16, ncclFloat8e4m3, ncclFloat8e5m2
};

// The configuration as of 2.30. An older caller's is shorter: size says how much of it there is, version which of its
// fields it knows.
struct ncclConfig_t {
	size_t size;
	unsigned magic, version;
	int blocking, cgaClusterSize, minCTAs, maxCTAs;
	const char *netName;
	int splitShare, trafficClass;
	const char *commName;
	int collnetEnable, CTAPolicy, shrinkShare, nvlsCTAs, nChannelsPerNetPeer, nvlinkCentricSched, graphUsageMode,
		numRmaCtx, maxP2pPeers, graphStreamOrdering;
};
struct ncclSimInfo_t { size_t size; unsigned magic, version; float estimatedTime; };
struct ncclWindow_vidmem { void *buffer; size_t size; };
typedef ncclWindow_vidmem *ncclWindow_t;

// Numbers of NCCL's own headers that the profiler and the tuner see.
enum Function { Broadcast, Reduce, AllGather, ReduceScatter, AllReduce, SendRecv, Send, Recv, AlltoAll, Scatter, Gather, Functions };
enum Algorithm { Tree, Ring, CollNetDirect, CollNetChain, NVLS, NVLSTree, PAT, Algorithms };
enum Protocol { LL, LL128, Simple, Protocols };
const int Tuned = 5; // the first so many functions are tuned: Broadcast … AllReduce

typedef void (*Logger)(int level, unsigned long flags, const char *file, int line, const char *format, ...);

namespace softgpu {
extern const char *const function_names[Functions];  // "AllReduce"
extern const char *const algorithm_names[Algorithms]; // "COLLNET_DIRECT", as logs and profilers see them
extern const char *const algorithm_words[Algorithms]; // "CollNetDirect", as NCCL_ALGO takes them
extern const char *const protocol_names[Protocols];   // "SIMPLE"
const char *type_name(int type);                      // "ncclFloat32", "Unknown" as NCCL has it for uint8
size_t type_size(int type);
int release(); // 22105 for 2.21.5: the library's, or SOFTGPU_NCCL_VERSION
int last_type(); // one more than the largest type of the release

enum Subsystem { INIT = 1, COLL = 2, P2P = 4, TUNING = 0x40, ENV = 0x80, NVLS_ = 0x800, ANY = ~0 };
void info(int device, unsigned subsystems, const char *format, ...) __attribute__((format(printf, 3, 4)));
void warn(int device, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool logs_version(); // NCCL_DEBUG=VERSION and more
const char *last_error();
void plugin_logger(int level, unsigned long flags, const char *file, int line, const char *format, ...);
} // namespace softgpu
