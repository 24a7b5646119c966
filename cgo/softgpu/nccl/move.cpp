// Stands for NCCL's kernels: they move data between the processes through the communicator's shared memory, piece by
// piece. Each piece uses one half of the stage; a half is written again only when every rank has passed the barrier of
// the piece after it, so has read what was there. A stand-in for tests only.
#include "comm.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace softgpu {

struct Piece {
	ncclComm *comm;
	const Operation &o;
	size_t size;       // of an element
	size_t at, count;  // elements of this piece, from the first on
	char (*stage)[stage_bytes];
	char *result;
	const char *input() const { return static_cast<const char *>(o.send); }
	char *output() const { return static_cast<char *>(o.receive); }
	// block copies elements at, … of the block of a rank in a buffer that has one per rank.
	size_t block(int rank) const { return (size_t(rank) * o.count + at) * size; }
	size_t bytes() const { return count * size; }
};

static void slices(const Piece &p, int rank, size_t *from, size_t *to) {
	size_t each = (p.count + size_t(p.comm->ranks) - 1) / size_t(p.comm->ranks);
	*from = std::min(p.count, size_t(rank) * each);
	*to = std::min(p.count, *from + each);
}

// Every rank reduces a slice for all; of few elements each reduces all for itself.
static bool all_reduce(const Piece &p) {
	ncclComm *c = p.comm;
	memcpy(p.stage[c->rank], p.input() + p.at * p.size, p.bytes());
	if (!barrier(c))
		return false;
	bool few = p.bytes() <= 4096;
	Reducer r = reducer(p.o, c->ranks);
	for (int s = few ? 0 : c->rank; s < (few ? c->ranks : c->rank + 1); s++) {
		size_t from, to;
		slices(p, s, &from, &to);
		const char *inputs[max_ranks];
		for (int i = 0; i < c->ranks; i++)
			inputs[i] = p.stage[i] + from * p.size;
		char *out = few ? p.output() + (p.at + from) * p.size : p.result + from * p.size;
		if (few && p.o.function == Reduce && c->rank != p.o.peer)
			continue;
		if (to > from)
			reduce(r, order(p.o.algorithm, c->ranks, c->nodes, s), inputs, to - from, out);
	}
	if (few)
		return true;
	if (!barrier(c))
		return false;
	if (p.o.function == AllReduce || c->rank == p.o.peer)
		memcpy(p.output() + p.at * p.size, p.result, p.bytes());
	return true;
}

static bool reduce_scatter(const Piece &p) {
	ncclComm *c = p.comm;
	for (int r = 0; r < c->ranks; r++)
		memcpy(p.stage[c->rank] + size_t(r) * p.bytes(), p.input() + p.block(r), p.bytes());
	if (!barrier(c))
		return false;
	const char *inputs[max_ranks];
	for (int i = 0; i < c->ranks; i++)
		inputs[i] = p.stage[i] + size_t(c->rank) * p.bytes();
	reduce(reducer(p.o, c->ranks), order(p.o.algorithm, c->ranks, c->nodes, c->rank), inputs, p.count, p.output() + p.at * p.size);
	return true;
}

static bool broadcast(const Piece &p) {
	if (p.comm->rank == p.o.peer)
		memcpy(p.stage[p.o.peer], p.input() + p.at * p.size, p.bytes());
	if (!barrier(p.comm))
		return false;
	memcpy(p.output() + p.at * p.size, p.stage[p.o.peer], p.bytes());
	return true;
}

static bool all_gather(const Piece &p) {
	memcpy(p.stage[p.comm->rank], p.input() + p.at * p.size, p.bytes());
	if (!barrier(p.comm))
		return false;
	for (int r = 0; r < p.comm->ranks; r++)
		memcpy(p.output() + p.block(r), p.stage[r], p.bytes());
	return true;
}

static bool piece(const Piece &p) {
	switch (p.o.function) {
	case AllReduce: case Reduce: return all_reduce(p);
	case ReduceScatter: return reduce_scatter(p);
	case Broadcast: return broadcast(p);
	default: return all_gather(p);
	}
}

// A wrong element has its highest bits turned, which no tolerance forgives.
static void spoil(const Operation &o, const Fault *f, int blocks) {
	size_t bytes = o.count * type_size(o.type) * size_t(blocks), last = (size_t(f->number("element", 0)) + 1) * o.element;
	if (last <= bytes)
		static_cast<unsigned char *>(o.receive)[last - 1] ^= 0x44;
}

// strike does what a fault asks before the operation; false if it must not go on.
static bool strike(ncclComm *comm, const Place &place) {
	if (auto f = fault("slow", place))
		usleep(useconds_t(f->number("ms", 10) * 1000));
	bool async = fault("async", place);
	if (async) {
		warn(comm->device, "rank %d: injected asynchronous error", comm->rank);
		comm->state = ncclRemoteError;
	}
	if (async || fault("hang", place))
		pause_until_aborted(comm);
	return !comm->aborted;
}

void carry_out(ncclComm *comm, Operation &o) {
	std::lock_guard<std::mutex> hold(comm->lock);
	Place place;
	place.rank = comm->rank;
	place.operation = function_names[o.function];
	place.iteration = o.iteration;
	if (!strike(comm, place))
		return;
	size_t size = type_size(o.type), room = stage_bytes / size;
	if (o.function == ReduceScatter)
		room /= size_t(comm->ranks);
	for (size_t at = 0; at < o.count; at += room) {
		size_t half = comm->step++ % 2;
		Piece p{comm, o, size, at, std::min(room, o.count - at), comm->region->stage[half], comm->region->results[half]};
		if (!piece(p))
			return;
	}
	count_traffic(comm, o);
	bool receives = o.function != Reduce || comm->rank == o.peer;
	if (auto f = fault("wrong", place); f && receives)
		spoil(o, f, o.function == AllGather ? comm->ranks : 1);
}

// One way of one pair: what is left to do of an operation.
struct Transfer { Operation *o; size_t done, whole; };

static bool send_some(ncclComm *comm, Transfer &t) {
	auto &c = comm->region->channels[comm->rank][t.o->peer];
	uint64_t n = c.produced;
	if (n - c.consumed >= slots)
		return false;
	size_t bytes = std::min(slot_bytes, t.whole - t.done), slot = n % slots;
	memcpy(comm->region->messages[comm->rank][t.o->peer][slot], static_cast<const char *>(t.o->send) + t.done, bytes);
	c.length[slot] = uint32_t(bytes);
	c.produced = n + 1;
	t.done += bytes;
	ring_bell(comm, t.o->peer);
	return true;
}

static bool receive_some(ncclComm *comm, Transfer &t) {
	auto &c = comm->region->channels[t.o->peer][comm->rank];
	uint64_t n = c.consumed;
	if (c.produced == n)
		return false;
	size_t slot = n % slots, bytes = std::min(size_t(c.length[slot]), t.whole - t.done);
	memcpy(static_cast<char *>(t.o->receive) + t.done, comm->region->messages[t.o->peer][comm->rank][slot], bytes);
	c.consumed = n + 1;
	t.done += bytes;
	ring_bell(comm, t.o->peer);
	return true;
}

// All sends and receives of a group advance together; those of one pair and direction, one after the other.
void exchange(ncclComm *comm, std::vector<Operation> &all) {
	std::lock_guard<std::mutex> hold(comm->lock);
	std::vector<Transfer> left;
	for (auto &o : all) {
		Place place;
		place.rank = comm->rank;
		place.operation = function_names[o.function];
		place.iteration = o.iteration;
		if (!strike(comm, place))
			return;
		if (o.count)
			left.push_back({&o, 0, o.count * type_size(o.type)});
	}
	while (!left.empty()) {
		uint32_t heard = comm->region->members[comm->rank].doorbell;
		bool moved = false, busy[2][max_ranks] = {};
		for (auto &t : left) {
			bool sends = t.o->function == Send, &first = busy[sends][t.o->peer];
			if (!first)
				moved = (sends ? send_some(comm, t) : receive_some(comm, t)) || moved;
			first = true;
		}
		for (size_t i = left.size(); i-- > 0;)
			if (left[i].done == left[i].whole)
				left.erase(left.begin() + long(i));
		if (comm->aborted || (!moved && !wait_bell(comm, heard)))
			return;
	}
	for (auto &o : all) {
		count_traffic(comm, o);
		Place place;
		place.rank = comm->rank;
		place.operation = function_names[o.function];
		place.iteration = o.iteration;
		if (auto f = fault("wrong", place); f && o.function == Recv)
			spoil(o, f, 1);
	}
}

} // namespace softgpu
