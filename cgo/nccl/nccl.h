// Our own declarations of what is used of NCCL, under the vendor's names, as in NCCL 2.18 to 2.32 (abi.tsv). A program
// never has both this and the vendor's nccl.h.
#ifndef COLLBENCH_NCCL_H
#define COLLBENCH_NCCL_H

#include <limits.h>
#include <stddef.h>

#define CB_DECLARED_VERSION 23007 // the version whose structs these are

typedef struct ncclComm *ncclComm_t;
typedef struct ncclWindow *ncclWindow_t;
typedef struct CUstream_st *cudaStream_t;
typedef struct { char internal[128]; } ncclUniqueId;
typedef int ncclDataType_t;
typedef int ncclRedOp_t;
typedef int ncclScalarResidence_t;

typedef enum {
	ncclSuccess = 0, ncclUnhandledCudaError = 1, ncclSystemError = 2, ncclInternalError = 3, ncclInvalidArgument = 4,
	ncclInvalidUsage = 5, ncclRemoteError = 6, ncclInProgress = 7, ncclTimeout = 8,
} ncclResult_t;

enum {
	ncclInt8 = 0, ncclUint8 = 1, ncclInt32 = 2, ncclUint32 = 3, ncclInt64 = 4, ncclUint64 = 5, ncclFloat16 = 6, ncclFloat32 = 7,
	ncclFloat64 = 8, ncclBfloat16 = 9, ncclFloat8e4m3 = 10, ncclFloat8e5m2 = 11,
};
enum { ncclSum = 0, ncclProd = 1, ncclMax = 2, ncclMin = 3, ncclAvg = 4 };
enum { ncclScalarDevice = 0, ncclScalarHostImmediate = 1 };
enum { NCCL_WIN_COLL_SYMMETRIC = 1, NCCL_SPLIT_NOCOLOR = -1 };

// Append-only: a library that is older takes the beginning, one that is newer the defaults for the rest.
typedef struct {
	size_t size;
	unsigned int magic;
	unsigned int version;
	int blocking;
	int cgaClusterSize;
	int minCTAs;
	int maxCTAs;
	const char *netName;
	int splitShare;
	int trafficClass; // 2.26
	const char *commName; // 2.27
	int collnetEnable;
	int CTAPolicy;
	int shrinkShare;
	int nvlsCTAs;
	int nChannelsPerNetPeer; // 2.28
	int nvlinkCentricSched;
	int graphUsageMode; // 2.29
	int numRmaCtx;
	int maxP2pPeers; // 2.30
	int graphStreamOrdering;
} ncclConfig_t;

#define CB_CONFIG_MAGIC 0xcafebeef
#define CB_UNDEFINED INT_MIN

#endif
