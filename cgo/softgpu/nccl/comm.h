// Stands for NCCL's communicator and what its processes share. A stand-in for tests only.
#pragma once

#include "nccl.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace softgpu {

const int max_ranks = 64;
const size_t stage_bytes = 1 << 20;  // of one rank in one half of the stage
const size_t slot_bytes = 64 << 10;  // of a message between two ranks
const int slots = 2;

// Region is the memory that the ranks of a communicator share: an anonymous file which the process that made the
// unique id holds and the others open through /proc. What no rank touches takes no memory.
struct Region {
	std::atomic<int> let_go; // its maker has closed the file
	struct Barrier { std::atomic<uint32_t> arrived, generation; } kernels, hosts; // the generation is a futex
	struct Member {
		std::atomic<int> present;
		int process, device, version;
		uint64_t host;
		std::atomic<uint32_t> doorbell; // a futex: something came for this rank
		int color, key;                 // of a split
		ncclUniqueId child;             // of the rank that leads a colour
	} members[max_ranks];
	struct Channel { // from one rank to another, in bytes since the beginning
		std::atomic<uint64_t> produced, consumed;
		uint32_t length[slots];
	} channels[max_ranks][max_ranks];
	struct Sizes { uint64_t counters[max_ranks]; } traffic;
	alignas(4096) char stage[2][max_ranks][stage_bytes]; // inputs
	char results[2][stage_bytes];
	char messages[max_ranks][max_ranks][slots][slot_bytes];
};

struct Operation {
	Function function;
	const void *send;
	void *receive;
	size_t count;
	int type, op, peer; // peer: the root, or the other side
	cudaStream_t stream;
	Algorithm algorithm = Ring;
	Protocol protocol = Simple;
	int channels = 1;
	bool symmetric = false;
	size_t element = 1;   // bytes of one as the caller sees it
	uint64_t scalar = 0;  // of a pre-multiplied sum
	bool scaled = false;
	long iteration = 0;
	void *api = nullptr, *group_api = nullptr; // the profiler's handles
	void *event = nullptr;
	float microseconds = 0; // predicted
};

struct Tuner;

struct Custom { bool used; int type; uint64_t scalar; }; // a reduction made by the user

} // namespace softgpu

// ncclComm is one rank's side of a communicator.
struct ncclComm {
	int rank = -1, ranks = 0, device = -1, nodes = 1, node = 0, local_rank = 0, local_ranks = 1;
	uint64_t hash = 0;
	std::string name;
	ncclConfig_t config;
	softgpu::Region *region = nullptr;
	ncclUniqueId id;
	std::atomic<int> state{ncclInProgress}; // what ncclCommGetAsyncError answers
	std::atomic<bool> aborted{false}, finalized{false}, revoked{false};
	std::atomic<int> references{1};         // the caller's, and one per piece of work in a stream or graph
	std::thread maker;
	uint64_t step = 0;                      // of the stage's halves
	uint64_t sequence[Functions] = {};      // for the profiler
	long iterations[Functions] = {};        // for faults
	std::mutex lock;                        // of carrying out
	void *launched = nullptr;               // an event behind the last operation that was put into a stream
	bool nvls = false, collnet = false;
	int channels = 24;
	float bandwidth[Tuned][Algorithms][Protocols] = {}, latency[Tuned][Algorithms][Protocols] = {};
	std::vector<softgpu::Custom> customs;
	std::map<const void *, ncclWindow_vidmem *> windows;
	softgpu::Tuner *tuner = nullptr;
	void *profiler_context = nullptr;
};

namespace softgpu {

// boot.cpp
ncclResult_t make_id(ncclUniqueId *id);
ncclResult_t join(ncclComm *comm); // maps the region, waits for the others, checks them
void leave(ncclComm *comm);
// All false when the communicator was aborted meanwhile. Kernels meet in streams, hosts in calls: a rank's host may be
// ahead of its streams, so each has a barrier of its own.
bool barrier(ncclComm *comm);
bool host_barrier(ncclComm *comm);
bool wait_bell(ncclComm *comm, uint32_t heard); // until the own bell has rung since
void ring_bell(ncclComm *comm, int rank);
void pause_until_aborted(ncclComm *comm);

// init.cpp
ncclResult_t read_config(const ncclConfig_t *given, ncclConfig_t *read);
ncclResult_t start(ncclComm *comm); // joins, tunes, tells the plugins
void let_go(ncclComm *comm);   // of a reference
ncclResult_t usable(ncclComm *comm, const char *call);

// tuning.cpp
ncclResult_t tune(ncclComm *comm);
ncclResult_t choose(ncclComm *comm, Operation *o, int piped);
void costs(ncclComm *comm, const Operation &o, int piped, float table[Algorithms][Protocols]);

// settings.cpp
ncclResult_t enabled(ncclComm *comm, bool algorithms[Tuned][Algorithms], int protocols[Tuned][Protocols]);

// api.cpp
bool empty_mode(); // SOFTGPU_EMPTY=1: operations return at once and do nothing

// reduce.cpp
// order lists the ranks as a stack machine combines them: a number pushes a rank's input, -1 combines the top two.
std::vector<int> order(Algorithm a, int ranks, int nodes, int slice);
struct Reducer { int type, op, ranks; bool scaled; uint64_t scalar; };
Reducer reducer(const Operation &o, int ranks);
void reduce(const Reducer &r, const std::vector<int> &order, const char *const *inputs, size_t count, char *out);

// move.cpp
void carry_out(ncclComm *comm, Operation &o);                        // a collective
void exchange(ncclComm *comm, std::vector<Operation> &all);          // sends and receives
void count_traffic(ncclComm *comm, const Operation &o);

// profiler.cpp
void profiler_init(ncclComm *comm);
void profiler_finalize(ncclComm *comm);
void profile_group_begin(ncclComm *comm, int depth, bool captured);
void profile_group_ending();
void profile_group_end();
void profile_api(ncclComm *comm, Operation &o, bool captured);
void profile_launch(ncclComm *comm, std::vector<Operation> &all, bool begin);
void profile_tasks(ncclComm *comm, std::vector<Operation> &all);
void profile_kernel(ncclComm *comm, const Operation &o, bool begin, std::vector<void *> &handles);

// tuner.cpp
void tuner_init(ncclComm *comm);
void tuner_finalize(ncclComm *comm);
// tuned asks the plugin: it may change the costs, or name algorithm and protocol (-1: not), and channels (0: not).
void tuned(ncclComm *comm, const Operation &o, int piped, float table[Algorithms][Protocols], int *algorithm, int *protocol, int *channels);

// driver.cpp
struct Driver {
	int (*version)(int *);
	int (*enqueue)(cudaStream_t, void (*)(void *), void *, void (*)(void *));
	int (*capturing)(cudaStream_t);
	int (*current_device)();
	int (*context)(void **);
	int (*use)(void *);
	int (*alloc)(unsigned long long *, size_t);
	int (*release)(unsigned long long);
	int (*attribute)(int *, int, int);
	int (*event_create)(void **, unsigned);
	int (*event_record)(void *, cudaStream_t);
	int (*event_wait)(cudaStream_t, void *, unsigned);
	int (*event_synchronize)(void *);
	int (*event_destroy)(void *);
	int (*address_range)(unsigned long long *, size_t *, unsigned long long);
};
const Driver *driver(); // nullptr without libcuda, or with one that is too old, said in the last error
ncclResult_t cuda_failed(int code);
const unsigned disable_timing = 2; // of an event
void order_streams(cudaStream_t before, cudaStream_t after);

} // namespace softgpu
