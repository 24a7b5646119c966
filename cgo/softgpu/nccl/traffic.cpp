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

struct Share { double sent, received; };

// share is what one rank sends and receives for each byte of the message or block: a ring's 2(N-1)/N of an all-reduce, the
// (N+1)/N of NVLink SHARP, the 1 of a network that reduces. A broadcast goes around the ring from the root, a reduction
// to it.
static Share share(ncclComm *comm, const Operation &o) {
	double n = comm->ranks;
	bool nvls = o.algorithm == NVLS || o.algorithm == NVLSTree, first = comm->rank == o.peer;
	bool last = comm->rank == (o.peer + comm->ranks - 1) % comm->ranks;
	switch (o.function) {
	case AllReduce: {
		double both = nvls ? (n + 1) / n : o.algorithm == CollNetDirect || o.algorithm == CollNetChain ? 1 : 2 * (n - 1) / n;
		return {both, both};
	}
	case AllGather: return nvls ? Share{1, n} : Share{n - 1, n - 1};
	case ReduceScatter: return nvls ? Share{n, 1} : Share{n - 1, n - 1};
	case Broadcast: return {last ? 0. : 1., first ? 0. : 1.};
	case Reduce: return {first ? 0. : 1., last ? 0. : 1.};
	default: return first ? Share{0, 0} : Share{double(o.function == Send), double(o.function == Recv)};
	}
}

void count_traffic(ncclComm *comm, const Operation &o) {
	if (comm->device < 0 || comm->device >= traffic_devices || comm->ranks == 1)
		return;
	Place place;
	place.rank = comm->rank;
	place.operation = function_names[o.function];
	place.iteration = o.iteration;
	auto f = fault("traffic", place);
	double bytes = double(o.count * type_size(o.type)) * double(f ? f->number("percent", 50) : 100) / 100;
	Share s = share(comm, o);
	Traffic &t = softgpu_traffic()[comm->device];
	t.sent += uint64_t(bytes * s.sent + 0.5);
	t.received += uint64_t(bytes * s.received + 0.5);
}

} // namespace softgpu
