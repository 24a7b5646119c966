// Stands for NCCL's choice of algorithm and protocol: its cost model of 2.30 with the figures of an NVLink machine, and
// what each release does when the one asked for can't be had. A stand-in for tests only.
#include "comm.h"

#include <cfloat>
#include <cmath>

namespace softgpu {

// Latencies in µs of LL, LL128, Simple, and bandwidths in GB/s, from NCCL 2.30.7's src/graph/tuning.cc.
static const float base[Algorithms][Protocols] = {{6.8f, 14, 8.4f}, {6.6f, 14, 8.4f}, {}, {}, {}, {}, {8, 8, 8}};
static const float nvlink[Algorithms][Protocols] = {{.6f, 1.25f, 4}, {.6f, 1.9f, 3.4f}, {0, 0, 3.7f}, {0, 0, 2.8f}, {0, 0, 25}, {0, 0, 25}, {0, 0, 4}};
static const float net[Algorithms][Protocols] = {{5, 8.5f, 14}, {2.7f, 4, 14}, {0, 0, 31}, {0, 0, 30}, {0, 0, 18}, {0, 0, 20.9f}, {0, 0, 14}};

// Per generation (Volta, Ampere, Hopper, Blackwell) and 1, 2, 4 or more nodes.
static const float ll_most[4][3] = {{39, 39, 20.4f}, {87.7f, 22.5f, 19}, {141, 45, 35}, {282, 90, 70}};
static const float tree_channel[4][3] = {{26.5f, 18.5f, 10}, {24, 23.6f, 17.8f}, {38.7f, 41.4f, 36}, {70, 42.8f, 24}};
static const float ring_ll128_channel[4] = {20, 20, 36.7f, 40};
static const float nvls_efficiency[4] = {0, 0, .85f, .74f};
static const float fabric[4] = {130, 240, 370, 740}; // NVLink of one device
static const float network = 384;                    // of one node: eight times 400 Gbit/s at 96 %

static int generation(int capability) { return capability >= 100 ? 3 : capability >= 90 ? 2 : capability >= 80 ? 1 : 0; }

// All devices are alike.
static int capability() {
	int major = 0, minor = 0;
	driver()->attribute(&major, 75, 0);
	driver()->attribute(&minor, 76, 0);
	return major * 10 + minor;
}

static bool fits(Function f, Algorithm a) {
	switch (f) {
	case Broadcast: case Reduce: return a == Ring;
	case AllReduce: return a != PAT;
	default: return a == Ring || a == PAT || a == NVLS || a == CollNetDirect;
	}
}

// bus_bandwidth is all channels' together, GB/s.
static float bus_bandwidth(ncclComm *comm, Function f, Algorithm a, Protocol p, int gen) {
	int scale = comm->nodes <= 2 ? comm->nodes - 1 : 2;
	float whole = comm->nodes == 1 ? fabric[gen] : std::min(fabric[gen], network);
	float n = float(comm->channels), local = float(comm->local_ranks), bus = whole;
	if (a == NVLS || a == NVLSTree) {
		const float channels = 16;
		float inside = fabric[gen] * nvls_efficiency[gen] * (channels - 1) / channels;
		inside *= f == AllReduce ? 2 : (local - 1) / local;
		bus = comm->nodes == 1 ? inside : std::min(inside, network * (comm->nodes == 2 && a == NVLSTree ? 2 : 1));
	}
	if (a == Ring && p == LL)
		bus = std::min(ll_most[gen][scale], bus * .5f);
	if (a == Ring && p == LL128)
		bus = std::min(bus * .92f, n * ring_ll128_channel[gen]);
	if (a == Tree) {
		bus = std::min(bus * .92f, n * tree_channel[gen][scale]);
		if (p == LL)
			bus = std::min(bus / 3.8f, ll_most[gen][scale]);
		if (p == LL128)
			bus *= comm->nodes == 1 ? 7.f / 9 : 120.f / 128;
	}
	if (a == PAT)
		bus *= .75f;
	if (a == CollNetDirect)
		bus = gen >= 2 ? bus * .85f : bus;
	return bus;
}

static float latency(ncclComm *comm, Function f, Algorithm a, Protocol p, int steps) {
	float inside = nvlink[a][p], between = comm->local_ranks == 1 ? net[Tree][p] : net[a][p], n = float(comm->nodes);
	float local = float(comm->ranks) / n, deep = std::floor(std::log2(n));
	switch (a) {
	case Ring: {
		if (f == Broadcast || f == Reduce)
			return base[a][p] + (comm->nodes == 1 ? inside : between);
		float crossing = comm->nodes == 1 ? 0 : (f == AllReduce ? 2 : 1) * (n - 1);
		return base[a][p] + (float(steps) - crossing) * inside + crossing * between;
	}
	case Tree: return base[a][p] + 2 * ((local - 1) * inside + deep * between);
	case CollNetDirect: return 2 * (std::min(1.f, local - 1) * inside + (local - 1) * .4f) + between;
	case CollNetChain: return 2 * (local - 1) * inside + between;
	case NVLS: return inside + (comm->nodes > 1 ? between : 0);
	case NVLSTree: return inside + 2 * deep * between;
	default: return base[a][p] + deep * between / 3.5f + 2.8f * float(comm->ranks);
	}
}

// NVLS needs multicast, which the stand-in has from Hopper on unless SOFTGPU_NVLS=0; CollNet needs a network that
// reduces (SOFTGPU_SHARP=0: none), NCCL_COLLNET_ENABLE=1 and two nodes.
static void find_switches(ncclComm *comm, int gen) {
	comm->nvls = gen >= 2 && comm->local_ranks > 1 && env_number("SOFTGPU_NVLS", 1) && env_number("NCCL_NVLS_ENABLE", 2);
	info(comm->device, INIT, "NVLS multicast support is %savailable on dev %d", comm->nvls ? "" : "not ", comm->device);
	bool asked = comm->config.collnetEnable == 1 || env_number("NCCL_COLLNET_ENABLE", 0) == 1;
	if (!asked || comm->nodes < env_number("NCCL_COLLNET_NODE_THRESHOLD", 2))
		return;
	comm->collnet = env_number("SOFTGPU_SHARP", 1) && !env_number("NCCL_SHARP_DISABLE", 0);
	if (!comm->collnet) {
		if (comm->local_rank == 0)
			warn(comm->device, "Cannot initialize CollNet, using point-to-point network instead");
		return;
	}
	if (comm->local_rank == 0)
		info(comm->device, INIT, "SHARP rank %d/%d initialized on %s", comm->node, comm->nodes, "softgpu0:1");
	info(comm->device, INIT, "rank %d Connected CollNet", comm->rank);
}

// What the machine can't do is taken from what's asked. Up to 2.23 ring then fills every gap, without a word.
static void restrict_to_machine(ncclComm *comm, bool asked[Tuned][Algorithms]) {
	for (int f = 0; f < Tuned; f++) {
		if (comm->nodes == 1 || !comm->nvls)
			asked[f][NVLSTree] = false;
		if (!comm->collnet)
			asked[f][CollNetDirect] = asked[f][CollNetChain] = false;
		if (!comm->nvls || (comm->nodes > 1 && !comm->collnet))
			asked[f][NVLS] = false;
		long pat = env_number("NCCL_PAT_ENABLE", 2);
		if (pat == 0 || (pat == 2 && comm->nodes != comm->ranks))
			asked[f][PAT] = false;
	}
}

static bool protocol_on(int asked, Protocol p, int capability) {
	bool untested = p == LL128 && release() < 22400 && capability != 70 && capability != 80 && capability != 90;
	return asked == 1 || (asked == 2 && !untested);
}

ncclResult_t tune(ncclComm *comm) {
	int cc = capability(), gen = generation(cc);
	if (comm->config.maxCTAs > 0)
		comm->channels = std::min(comm->channels, comm->config.maxCTAs);
	if (comm->config.minCTAs > 0)
		comm->channels = std::max(comm->channels, comm->config.minCTAs);
	find_switches(comm, gen);
	bool asked[Tuned][Algorithms];
	int protocols[Tuned][Protocols];
	if (auto rc = enabled(comm, asked, protocols))
		return rc;
	restrict_to_machine(comm, asked);
	for (int f = 0; f < Tuned; f++) {
		int steps = f == AllReduce ? 2 * (comm->ranks - 1) : f == AllGather || f == ReduceScatter ? comm->ranks - 1 : comm->ranks;
		bool any = false;
		for (int pass = 0; pass < 2 && !any; pass++) // a second pass fills the gap with ring
			for (int a = 0; a < Algorithms; a++)
				for (int p = 0; p < Protocols; p++) {
					bool wanted = pass == 0 ? asked[f][a] && protocol_on(protocols[f][p], Protocol(p), cc) : a == Ring && release() < 22400;
					if (!wanted || !fits(Function(f), Algorithm(a)) || (a > Ring && p != Simple) || comm->ranks == 1)
						continue;
					float ratio = a == Ring || a == NVLS || a == NVLSTree ? float(comm->ranks) / float(steps) : .5f;
					if (a != Ring && (f == AllGather || f == ReduceScatter))
						ratio = 1;
					comm->bandwidth[f][a][p] = bus_bandwidth(comm, Function(f), Algorithm(a), Protocol(p), gen) * ratio;
					comm->latency[f][a][p] = latency(comm, Function(f), Algorithm(a), Protocol(p), steps);
					any = any || comm->bandwidth[f][a][p] > 0;
				}
	}
	return ncclSuccess;
}

static bool nvls_reduces(const Operation &o) {
	if (o.function == AllGather)
		return true;
	bool wide = o.type >= ncclInt32 && o.type <= ncclFloat16, half = o.type == ncclBfloat16;
	if (o.type == ncclFloat32 || o.type == ncclFloat64)
		return o.op == ncclSum;
	return (wide || half) && (o.op == ncclSum || o.op == ncclMax || o.op == ncclMin);
}

// SHARP adds and compares numbers of two bytes and more.
static bool collnet_reduces(const Operation &o) {
	return o.function == AllGather || (type_size(o.type) > 1 && o.op != ncclProd);
}

void costs(ncclComm *comm, const Operation &o, int piped, float table[Algorithms][Protocols]) {
	double bytes = double(o.count) * double(type_size(o.type)) * (o.function == AllGather || o.function == ReduceScatter ? comm->ranks : 1);
	for (int a = 0; a < Algorithms; a++)
		for (int p = 0; p < Protocols; p++) {
			float bandwidth = comm->bandwidth[o.function][a][p];
			bool can = bandwidth > 0;
			if (a == CollNetDirect || a == CollNetChain || (a == NVLS && comm->nodes > 1))
				can = can && collnet_reduces(o);
			if (a == NVLS || a == NVLSTree)
				can = can && nvls_reduces(o);
			float late = comm->latency[o.function][a][p];
			if (a == Ring && p == Simple && comm->nodes > 1 && o.function == AllReduce && bytes / (comm->channels * comm->ranks) >= 64)
				late *= 1.4f;
			table[a][p] = can ? late * float(a == Ring ? piped : 1) + float(bytes / (1000 * bandwidth)) : -1;
		}
	if (comm->ranks == 1)
		table[Ring][Simple] = 0;
}

static void log_choice(ncclComm *comm, const Operation &o) {
	long bytes = long(o.count * type_size(o.type));
	if (comm->rank != 0 || comm->ranks == 1)
		return;
	if (release() >= 22400)
		info(comm->device, TUNING, "%s: %ld Bytes -> Algo %s proto %s channel{Lo..Hi}={%d..%d}", function_names[o.function], bytes,
			algorithm_names[o.algorithm], protocol_names[o.protocol], 0, o.channels - 1);
	else if (release() >= 22300)
		info(comm->device, TUNING, "%s: %ld Bytes -> Algo %d proto %d time %f", function_names[o.function], bytes, o.algorithm, o.protocol, o.microseconds);
	else if (release() >= 22000)
		info(comm->device, TUNING, "%ld Bytes -> Algo %d proto %d time %f", bytes, o.algorithm, o.protocol, o.microseconds);
}

ncclResult_t choose(ncclComm *comm, Operation *o, int piped) {
	float table[Algorithms][Protocols];
	int algorithm = -1, protocol = -1, channels = 0;
	costs(comm, *o, piped, table);
	tuned(comm, *o, piped, table, &algorithm, &protocol, &channels);
	float least = FLT_MAX;
	if (algorithm < 0 || protocol < 0 || table[algorithm][protocol] < 0) {
		algorithm = protocol = -1;
		for (int a = 0; a < Algorithms; a++)
			for (int p = 0; p < Protocols; p++)
				if (table[a][p] >= 0 && table[a][p] < least) {
					least = table[a][p];
					algorithm = a;
					protocol = p;
				}
	}
	if (algorithm < 0 && release() < 22400) { // its last resort
		algorithm = Ring;
		protocol = Simple;
		least = 0;
	}
	if (algorithm < 0) {
		const char *a = env("NCCL_ALGO"), *p = env("NCCL_PROTO");
		warn(comm->device, "No algorithm/protocol available for function %s with datatype %s.%s%s%s%s%s%s", function_names[o->function],
			type_name(o->type), a ? " NCCL_ALGO was set to " : "", a ? a : "", a ? "." : "", p ? " NCCL_PROTO was set to " : "", p ? p : "", p ? "." : "");
		return a || p ? ncclInvalidUsage : ncclInternalError;
	}
	Place place;
	place.rank = comm->rank;
	place.operation = function_names[o->function];
	place.iteration = o->iteration;
	if (auto f = fault("algorithm", place)) { // another than asked for
		algorithm = Ring;
		for (int i = 0; f->text("to") && i < Algorithms; i++)
			if (std::string(f->text("to")) == algorithm_words[i])
				algorithm = i;
		protocol = Simple;
	}
	o->algorithm = Algorithm(algorithm);
	o->protocol = Protocol(protocol);
	o->microseconds = table[algorithm][protocol];
	size_t bytes = o->count * type_size(o->type);
	int most = algorithm == NVLS || algorithm == NVLSTree ? std::min(16, comm->channels) : comm->channels;
	o->channels = channels > 0 ? std::min(channels, comm->channels) : int(std::min(size_t(most), bytes / (64 << 10) + 1));
	log_choice(comm, *o);
	return ncclSuccess;
}

} // namespace softgpu
