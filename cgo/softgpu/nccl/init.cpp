// Stands for NCCL's making and ending of communicators. A stand-in for tests only.
#include "comm.h"

#include <climits>
#include <cstring>
#include <unistd.h>

using namespace softgpu;

namespace softgpu {

static const unsigned config_magic = 0xcafebeef;

// A caller's structure may be shorter or longer than ours; its version says which fields it knows.
ncclResult_t read_config(const ncclConfig_t *given, ncclConfig_t *read) {
	const int undefined = INT_MIN;
	*read = ncclConfig_t{sizeof *read, config_magic, unsigned(release()), undefined, undefined, undefined, undefined, nullptr,
		undefined, undefined, nullptr, undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined,
		undefined, undefined};
	if (!given)
		return ncclSuccess;
	ncclConfig_t defaults = *read;
	size_t size;
	memcpy(&size, given, sizeof size);
	memcpy(read, given, std::min(size, sizeof *read));
	if (read->magic != config_magic) {
		warn(-1, "ncclConfig_t argument not initialized via NCCL_CONFIG_INITIALIZER");
		return ncclInvalidArgument;
	}
	auto from = [&](int known_since, auto member) {
		if (read->version < unsigned(known_since) || release() < known_since)
			read->*member = defaults.*member;
	};
	from(21400, &ncclConfig_t::blocking);
	for (auto member : {&ncclConfig_t::cgaClusterSize, &ncclConfig_t::minCTAs, &ncclConfig_t::maxCTAs})
		from(21700, member);
	from(22500, &ncclConfig_t::trafficClass);
	from(22700, &ncclConfig_t::commName);
	for (auto member : {&ncclConfig_t::collnetEnable, &ncclConfig_t::CTAPolicy, &ncclConfig_t::shrinkShare, &ncclConfig_t::nvlsCTAs})
		from(22700, member);
	if (read->blocking != undefined && read->blocking != 0 && read->blocking != 1) {
		warn(-1, "Invalid config blocking attribute value %d", read->blocking);
		return ncclInvalidArgument;
	}
	int least = read->minCTAs, most = read->maxCTAs;
	if ((least != undefined && least <= 0) || (most != undefined && most <= 0) || (least != undefined && most != undefined && least > most)) {
		warn(-1, "Invalid config min/max channels attribute value %d/%d", least, most);
		return ncclInvalidArgument;
	}
	return ncclSuccess;
}

ncclResult_t start(ncclComm *comm) {
	const char *call = release() >= 22400 ? "ncclCommInitRankConfig " : "";
	info(comm->device, INIT, "%scomm %p rank %d nranks %d cudaDev %d nvmlDev %d busId %x commId 0x%llx - Init START", call, static_cast<void *>(comm),
		comm->rank, comm->ranks, comm->device, comm->device, (comm->device + 1) << 12, 0ull);
	if (auto rc = join(comm))
		return rc;
	if (auto rc = tune(comm))
		return rc;
	tuner_init(comm);
	profiler_init(comm);
	if (!host_barrier(comm))
		return ncclInternalError;
	info(comm->device, INIT, "%scomm %p rank %d nranks %d cudaDev %d nvmlDev %d busId %x commId 0x%llx - Init COMPLETE", call, static_cast<void *>(comm),
		comm->rank, comm->ranks, comm->device, comm->device, (comm->device + 1) << 12, static_cast<unsigned long long>(comm->hash));
	return ncclSuccess;
}

void let_go(ncclComm *comm) {
	if (--comm->references > 0)
		return;
	leave(comm);
	for (auto &[buffer, window] : comm->windows)
		delete window;
	if (comm->launched)
		driver()->event_destroy(comm->launched);
	delete comm;
}

ncclResult_t usable(ncclComm *comm, const char *call) {
	if (!comm) {
		warn(-1, "%s : %s argument is NULL", call, "comm");
		return ncclInvalidArgument;
	}
	if (comm->state == ncclInProgress) {
		warn(comm->device, "Attempt to use communicator before the previous operation returned ncclSuccess");
		return ncclInvalidArgument;
	}
	if (comm->revoked) {
		warn(comm->device, "%s: communicator was revoked", call);
		return ncclInvalidUsage;
	}
	return ncclSuccess;
}

} // namespace softgpu

// In a group, communicators are made together when it ends: a thread of several ranks would wait for itself.
extern thread_local int group_depth;
extern thread_local std::vector<ncclComm *> group_made;

// The state is set last: whoever aborts the communicator meanwhile waits for it.
static ncclResult_t finish(ncclComm *comm, ncclResult_t (*make)(ncclComm *)) {
	ncclResult_t rc = make(comm);
	if (comm->aborted && rc == ncclSuccess)
		rc = ncclInternalError;
	comm->state = rc;
	return rc;
}

static ncclResult_t make(ncclComm_t *made, int ranks, const ncclUniqueId &id, int rank, const ncclConfig_t *given, ncclResult_t (*how)(ncclComm *)) {
	if (!driver())
		return ncclUnhandledCudaError;
	if (!made || ranks < 1 || rank < 0 || rank >= ranks) {
		warn(-1, "Invalid rank requested : %d/%d", rank, ranks);
		return ncclInvalidArgument;
	}
	auto comm = std::make_unique<ncclComm>();
	if (auto rc = read_config(given, &comm->config))
		return rc;
	comm->device = driver()->current_device();
	if (comm->device < 0) {
		warn(-1, "Cuda failure %d '%s'", 201, "invalid device context");
		return ncclUnhandledCudaError;
	}
	comm->rank = rank;
	comm->ranks = ranks;
	comm->id = id;
	comm->name = comm->config.commName ? comm->config.commName : "";
	if (rank == 0 && logs_version()) {
		int cuda = 0;
		driver()->version(&cuda);
		int r = release();
		info(comm->device, ANY, "NCCL version %d.%d.%d+cuda%d.%d", r / 10000, r / 100 % 100, r % 100, cuda / 1000, cuda / 10 % 100);
	}
	ncclComm *c = *made = comm.release(); // known to the caller before it's ready, so that it can be aborted
	if (group_depth == 0 && c->config.blocking != 0)
		return finish(c, how);
	c->maker = std::thread(finish, c, how);
	if (group_depth == 0)
		return ncclInProgress;
	group_made.push_back(c);
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclGetVersion(int *version) {
	if (!version)
		return ncclInvalidArgument;
	*version = release();
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclGetUniqueId(ncclUniqueId *id) { return id ? make_id(id) : ncclInvalidArgument; }

SOFTGPU_API ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t *config) {
	return make(comm, ranks, id, rank, config, start);
}

SOFTGPU_API ncclResult_t ncclCommInitRank(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank) {
	return make(comm, ranks, id, rank, nullptr, start);
}

SOFTGPU_API ncclResult_t ncclCommInitRankScalable(ncclComm_t *comm, int ranks, int rank, int ids, ncclUniqueId *all, ncclConfig_t *config) {
	return ids < 1 ? ncclInvalidArgument : make(comm, ranks, all[0], rank, config, start);
}

// Everything is done when it's asked: ends are not announced to the other ranks.
SOFTGPU_API ncclResult_t ncclCommFinalize(ncclComm_t comm) {
	if (auto rc = usable(comm, "ncclCommFinalize"))
		return rc;
	comm->finalized = true;
	return ncclSuccess;
}

static void settle(ncclComm *comm) {
	if (comm->maker.joinable())
		comm->maker.join();
	while (comm->state == ncclInProgress)
		usleep(100);
}

static ncclResult_t end(ncclComm *comm) {
	settle(comm);
	{
		std::lock_guard<std::mutex> hold(comm->lock); // a kernel that an abort has woken leaves first
	}
	tuner_finalize(comm);
	profiler_finalize(comm);
	let_go(comm);
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclCommDestroy(ncclComm_t comm) {
	if (!comm)
		return ncclSuccess;
	settle(comm);
	if (comm->launched) // its work is finished first
		driver()->event_synchronize(comm->launched);
	return end(comm);
}

SOFTGPU_API ncclResult_t ncclCommAbort(ncclComm_t comm) {
	if (!comm)
		return ncclSuccess;
	comm->aborted = true;
	return end(comm);
}

SOFTGPU_API ncclResult_t ncclCommRevoke(ncclComm_t comm, int) {
	if (auto rc = usable(comm, "ncclCommRevoke"))
		return rc;
	comm->revoked = true;
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *error) {
	if (!comm || !error)
		return ncclInvalidArgument;
	*error = ncclResult_t(comm->state.load());
	return ncclSuccess;
}

// The colour's members find each other in the parent's memory; the first of them makes the child's id.
static ncclResult_t split(ncclComm *parent, int color, int key, ncclUniqueId *id, int *rank, int *ranks) {
	auto members = parent->region->members;
	members[parent->rank].color = color;
	members[parent->rank].key = key;
	if (!host_barrier(parent))
		return ncclInternalError;
	int leader = -1;
	*rank = *ranks = 0;
	for (int i = 0; i < parent->ranks; i++) {
		if (color < 0 || members[i].color != color)
			continue;
		leader = leader < 0 ? i : leader;
		(*ranks)++;
		*rank += members[i].key < key || (members[i].key == key && i < parent->rank);
	}
	ncclResult_t rc = leader == parent->rank ? make_id(&members[leader].child) : ncclSuccess;
	if (!host_barrier(parent))
		return ncclInternalError;
	if (leader >= 0)
		*id = members[leader].child;
	host_barrier(parent); // the place may be used again
	return rc;
}

SOFTGPU_API ncclResult_t ncclCommSplit(ncclComm_t parent, int color, int key, ncclComm_t *made, ncclConfig_t *config) {
	if (auto rc = usable(parent, "ncclCommSplit"))
		return rc;
	ncclUniqueId id{};
	int rank, ranks;
	if (auto rc = split(parent, color, key, &id, &rank, &ranks))
		return rc;
	*made = nullptr;
	return color < 0 ? ncclSuccess : make(made, ranks, id, rank, config ? config : &parent->config, start);
}
