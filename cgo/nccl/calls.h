// The functions of libnccl.so.2 that are used, in one list: whether every version from 2.18 on has it, name,
// parameters, and the parameters' names. The table of addresses, the symbols to look up, the calls cb_nccl… that Go can
// make, and the test against the vendor's header are all made of it.
#ifndef COLLBENCH_NCCL_CALLS_H
#define COLLBENCH_NCCL_CALLS_H

#include "nccl.h"

#define CB_REQUIRED 0
#define CB_OPTIONAL 1

#define CB_NCCL_CALLS(CALL) \
	CALL(CB_REQUIRED, ncclGetVersion, (int *version), (version)) \
	CALL(CB_REQUIRED, ncclGetUniqueId, (ncclUniqueId *id), (id)) \
	CALL(CB_REQUIRED, ncclCommInitRankConfig, (ncclComm_t *comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t *config), (comm, ranks, id, rank, config)) \
	CALL(CB_REQUIRED, ncclCommSplit, (ncclComm_t comm, int color, int key, ncclComm_t *part, ncclConfig_t *config), (comm, color, key, part, config)) \
	CALL(CB_REQUIRED, ncclCommFinalize, (ncclComm_t comm), (comm)) \
	CALL(CB_REQUIRED, ncclCommDestroy, (ncclComm_t comm), (comm)) \
	CALL(CB_REQUIRED, ncclCommAbort, (ncclComm_t comm), (comm)) \
	CALL(CB_REQUIRED, ncclCommGetAsyncError, (ncclComm_t comm, ncclResult_t *error), (comm, error)) \
	CALL(CB_REQUIRED, ncclCommCount, (const ncclComm_t comm, int *ranks), (comm, ranks)) \
	CALL(CB_REQUIRED, ncclCommUserRank, (const ncclComm_t comm, int *rank), (comm, rank)) \
	CALL(CB_REQUIRED, ncclGroupStart, (void), ()) \
	CALL(CB_REQUIRED, ncclGroupEnd, (void), ()) \
	CALL(CB_REQUIRED, ncclAllReduce, (const void *send, void *recv, size_t count, ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, op, comm, stream)) \
	CALL(CB_REQUIRED, ncclBroadcast, (const void *send, void *recv, size_t count, ncclDataType_t type, int root, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, root, comm, stream)) \
	CALL(CB_REQUIRED, ncclReduce, (const void *send, void *recv, size_t count, ncclDataType_t type, ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, op, root, comm, stream)) \
	CALL(CB_REQUIRED, ncclAllGather, (const void *send, void *recv, size_t count, ncclDataType_t type, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, comm, stream)) \
	CALL(CB_REQUIRED, ncclReduceScatter, (const void *send, void *recv, size_t count, ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, op, comm, stream)) \
	CALL(CB_REQUIRED, ncclSend, (const void *send, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream), \
		(send, count, type, peer, comm, stream)) \
	CALL(CB_REQUIRED, ncclRecv, (void *recv, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream), \
		(recv, count, type, peer, comm, stream)) \
	CALL(CB_REQUIRED, ncclRedOpCreatePreMulSum, (ncclRedOp_t *op, void *scalar, ncclDataType_t type, ncclScalarResidence_t where, ncclComm_t comm), \
		(op, scalar, type, where, comm)) \
	CALL(CB_REQUIRED, ncclRedOpDestroy, (ncclRedOp_t op, ncclComm_t comm), (op, comm)) \
	CALL(CB_OPTIONAL, ncclMemAlloc, (void **memory, size_t bytes), (memory, bytes)) \
	CALL(CB_OPTIONAL, ncclMemFree, (void *memory), (memory)) \
	CALL(CB_OPTIONAL, ncclCommRegister, (const ncclComm_t comm, void *memory, size_t bytes, void **handle), (comm, memory, bytes, handle)) \
	CALL(CB_OPTIONAL, ncclCommDeregister, (const ncclComm_t comm, void *handle), (comm, handle)) \
	CALL(CB_OPTIONAL, ncclCommWindowRegister, (ncclComm_t comm, void *memory, size_t bytes, ncclWindow_t *window, int flags), (comm, memory, bytes, window, flags)) \
	CALL(CB_OPTIONAL, ncclCommWindowDeregister, (ncclComm_t comm, ncclWindow_t window), (comm, window)) \
	CALL(CB_OPTIONAL, ncclAlltoAll, (const void *send, void *recv, size_t count, ncclDataType_t type, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, comm, stream)) \
	CALL(CB_OPTIONAL, ncclGather, (const void *send, void *recv, size_t count, ncclDataType_t type, int root, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, root, comm, stream)) \
	CALL(CB_OPTIONAL, ncclScatter, (const void *send, void *recv, size_t count, ncclDataType_t type, int root, ncclComm_t comm, cudaStream_t stream), \
		(send, recv, count, type, root, comm, stream))

// Two functions that answer with text.
#define CB_NCCL_TEXTS(CALL) \
	CALL(CB_REQUIRED, ncclGetErrorString, (ncclResult_t result), (result)) \
	CALL(CB_REQUIRED, ncclGetLastError, (ncclComm_t comm), (comm))

#define CB_FIELD(optional, name, parameters, arguments) ncclResult_t (*name) parameters;
#define CB_TEXT_FIELD(optional, name, parameters, arguments) const char *(*name) parameters;
typedef struct { CB_NCCL_CALLS(CB_FIELD) CB_NCCL_TEXTS(CB_TEXT_FIELD) } cb_nccl_table;
#undef CB_FIELD
#undef CB_TEXT_FIELD

// The calls: the library's function, or ncclInvalidUsage where the library lacks it.
#define CB_DECLARE(optional, name, parameters, arguments) ncclResult_t cb_##name parameters;
CB_NCCL_CALLS(CB_DECLARE)
#undef CB_DECLARE

typedef struct { const char *name; void **slot; int optional; } cb_nccl_symbol;
extern cb_nccl_table cb_nccl;
extern cb_nccl_symbol cb_nccl_symbols[];
extern const int cb_nccl_symbol_count;

const char *cb_nccl_error(ncclResult_t result); // NULL while the table is empty
const char *cb_nccl_last_error(ncclComm_t comm);

#endif
