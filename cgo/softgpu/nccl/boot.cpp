// Stands for NCCL's bootstrap: how the ranks of a communicator find each other. A unique id names an anonymous file of
// the process that made it; nothing has a name in the file system, so nothing is left behind. For tests only.
#include "comm.h"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace softgpu {

struct Id { char text[40]; int process, file; uint64_t number; };
static const char stand_in[] = "softgpu stand-in unique id";

ncclResult_t make_id(ncclUniqueId *id) {
	static std::atomic<uint64_t> made{0};
	int file = memfd_create("softgpu (stand-in) communicator", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, sizeof(Region)) != 0) {
		warn(-1, "no shared memory for a communicator: %s", strerror(errno));
		return ncclSystemError;
	}
	Id mine{};
	strcpy(mine.text, stand_in);
	mine.process = getpid();
	mine.file = file; // stays open as long as the process: others come for it at any time
	mine.number = uint64_t(getpid()) << 32 | ++made;
	memset(id, 0, sizeof *id);
	memcpy(id, &mine, sizeof mine);
	return ncclSuccess;
}

static ncclResult_t map(ncclComm *comm) {
	Id id;
	memcpy(&id, &comm->id, sizeof id);
	if (memcmp(id.text, stand_in, sizeof stand_in) != 0) {
		warn(comm->device, "this unique id was not made by the stand-in library");
		return ncclInvalidArgument;
	}
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd/%d", id.process, id.file);
	int file = open(path, O_RDWR | O_CLOEXEC);
	void *base = file < 0 ? MAP_FAILED : mmap(nullptr, sizeof(Region), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	int why = errno;
	if (file >= 0)
		close(file);
	if (base == MAP_FAILED) {
		warn(comm->device, "process %d that made the unique id can't be reached: %s", id.process, strerror(why));
		return ncclSystemError;
	}
	comm->region = static_cast<Region *>(base);
	comm->hash = id.number * 0x9e3779b97f4a7c15u;
	return ncclSuccess;
}

static void futex_wait(std::atomic<uint32_t> *word, uint32_t while_it_is) {
	timespec most{0, 20000000}; // 20 ms: an abort in this process wakes nobody
	syscall(SYS_futex, word, FUTEX_WAIT, while_it_is, &most, nullptr, 0);
}

static void futex_wake(std::atomic<uint32_t> *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

// changes waits for a word to leave a value; false if the communicator is aborted first.
static bool changes(ncclComm *comm, std::atomic<uint32_t> *word, uint32_t from) {
	for (int i = 0; i < 20; i++) {
		if (word->load() != from)
			return true;
		sched_yield();
	}
	while (word->load() == from) {
		if (comm->aborted)
			return false;
		futex_wait(word, from);
	}
	return true;
}

static bool meet(ncclComm *comm, Region::Barrier &b) {
	uint32_t generation = b.generation;
	if (b.arrived.fetch_add(1) + 1 == uint32_t(comm->ranks)) {
		b.arrived = 0;
		b.generation.fetch_add(1);
		futex_wake(&b.generation);
		return !comm->aborted;
	}
	return changes(comm, &b.generation, generation) && !comm->aborted;
}

bool barrier(ncclComm *comm) { return meet(comm, comm->region->kernels); }
bool host_barrier(ncclComm *comm) { return meet(comm, comm->region->hosts); }

void ring_bell(ncclComm *comm, int rank) {
	auto &bell = comm->region->members[rank].doorbell;
	bell.fetch_add(1);
	futex_wake(&bell);
}

bool wait_bell(ncclComm *comm, uint32_t heard) { return changes(comm, &comm->region->members[comm->rank].doorbell, heard); }

void pause_until_aborted(ncclComm *comm) {
	while (!comm->aborted)
		usleep(2000);
}

// host tells nodes apart by NCCL_HOSTID or the host, unless so many ranks make a node.
static uint64_t host(int rank) {
	long per_node = env_number("SOFTGPU_RANKS_PER_NODE", 0);
	if (per_node > 0)
		return uint64_t(rank / per_node);
	return std::hash<std::string>()(env("NCCL_HOSTID") ? env("NCCL_HOSTID") : host_name());
}

// Nodes are numbered as their first ranks come.
static void find_nodes(ncclComm *comm) {
	auto members = comm->region->members;
	int node[max_ranks];
	comm->nodes = comm->local_ranks = 0;
	for (int i = 0; i < comm->ranks; i++) {
		int j = 0;
		while (members[j].host != members[i].host)
			j++;
		node[i] = j < i ? node[j] : comm->nodes++;
		bool here = members[i].host == members[comm->rank].host;
		comm->local_ranks += here;
		comm->local_rank += here && i < comm->rank;
	}
	comm->node = node[comm->rank];
}

// What NCCL checks of all ranks once they know each other.
static ncclResult_t check_members(ncclComm *comm) {
	auto members = comm->region->members;
	auto &me = members[comm->rank];
	for (int i = 0; i < comm->ranks; i++) {
		if (members[i].version != me.version) {
			warn(comm->device, "Mismatched NCCL version detected : rank %d version %d rank %d version %d", i, members[i].version,
				comm->rank, me.version);
			return ncclInvalidUsage;
		}
		for (int j = 0; j < i; j++) {
			if (members[i].host != members[j].host || members[i].device != members[j].device)
				continue;
			if (release() < 23000) {
				warn(comm->device, "Duplicate GPU detected : rank %d and rank %d both on CUDA device %x", i, j, (members[i].device + 1) << 12);
				return ncclInvalidUsage;
			}
			if (env_number("NCCL_MULTI_RANK_GPU_ENABLE", 0) == 0) {
				warn(comm->device, "Multiple Ranks are using the same GPU/Partition. Set NCCL_MULTI_RANK_GPU_ENABLE=1 to enable this "
					"configuration.");
				return ncclInvalidUsage;
			}
		}
	}
	return ncclSuccess;
}

ncclResult_t join(ncclComm *comm) {
	if (comm->ranks > max_ranks) {
		warn(comm->device, "the stand-in has room for %d ranks, not %d", max_ranks, comm->ranks);
		return ncclInvalidUsage;
	}
	if (auto rc = map(comm))
		return rc;
	auto &me = comm->region->members[comm->rank];
	Place place;
	place.rank = comm->rank;
	me.version = release();
	if (auto f = fault("version", place))
		me.version = version(f->text("value"), release() - 100);
	me.process = getpid();
	me.device = comm->device;
	me.host = host(comm->rank);
	if (me.present.exchange(1)) {
		warn(comm->device, "rank %d has joined twice", comm->rank);
		return ncclInvalidUsage;
	}
	if (fault("hang-init", place))
		pause_until_aborted(comm);
	if (!host_barrier(comm))
		return ncclInternalError; // aborted
	Id id; // all have come: its maker lets go of the file, so that memory lives as long as those who map it
	memcpy(&id, &comm->id, sizeof id);
	if (id.process == getpid() && !comm->region->let_go.exchange(1))
		close(id.file);
	find_nodes(comm);
	return check_members(comm);
}

void leave(ncclComm *comm) {
	if (comm->region)
		munmap(comm->region, sizeof(Region));
	comm->region = nullptr;
}

} // namespace softgpu
