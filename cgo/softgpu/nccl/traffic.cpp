// Stands for the bytes that NCCL's algorithms put on the links, as the field counts them. For tests only.
#include "comm.h"

#include "../common/traffic.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace softgpu {

static Traffic *open_counters() {
	const size_t size = sizeof(Traffic) * traffic_devices;
	int file = env("SOFTGPU_COUNTERS") ? open(env("SOFTGPU_COUNTERS"), O_RDWR | O_CLOEXEC) : -1;
	void *base = file >= 0 && ftruncate(file, off_t(size)) == 0 ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
	if (file >= 0)
		close(file);
	return base == MAP_FAILED ? new Traffic[traffic_devices]() : static_cast<Traffic *>(base);
}

SOFTGPU_API Traffic *softgpu_traffic() {
	static Traffic *const counters = open_counters();
	return counters;
}

// share is what one rank sends for each byte of the message: a ring's 2(N-1)/N of an all-reduce, the (N+1)/N of NVLink
// SHARP, the 1 of a network that reduces.
static double share(ncclComm *comm, const Operation &o) {
	double n = comm->ranks;
	switch (o.function) {
	case AllReduce:
		return o.algorithm == NVLS || o.algorithm == NVLSTree ? (n + 1) / n : o.algorithm == CollNetDirect || o.algorithm == CollNetChain ? 1 : 2 * (n - 1) / n;
	case AllGather: case ReduceScatter: return n - 1; // of a block
	default: return o.peer == comm->rank && o.function >= SendRecv ? 0 : 1;
	}
}

void count_traffic(ncclComm *comm, const Operation &o) {
	if (comm->device < 0 || comm->device >= traffic_devices || comm->ranks == 1)
		return;
	auto bytes = uint64_t(double(o.count * type_size(o.type)) * share(comm, o) + 0.5);
	Traffic &t = softgpu_traffic()[comm->device];
	if (o.function != Recv)
		t.sent += bytes;
	if (o.function != Send)
		t.received += bytes;
}

} // namespace softgpu
