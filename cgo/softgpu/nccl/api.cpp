// Stands for NCCL's collectives and its sends and receives: checks of the arguments, then into the group. For tests only.
#include "comm.h"

#include <cstring>

namespace softgpu {

ncclResult_t append(ncclComm *comm, const Operation &o); // group.cpp

bool empty_mode() {
	static const bool on = env_number("SOFTGPU_EMPTY", 0) == 1;
	return on;
}

static ncclResult_t check(ncclComm *comm, const char *call, Operation *o) {
	if (auto rc = usable(comm, call))
		return rc;
	if (o->peer < 0 || o->peer >= comm->ranks) {
		warn(comm->device, "%s : invalid root %d (root should be in the 0..%d range)", call, o->peer, comm->ranks);
		return ncclInvalidArgument;
	}
	if (o->type < 0 || o->type >= last_type()) {
		warn(comm->device, "%s : invalid type %d", call, o->type);
		return ncclInvalidArgument;
	}
	if (o->op < 0) {
		warn(comm->device, "%s : invalid reduction operation %d", call, o->op);
		return ncclInvalidArgument;
	}
	if (o->op < ncclNumOps)
		return ncclSuccess;
	size_t custom = size_t(o->op - ncclNumOps);
	if (custom >= comm->customs.size() || !comm->customs[custom].used) {
		warn(comm->device, "%s : reduction operation %d unknown to this communicator", call, o->op);
		return ncclInvalidArgument;
	}
	if (comm->customs[custom].type != o->type) {
		warn(comm->device, "Data type supplied to user-created ncclRedOp_t does not match type given to reduction operation");
		return ncclInvalidArgument;
	}
	o->op = ncclSum;
	o->scaled = true;
	o->scalar = comm->customs[custom].scalar;
	return ncclSuccess;
}

static ncclResult_t call(ncclComm *comm, const char *name, Function f, const void *send, void *receive, size_t count, int type,
	int op, int peer, cudaStream_t stream) {
	if (empty_mode())
		return ncclSuccess;
	Operation o{f, send, receive, count, type, op, peer, stream};
	if (auto rc = check(comm, name, &o))
		return rc;
	return append(comm, o);
}

} // namespace softgpu

using namespace softgpu;

SOFTGPU_API ncclResult_t ncclAllReduce(const void *send, void *receive, size_t count, int type, int op, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "AllReduce", AllReduce, send, receive, count, type, op, 0, s);
}

SOFTGPU_API ncclResult_t ncclReduce(const void *send, void *receive, size_t count, int type, int op, int root, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "Reduce", Reduce, send, receive, count, type, op, root, s);
}

SOFTGPU_API ncclResult_t ncclBroadcast(const void *send, void *receive, size_t count, int type, int root, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "Broadcast", Broadcast, send, receive, count, type, ncclSum, root, s);
}

SOFTGPU_API ncclResult_t ncclBcast(void *buffer, size_t count, int type, int root, ncclComm_t comm, cudaStream_t s) {
	return ncclBroadcast(buffer, buffer, count, type, root, comm, s);
}

SOFTGPU_API ncclResult_t ncclAllGather(const void *send, void *receive, size_t count, int type, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "AllGather", AllGather, send, receive, count, type, ncclSum, 0, s);
}

SOFTGPU_API ncclResult_t ncclReduceScatter(const void *send, void *receive, size_t count, int type, int op, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "ReduceScatter", ReduceScatter, send, receive, count, type, op, 0, s);
}

SOFTGPU_API ncclResult_t ncclSend(const void *buffer, size_t count, int type, int peer, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "Send", Send, buffer, nullptr, count, type, ncclSum, peer, s);
}

SOFTGPU_API ncclResult_t ncclRecv(void *buffer, size_t count, int type, int peer, ncclComm_t comm, cudaStream_t s) {
	return call(comm, "Recv", Recv, nullptr, buffer, count, type, ncclSum, peer, s);
}

SOFTGPU_API ncclResult_t ncclGroupStart();
SOFTGPU_API ncclResult_t ncclGroupEnd();

// From here on sends and receives in a group, as NCCL carries these out too.
static ncclResult_t blocks(const void *send, void *receive, size_t count, int type, int root, ncclComm_t comm, cudaStream_t s) {
	if (empty_mode())
		return ncclSuccess;
	if (auto rc = usable(comm, "group"))
		return rc;
	if (type < 0 || type >= last_type())
		return ncclInvalidArgument;
	size_t bytes = count * type_size(type);
	bool all = root < 0, to_me = all || comm->rank == root;
	ncclGroupStart();
	for (int r = 0; r < comm->ranks; r++) {
		if (send && (all || r == root))
			ncclSend(static_cast<const char *>(send) + (all ? bytes * size_t(r) : 0), count, type, r, comm, s);
		if (receive && to_me)
			ncclRecv(static_cast<char *>(receive) + bytes * size_t(r), count, type, r, comm, s);
	}
	return ncclGroupEnd();
}

SOFTGPU_API ncclResult_t ncclAlltoAll(const void *send, void *receive, size_t count, int type, ncclComm_t comm, cudaStream_t s) {
	return blocks(send, receive, count, type, -1, comm, s);
}

SOFTGPU_API ncclResult_t ncclGather(const void *send, void *receive, size_t count, int type, int root, ncclComm_t comm, cudaStream_t s) {
	return blocks(send, receive, count, type, root, comm, s);
}

SOFTGPU_API ncclResult_t ncclScatter(const void *send, void *receive, size_t count, int type, int root, ncclComm_t comm, cudaStream_t s) {
	if (empty_mode())
		return ncclSuccess;
	if (auto rc = usable(comm, "Scatter"))
		return rc;
	if (type < 0 || type >= last_type())
		return ncclInvalidArgument;
	ncclGroupStart();
	for (int r = 0; comm->rank == root && r < comm->ranks; r++)
		ncclSend(static_cast<const char *>(send) + count * type_size(type) * size_t(r), count, type, r, comm, s);
	ncclRecv(receive, count, type, root, comm, s);
	return ncclGroupEnd();
}

SOFTGPU_API ncclResult_t ncclCommCount(ncclComm_t comm, int *count) {
	if (auto rc = usable(comm, "CommCount"))
		return rc;
	*count = comm->ranks;
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclCommCuDevice(ncclComm_t comm, int *device) {
	if (auto rc = usable(comm, "CommCuDevice"))
		return rc;
	*device = comm->device;
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclCommUserRank(ncclComm_t comm, int *rank) {
	if (auto rc = usable(comm, "CommUserRank"))
		return rc;
	*rank = comm->rank;
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclRedOpCreatePreMulSum(int *op, void *scalar, int type, int residence, ncclComm_t comm) {
	if (auto rc = usable(comm, "ncclRedOpCreatePreMulSum"))
		return rc;
	if (!op || !scalar || type < 0 || type >= last_type() || residence < 0 || residence > 1)
		return ncclInvalidArgument;
	Custom custom{true, type, 0}; // device memory is host memory here, so both residences are read now
	memcpy(&custom.scalar, scalar, type_size(type));
	size_t place = 0;
	while (place < comm->customs.size() && comm->customs[place].used)
		place++;
	if (place == comm->customs.size())
		comm->customs.push_back(custom);
	comm->customs[place] = custom;
	*op = ncclNumOps + int(place);
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclRedOpDestroy(int op, ncclComm_t comm) {
	if (auto rc = usable(comm, "ncclRedOpDestroy"))
		return rc;
	if (op < ncclNumOps) {
		warn(comm->device, "ncclRedOpDestroy : operator is a NCCL builtin.");
		return ncclInvalidArgument;
	}
	size_t custom = size_t(op - ncclNumOps);
	if (custom >= comm->customs.size() || !comm->customs[custom].used) {
		warn(comm->device, "ncclRedOpDestroy : operator unknown to this communicator.");
		return ncclInvalidArgument;
	}
	comm->customs[custom].used = false;
	return ncclSuccess;
}

SOFTGPU_API const char *ncclGetErrorString(int code) {
	static const char *const texts[] = {"no error", "unhandled cuda error (run with NCCL_DEBUG=INFO for details)",
		"unhandled system error (run with NCCL_DEBUG=INFO for details)", "internal error - please report this issue to the NCCL developers",
		"invalid argument (run with NCCL_DEBUG=WARN for details)", "invalid usage (run with NCCL_DEBUG=WARN for details)",
		"remote process exited or there was a network error", "NCCL operation in progress", "timeout"};
	int known = release() >= 23000 ? 9 : 8;
	return code >= 0 && code < known ? texts[code] : "unknown result code";
}

SOFTGPU_API const char *ncclGetLastError(ncclComm_t) { return last_error(); }
