// Stands for NCCL's reductions: the order in which an algorithm combines the ranks' inputs, and the arithmetic, which
// is that of collbench's own kernel, rounded to the type at every step. A stand-in for tests only.
#include "comm.h"

#include "../../../kernels/host.h"
#include "../../../kernels/kernels.h"

#include <cstring>

namespace softgpu {

// NCCL's binary tree (src/graph/trees.cc) over the nodes, numbers in post-order.
static void tree(int node, int nodes, int low, const std::vector<std::vector<int>> &chains, int turn, std::vector<int> *out) {
	auto &chain = chains[size_t((node + turn) % nodes)];
	for (size_t i = chain.size(); i-- > 0;) {
		out->push_back(chain[i]);
		if (i + 1 < chain.size())
			out->push_back(-1);
	}
	for (int bit = low >> 1; bit > 0; bit >>= 1) {
		if (node != 0 && bit == low >> 1) { // the child on the left
			tree(node - bit, nodes, bit, chains, turn, out);
			out->push_back(-1);
		}
		if (node + bit < nodes) { // the one on the right, or the first below it that there is
			tree(node + bit, nodes, bit, chains, turn, out);
			out->push_back(-1);
			break;
		}
	}
}

// A ring reduces slice s on its way from rank s+1 round to s. A tree runs along a chain in every node and up between
// them; odd slices go through the second tree. A switch adds its ports in their order.
std::vector<int> order(Algorithm a, int ranks, int nodes, int slice) {
	std::vector<int> steps;
	if (a == Tree || a == NVLSTree) {
		std::vector<std::vector<int>> chains;
		chains.resize(size_t(nodes));
		for (int r = 0; r < ranks; r++)
			chains[size_t(int64_t(r) * nodes / ranks)].push_back(r);
		int top = 1;
		while (top < nodes)
			top <<= 1;
		tree(0, nodes, top, chains, slice % 2, &steps);
		return steps;
	}
	int first = a == Ring || a == PAT ? slice + 1 : 0;
	for (int i = 0; i < ranks; i++) {
		steps.push_back((first + i) % ranks);
		if (i > 0)
			steps.push_back(-1);
	}
	return steps;
}

// The most measured reduction by a loop that the compiler turns into vectors; it rounds as the kernel does.
static bool add_floats(const cb_reduce_params &p) {
	if (p.type != ncclFloat32 || p.op != ncclSum || p.flags || p.divisor > 1 || !p.b)
		return false;
	auto a = reinterpret_cast<const float *>(uintptr_t(p.a)), b = reinterpret_cast<const float *>(uintptr_t(p.b));
	auto out = reinterpret_cast<float *>(uintptr_t(p.out));
#pragma GCC ivdep
	for (size_t i = 0; i < p.count; i++)
		out[i] = a[i] + b[i];
	return true;
}

static void combine(cb_reduce_params p) {
	if (add_floats(p))
		return;
	static const cb_host_kernel *kernel = [] {
		const cb_host_kernel *found = nullptr;
		for (unsigned i = 0; i < cb_host_kernels_count; i++)
			if (strcmp(cb_host_kernels[i].name, "cb_reduce") == 0)
				found = &cb_host_kernels[i];
		return found;
	}();
	kernel->run(&p, 1, 1);
}

static uint64_t one_over(int type, int ranks) {
	static const uint64_t ones[] = {1, 1, 1, 1, 1, 1, 0x3c00, 0x3f800000, 0x3ff0000000000000, 0x3f80, 0x38, 0x3c};
	uint64_t one = ones[type], share = 0;
	cb_reduce_params p{};
	p.out = uint64_t(uintptr_t(&share));
	p.a = uint64_t(uintptr_t(&one));
	p.count = 1;
	p.type = uint32_t(type);
	p.divisor = uint32_t(ranks);
	combine(p);
	return share;
}

// An average multiplies floating-point inputs by 1/n beforehand and divides whole numbers afterwards, as NCCL does.
Reducer reducer(const Operation &o, int ranks) {
	Reducer r{o.type, o.op, ranks, o.scaled, o.scalar};
	if (o.op == ncclAvg && o.type >= ncclFloat16) {
		r.op = ncclSum;
		r.scaled = true;
		r.scalar = one_over(o.type, ranks);
	}
	return r;
}

void reduce(const Reducer &r, const std::vector<int> &order, const char *const *inputs, size_t count, char *out) {
	const size_t block = 4096; // elements: a few fit a cache
	size_t size = type_size(r.type);
	std::vector<std::vector<char>> rooms(order.size() + 1, std::vector<char>());
	for (size_t at = 0; at < count; at += block) {
		size_t n = std::min(block, count - at);
		struct Operand { const char *bytes; bool raw; };
		std::vector<Operand> stack;
		for (size_t i = 0; i < order.size(); i++) {
			if (order[i] >= 0) {
				stack.push_back({inputs[order[i]] + at * size, true});
				continue;
			}
			Operand b = stack.back(), a = stack[stack.size() - 2];
			stack.resize(stack.size() - 2);
			bool last = i + 1 == order.size();
			auto &room = rooms[stack.size()]; // may be a's own: a kernel's output may be its input
			room.resize(block * size);
			cb_reduce_params p{};
			p.out = uint64_t(uintptr_t(last ? out + at * size : room.data()));
			p.a = uint64_t(uintptr_t(a.bytes));
			p.b = uint64_t(uintptr_t(b.bytes));
			p.count = n;
			p.type = uint32_t(r.type);
			p.op = uint32_t(r.op == ncclAvg ? ncclSum : r.op);
			if (r.scaled) {
				p.scalar = r.scalar;
				p.flags = (a.raw ? CB_SCALE_A : 0) | (b.raw ? CB_SCALE_B : 0);
			}
			p.divisor = r.op == ncclAvg && last ? uint32_t(r.ranks) : 0;
			combine(p);
			stack.push_back({reinterpret_cast<const char *>(uintptr_t(p.out)), false});
		}
		if (order.size() == 1) { // one rank
			cb_reduce_params p{};
			p.out = uint64_t(uintptr_t(out + at * size));
			p.a = uint64_t(uintptr_t(stack[0].bytes));
			p.count = n;
			p.type = uint32_t(r.type);
			p.scalar = r.scalar;
			p.flags = r.scaled ? CB_SCALE_A : 0;
			combine(p);
		}
	}
}

} // namespace softgpu
