// Every collective, type and reduction between processes, against references computed here; in and out of place, in
// one piece and in many, in a graph, in a split communicator. Prints "ok CASES" per rank count.
#include "ranks.h"

static const size_t sizes[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};

// encode writes a number that the type holds exactly.
static uint64_t encode(int type, double x) {
	static const int fraction[] = {0, 0, 0, 0, 0, 0, 10, 23, 52, 7, 3, 2}, bias[] = {0, 0, 0, 0, 0, 0, 15, 127, 1023, 127, 7, 15};
	if (type < 6)
		return (uint64_t)(int64_t)x;
	if (x == 0)
		return 0;
	int e = 0;
	while (x >= 2)
		x /= 2, e++;
	while (x < 1)
		x *= 2, e--;
	return (uint64_t)(e + bias[type]) << fraction[type] | (uint64_t)((x - 1) * (double)(1ull << fraction[type]));
}

// Inputs whose partial results every type holds: products have few factors of 2, sums few ones.
static double input(int op, int r, size_t i) {
	return op == 1 ? ((size_t)r + i) % 4 == 0 ? 2 : 1 : (double)(((size_t)r + i) % 2);
}

static double reduced(int op, int type, size_t i) {
	double x = op == 1 ? 1 : op == 3 ? 9 : 0;
	for (int r = 0; r < ranks; r++) {
		double v = input(op, r, i);
		x = op == 1 ? x * v : op == 2 ? (v > x ? v : x) : op == 3 ? (v < x ? v : x) : x + v;
	}
	return op != 4 ? x : type < 6 ? (double)((int)x / ranks) : x / ranks;
}

static long cases;
static void expect(const char *what, const char *have, int type, size_t i, double want) {
	uint64_t bits = encode(type, want), got = 0;
	memcpy(&got, have + i * sizes[type], sizes[type]);
	if (memcmp(&bits, &got, sizes[type]) != 0) {
		printf("rank %d of %d: %s type %d element %zu: %llx, not %llx\n", rank, ranks, what, type, i, (long long)got, (long long)bits);
		exit(1);
	}
}

static void put(char *to, int type, size_t i, double x) {
	uint64_t bits = encode(type, x);
	memcpy(to + i * sizes[type], &bits, sizes[type]);
}

enum { all_reduce, reduce, reduce_scatter, all_gather, broadcast, send_receive, all_to_all, gather, scatter, kinds };
static const char *const names[] = {"all_reduce", "reduce", "reduce_scatter", "all_gather", "broadcast", "send_receive", "all_to_all", "gather", "scatter"};

static int issue(int kind, const char *in, char *out, size_t n, int type, int op, int root) {
	switch (kind) {
	case all_reduce: return nccl.ncclAllReduce(in, out, n, type, op, comm, stream);
	case reduce: return nccl.ncclReduce(in, out, n, type, op, root, comm, stream);
	case reduce_scatter: return nccl.ncclReduceScatter(in, out, n, type, op, comm, stream);
	case all_gather: return nccl.ncclAllGather(in, out, n, type, comm, stream);
	case broadcast: return nccl.ncclBroadcast(in, out, n, type, root, comm, stream);
	case all_to_all: return nccl.ncclAlltoAll(in, out, n, type, comm, stream);
	case gather: return nccl.ncclGather(in, out, n, type, root, comm, stream);
	case scatter: return nccl.ncclScatter(in, out, n, type, root, comm, stream);
	}
	MUST(nccl.ncclGroupStart()); // once around the ring
	MUST(nccl.ncclSend(in, n, type, (rank + 1) % ranks, comm, stream));
	MUST(nccl.ncclRecv(out, n, type, (rank + ranks - 1) % ranks, comm, stream));
	return nccl.ncclGroupEnd();
}

static char *in, *out;

// Blocks of an input hold what their owner's logical vector says, from its place in the whole.
static void one(int kind, size_t n, int type, int op, int place) {
	size_t whole = n * (size_t)ranks, block = (size_t)rank * n;
	int root = (int)(n % (size_t)ranks), many_in = kind == reduce_scatter || kind == all_to_all || kind == scatter;
	char *from = in, *to = out;
	if (place && kind == all_gather)
		from = out + block * sizes[type];
	else if (place && kind == reduce_scatter)
		to = in + block * sizes[type];
	else if (place)
		from = out;
	for (size_t i = 0; i < (many_in ? whole : n); i++)
		put(from, type, i, input(op, rank, i));
	MUST(issue(kind, from, to, n, type, op, root));
	MUST(cu.cuStreamSynchronize(stream));
	cases++;
	for (size_t i = 0; i < n; i++)
		switch (kind) {
		case all_reduce: expect(names[kind], to, type, i, reduced(op, type, i)); break;
		case reduce: if (rank == root) expect(names[kind], to, type, i, reduced(op, type, i)); break;
		case reduce_scatter: expect(names[kind], to, type, i, reduced(op, type, block + i)); break;
		case broadcast: expect(names[kind], to, type, i, input(op, root, i)); break;
		case send_receive: expect(names[kind], to, type, i, input(op, (rank + ranks - 1) % ranks, i)); break;
		case scatter: expect(names[kind], to, type, i, input(op, root, block + i)); break;
		case gather: case all_gather:
			for (int r = 0; r < ranks && (kind == all_gather || rank == root); r++)
				expect(names[kind], to, type, (size_t)r * n + i, input(op, r, i));
			break;
		case all_to_all:
			for (int r = 0; r < ranks; r++)
				expect(names[kind], to, type, (size_t)r * n + i, input(op, r, block + i));
		}
}

// A floating-point average multiplies by 1/n, which is exact for powers of two.
static int exact(int op, int type) { return op != 4 || type < 6 || (ranks & (ranks - 1)) == 0; }

static void pre_multiplied(void) {
	int op;
	float two = 2;
	MUST(nccl.ncclRedOpCreatePreMulSum(&op, &two, 7, 1, comm));
	for (size_t i = 0; i < 99; i++)
		put(in, 7, i, input(0, rank, i));
	MUST(nccl.ncclAllReduce(in, out, 99, 7, op, comm, stream));
	MUST(cu.cuStreamSynchronize(stream));
	for (size_t i = 0; i < 99; i++)
		expect("pre-multiplied sum", out, 7, i, 2 * reduced(0, 7, i));
	MUST(nccl.ncclRedOpDestroy(op, comm));
	if (nccl.ncclAllReduce(in, out, 99, 7, op, comm, stream) != 4) {
		printf("a reduction that was destroyed is still known\n");
		exit(1);
	}
}

// A graph of three additions in place, launched twice: 1 becomes ranks^6.
static void graph(void) {
	void *captured, *executable;
	MUST(cu.cuStreamBeginCapture_v2(stream, 0));
	for (int i = 0; i < 3; i++)
		MUST(nccl.ncclAllReduce(out, out, 10, 8, 0, comm, stream));
	MUST(cu.cuStreamEndCapture(stream, &captured));
	MUST(cu.cuGraphInstantiateWithFlags(&executable, captured, 0));
	for (size_t i = 0; i < 10; i++)
		put(out, 8, i, 1);
	MUST(cu.cuGraphLaunch(executable, stream));
	MUST(cu.cuGraphLaunch(executable, stream));
	MUST(cu.cuStreamSynchronize(stream));
	double want = 1;
	for (int i = 0; i < 6; i++)
		want *= ranks;
	expect("graph", out, 8, 9, want);
}

// An operation in a new stream follows one in a stream that is gone.
static void two_streams(void) {
	void *old = stream;
	for (size_t i = 0; i < 200000; i++)
		put(out, 8, i, 1);
	MUST(nccl.ncclAllReduce(out, out, 200000, 8, 0, comm, old));
	MUST(cu.cuStreamCreate(&stream, 1));
	MUST(cu.cuStreamDestroy_v2(old));
	MUST(nccl.ncclAllReduce(out, out, 200000, 8, 0, comm, stream));
	MUST(cu.cuStreamSynchronize(stream));
	for (size_t i = 0; i < 200000; i++)
		expect("two streams", out, 8, i, ranks * ranks);
}

// Even and odd ranks, in reverse order.
static void split(void) {
	void *parent = comm;
	int all = ranks, me = rank;
	MUST(nccl.ncclCommSplit(parent, rank % 2, -rank, &comm, NULL));
	ranks = (all + 1 - rank % 2) / 2;
	rank = (all - 1 - me) / 2;
	if (ranks > 1)
		one(all_gather, 100, 2, 0, 0);
	MUST(nccl.ncclCommDestroy(comm));
	comm = parent, ranks = all, rank = me;
}

static void body(void) {
	int version, types = 12, last = kinds;
	open_device();
	MUST(nccl.ncclCommInitRank(&comm, ranks, meet(), rank));
	MUST(nccl.ncclGetVersion(&version));
	if (version < 22400)
		types = 10;
	if (!nccl.ncclAlltoAll)
		last = all_to_all;
	in = buffer(64 << 20), out = buffer(64 << 20);
	for (int kind = 0; kind < last; kind++)
		for (int type = 0; type < types; type++)
			for (int op = 0; op < (kind <= reduce_scatter ? 5 : 1); op++)
				for (int place = 0; place < (kind <= broadcast && exact(op, type) ? 2 : exact(op, type)); place++)
					for (int size = type != 7; size < 2; size++) // one element, of one type only
						one(kind, size ? 1031 : 1, type, op, place);
	for (int kind = 0; kind < last; kind++)
		one(kind, 300001, 7, 0, 0);
	pre_multiplied();
	graph();
	two_streams();
	split();
	MUST(nccl.ncclCommDestroy(comm));
	if (rank == 0)
		printf("ok %ld\n", cases);
}

int main(int argc, char **argv) { return run(atoi(argv[1]), body); }
