// Stands for NCCL's calls of a tuner plugin, ncclTunerPlugin_v1 to _v6, as each release makes them. Our own declarations
// of the structures, from the releases' headers. A stand-in for tests only.
#include "comm.h"
#include "plugin.h"

namespace softgpu {

struct Constants { // v5 and v6; the plugin may change them
	double base[Algorithms][Protocols], hardware[3][Algorithms][Protocols];
	double ll[4][3], ring_ll128[4][3], tree_ll128[4][3], tree[4][3], nvls_tree[4][3];
};
struct Domains { int count, fewest, most; }; // NVLink domains and the ranks in one

typedef int (*GetInfo1)(int function, size_t bytes, int collnet, int nvls, int piped, int *algorithm, int *protocol, int *channels);
typedef int (*GetInfo2)(void *, int function, size_t bytes, int collnet, int nvls, int piped, int *algorithm, int *protocol, int *channels);
typedef int (*GetInfo3)(void *, int function, size_t bytes, int piped, float **table, int algorithms, int protocols, int *channels);
typedef int (*GetInfo4)(void *, int function, size_t bytes, int piped, float **table, int algorithms, int protocols, int registered, int *channels);
typedef int (*Init1)(size_t ranks, size_t nodes, Logger);
typedef int (*Init2)(size_t ranks, size_t nodes, Logger, void **context);
typedef int (*Init5)(void **context, uint64_t communicator, size_t ranks, size_t nodes, Logger, Domains *, Constants *);

struct Symbol { // ncclTuner_vN_t; get_chunk is only in v6
	const char *name;
	void *init, *get_info, *finalize, *get_chunk;
};

struct Tuner { const Symbol *symbol; int version; void *context = nullptr; };

// Which interfaces a release knows: the newest, and the oldest that it still takes.
static int newest() {
	int r = release();
	return r >= 23000 ? 6 : r >= 22800 ? 5 : r >= 22400 ? 4 : r >= 22200 ? 3 : r >= 22100 ? 2 : r >= 21900 ? 1 : 0;
}

void tuner_init(ncclComm *comm) {
	int version = 0;
	void *symbol = newest() ? find_plugin("NCCL_TUNER_PLUGIN", "libnccl-tuner", "ncclTunerPlugin_v", newest(), release() >= 22200 ? 2 : 1, &version) : nullptr;
	if (!symbol)
		return;
	auto t = new Tuner{static_cast<const Symbol *>(symbol), version};
	auto ranks = size_t(comm->ranks), nodes = size_t(comm->nodes);
	Domains domains{comm->nodes, comm->local_ranks, comm->local_ranks};
	Constants constants{};
	int rc;
	if (version == 1)
		rc = Init1(t->symbol->init)(ranks, nodes, plugin_logger);
	else if (version <= 4)
		rc = Init2(t->symbol->init)(ranks, nodes, plugin_logger, &t->context);
	else
		rc = Init5(t->symbol->init)(&t->context, comm->hash, ranks, nodes, plugin_logger, &domains, &constants);
	if (rc == 0)
		comm->tuner = t;
	else
		delete t;
}

void tuner_finalize(ncclComm *comm) {
	if (!comm->tuner)
		return;
	if (comm->tuner->version == 1)
		reinterpret_cast<int (*)()>(comm->tuner->symbol->finalize)();
	else
		reinterpret_cast<int (*)(void *)>(comm->tuner->symbol->finalize)(comm->tuner->context);
	delete comm->tuner;
	comm->tuner = nullptr;
}

void tuned(ncclComm *comm, const Operation &o, int piped, float table[Algorithms][Protocols], int *algorithm, int *protocol, int *channels) {
	if (!comm->tuner || comm->ranks == 1)
		return;
	size_t bytes = o.count * type_size(o.type) * (o.function == AllGather || o.function == ReduceScatter ? size_t(comm->ranks) : 1);
	void *get = comm->tuner->symbol->get_info, *context = comm->tuner->context;
	auto costs = reinterpret_cast<float **>(table); // so declared by NCCL: it's the table itself
	int algorithms = release() >= 22300 ? Algorithms : Algorithms - 1;
	int asked_algorithm = -1, asked_protocol = -1, rc;
	switch (comm->tuner->version) {
	case 1: rc = GetInfo1(get)(o.function, bytes, comm->collnet, comm->nvls, piped, &asked_algorithm, &asked_protocol, channels); break;
	case 2: rc = GetInfo2(get)(context, o.function, bytes, comm->collnet, comm->nvls, piped, &asked_algorithm, &asked_protocol, channels); break;
	case 3: rc = GetInfo3(get)(context, o.function, bytes, piped, costs, algorithms, Protocols, channels); break;
	default: rc = GetInfo4(get)(context, o.function, bytes, piped, costs, algorithms, Protocols, !comm->windows.empty(), channels);
	}
	if (rc != 0) { // then NCCL's own choice holds
		*channels = 0;
		return;
	}
	*algorithm = asked_algorithm;
	*protocol = asked_protocol;
	auto chunk = comm->tuner->version >= 6 ? comm->tuner->symbol->get_chunk : nullptr;
	if (chunk) {
		size_t size = 512 << 10;
		reinterpret_cast<int (*)(void *, int, size_t, int, int, int, size_t *)>(chunk)(context, o.function, bytes, Ring, Simple, 1, &size);
	}
}

} // namespace softgpu
