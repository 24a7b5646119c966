// Stands for NCCL's names of functions, algorithms, protocols and types. For tests only.
#include "nccl.h"

extern "C" const char softgpu_release[]; // one per library, from the Makefile

SOFTGPU_API const char softgpu_stand_in[] = "softgpu (stand-in) libnccl: results are simulated";

namespace softgpu {

const char *const function_names[] = {"Broadcast", "Reduce", "AllGather", "ReduceScatter", "AllReduce", "SendRecv", "Send",
	"Recv", "AlltoAll", "Scatter", "Gather"};
const char *const algorithm_names[] = {"TREE", "RING", "COLLNET_DIRECT", "COLLNET_CHAIN", "NVLS", "NVLS_TREE", "PAT"};
const char *const algorithm_words[] = {"Tree", "Ring", "CollNetDirect", "CollNetChain", "NVLS", "NVLSTree", "PAT"};
const char *const protocol_names[] = {"LL", "LL128", "SIMPLE"};

const char *type_name(int type) {
	static const char *const names[] = {"ncclInt8", "Unknown", "ncclInt32", "ncclUint32", "ncclInt64", "ncclUint64",
		"ncclFloat16", "ncclFloat32", "ncclFloat64", "ncclBfloat16", "ncclFloat8e4m3", "ncclFloat8e5m2"};
	return type >= 0 && type < 12 ? names[type] : "Unknown";
}

size_t type_size(int type) {
	static const size_t sizes[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};
	return sizes[type];
}

int release() {
	static const int r = version(env("SOFTGPU_NCCL_VERSION"), version(softgpu_release, 0));
	return r;
}

int last_type() { return release() >= 22400 ? 12 : 10; } // float8 came with 2.24

} // namespace softgpu
