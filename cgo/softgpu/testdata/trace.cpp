// A program that holds profiler and tuner plugins of every version, as collbench does (STATIC_PLUGIN), and prints what
// the stand-in calls: two ranks, of which rank 0 speaks.
#include "../nccl/profiler.h"

extern "C" {
#include "ranks.h"
}

using namespace softgpu;

static void say(const char *text) { if (rank == 0) printf("%s\n", text); }

static const char *event_name(uint64_t type) {
	switch (type) {
	case GroupEvent: return "group";
	case CollEvent: return "coll";
	case P2pEvent: return "p2p";
	case KernelChEvent: return "kernel";
	case GroupApiEvent: return "group-api";
	case CollApiEvent: return "coll-api";
	case P2pApiEvent: return "p2p-api";
	case KernelLaunchEvent: return "launch";
	}
	return "?";
}

struct Handle { std::string name; };
static const char *name_of(void *h) { return h ? static_cast<Handle *>(h)->name.c_str() : "-"; }

static int begin(void **handle, uint64_t type, void *parent, const std::string &what, const char *group = nullptr) {
	*handle = new Handle{event_name(type)};
	say(("start " + std::string(event_name(type)) + what + " in " + name_of(parent) + (group ? std::string(" of ") + group : "")).c_str());
	return 0;
}

static std::string text(const char *func, const char *algo, const char *proto, size_t count, const char *type) {
	return std::string(" ") + func + " " + algo + " " + proto + " " + std::to_string(count) + " " + type;
}

static int start1(void *, void **h, void *descriptor) {
	auto d = static_cast<Descriptor1 *>(descriptor);
	return begin(h, d->type, d->parent, d->type == CollEvent ? " func " + std::to_string(d->coll.func) + " algo " + std::to_string(d->coll.algo) + " proto " +
		std::to_string(d->coll.proto) + " " + std::to_string(d->coll.count) : "");
}

template <typename D> static int start2(void *, void **h, void *descriptor) { // 2, 3, 4
	auto d = static_cast<D *>(descriptor);
	return begin(h, d->type, d->parent, d->type == CollEvent ? text(d->coll.func, d->coll.algo, d->coll.proto, d->coll.count, d->coll.datatype)
		: d->type == P2pEvent ? std::string(" ") + d->p2p.func + " peer " + std::to_string(d->p2p.peer) : "");
}

static int start5(void *, void **h, void *descriptor) {
	auto d = static_cast<Descriptor5 *>(descriptor);
	bool coll = d->type == CollEvent, p2p = d->type == P2pEvent;
	std::string what = coll ? text(d->coll.func, d->coll.algo, d->coll.proto, d->coll.count, d->coll.datatype) : p2p ? std::string(" ") + d->p2p.func
		: d->type == CollApiEvent ? std::string(" ") + d->coll_api.func + " " + std::to_string(d->coll_api.count) + " " + d->coll_api.datatype
		: d->type == P2pApiEvent ? std::string(" ") + d->p2p_api.func : "";
	return begin(h, d->type, d->parent, what, coll ? name_of(d->coll.group) : p2p ? name_of(d->p2p.group) : nullptr);
}

static int stop(void *h) {
	say((std::string("stop ") + name_of(h)).c_str());

	return 0;
}
static int record(void *h, int state, void *) {
	say((std::string("record ") + name_of(h) + " " + std::to_string(state)).c_str());
	return 0;
}
static int finalize(void *) { return say("finalize"), 0; }

static int events() { return int(env_number("TRACE_MASK", CollEvent)); }
static int init1(void **context, int *mask) { return *context = &rank, *mask = events(), say("init"), 0; }
static int init4(void **context, int *mask, const char *, uint64_t, int nodes, int n, int r, Logger) {
	return *context = &rank, *mask = events(), say(("init " + std::to_string(nodes) + " " + std::to_string(n) + " " + std::to_string(r)).c_str()), 0;
}
static int init5(void **context, uint64_t id, int *mask, const char *name, int nodes, int n, int r, Logger l) {
	return id == 0 ? 1 : init4(context, mask, name, id, nodes, n, r, l);
}

#define PROFILER(version, init, start) SOFTGPU_API const ProfilerSymbol ncclProfiler_v##version = {"trace", reinterpret_cast<void *>(init), start, stop, record, finalize}
PROFILER(1, init1, start1);
PROFILER(2, init1, start2<Descriptor2>);
PROFILER(3, init1, start2<Descriptor3>);
PROFILER(4, init4, start2<Descriptor4>);
PROFILER(5, init5, start5);
PROFILER(6, init5, start5);

// Tuners: each asks for tree; 1 and 2 by name, the others by a cost of 0.
struct TunerSymbol { const char *name; void *init, *get, *finalize, *chunk; };
static int tune1(size_t n, size_t nodes, Logger) { return say(("tuner 1 " + std::to_string(n) + " " + std::to_string(nodes)).c_str()), 0; }
static int tune2(size_t n, size_t, Logger, void **c) { return *c = &rank, say(("tuner " + std::to_string(n)).c_str()), 0; }
static int tune5(void **c, uint64_t, size_t n, size_t nodes, Logger l, int *, double *) { return tune2(n, nodes, l, c); }
static int get1(int, size_t bytes, int, int, int, int *algorithm, int *protocol, int *) {
	return *algorithm = Tree, *protocol = Simple, say(("tune " + std::to_string(bytes)).c_str()), 0;
}
static int get2(void *, int f, size_t bytes, int c, int n, int p, int *a, int *pr, int *ch) { return get1(f, bytes, c, n, p, a, pr, ch); }
static int get3(void *, int f, size_t bytes, int, float **costs, int algorithms, int protocols, int *) {
	auto table = reinterpret_cast<float (*)[3]>(costs);
	say(("tune " + std::to_string(bytes) + " of " + std::to_string(algorithms) + "x" + std::to_string(protocols) + (table[Ring][Simple] > 0 ? "" : " without ring")).c_str());
	if (f == AllReduce)
		table[Tree][Simple] = 0;
	return 0;
}
static int get4(void *c, int f, size_t bytes, int p, float **costs, int a, int pr, int, int *ch) { return get3(c, f, bytes, p, costs, a, pr, ch); }
static int end1() { return say("tuner end"), 0; }
static int end2(void *) { return end1(); }
static int chunk6(void *, int, size_t, int, int, int, size_t *size) { return say(*size ? "chunk" : "no chunk"), 0; }
#define V(f) reinterpret_cast<void *>(f)
SOFTGPU_API const TunerSymbol ncclTunerPlugin_v1 = {"trace", V(tune1), V(get1), V(end1), nullptr};
SOFTGPU_API const TunerSymbol ncclTunerPlugin_v2 = {"trace", V(tune2), V(get2), V(end2), nullptr};
SOFTGPU_API const TunerSymbol ncclTunerPlugin_v3 = {"trace", V(tune2), V(get3), V(end2), nullptr};
SOFTGPU_API const TunerSymbol ncclTunerPlugin_v4 = {"trace", V(tune2), V(get4), V(end2), nullptr};
SOFTGPU_API const TunerSymbol ncclTunerPlugin_v5 = {"trace", V(tune5), V(get4), V(end2), nullptr};
SOFTGPU_API const TunerSymbol ncclTunerPlugin_v6 = {"trace", V(tune5), V(get4), V(end2), V(chunk6)};

static void body() {
	open_device();
	MUST(nccl.ncclCommInitRank(&comm, ranks, meet(), rank));
	char *in = buffer(1 << 20), *out = buffer(1 << 20);
	auto done = [](const char *what) {
		MUST(cu.cuStreamSynchronize(stream));
		say(what);
	};
	if (env("TRACE_SYMMETRIC")) {
		void *window;
		MUST(nccl.ncclCommWindowRegister(comm, in, 1 << 20, &window, 1));
		MUST(nccl.ncclCommWindowRegister(comm, out, 1 << 20, &window, 1));
		say(window ? "window" : "no window");
	}
	MUST(nccl.ncclAllReduce(in, out, 1024, 7, 0, comm, stream));
	done("-- all_reduce");
	MUST(nccl.ncclBroadcast(in, out, 1024, 7, 0, comm, stream));
	done("-- broadcast");
	MUST(nccl.ncclGroupStart());
	MUST(nccl.ncclSend(in, 8, 7, 1 - rank, comm, stream));
	MUST(nccl.ncclRecv(out, 8, 7, 1 - rank, comm, stream));
	MUST(nccl.ncclGroupEnd());
	done("-- send and receive");
	MUST(nccl.ncclCommDestroy(comm));
}

int main() { return run(2, body); }
