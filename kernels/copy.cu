#include "device.cuh"

// copy_words copies by words as wide as both addresses allow, four at a time so that enough loads are on their way.
template <class W> CB_INLINE void copy_words(const cb_copy_params &p) {
	share mine = of_grid();
	uint8_t *to = at_address<uint8_t>(p.to);
	const uint8_t *from = at_address<const uint8_t>(p.from);
	uint64_t head = least(until_aligned(p.to, sizeof(W)), p.bytes), words = (p.bytes - head) / sizeof(W);
	W *to_words = (W *)(to + head);
	const W *from_words = (const W *)(from + head);
	const int batch = 4;
	for (uint64_t v = mine.index; v < words; v += batch * mine.stride) {
		W w[batch];
#pragma unroll
		for (int k = 0; k < batch; k++)
			if (v + k * mine.stride < words)
				w[k] = from_words[v + k * mine.stride];
#pragma unroll
		for (int k = 0; k < batch; k++)
			if (v + k * mine.stride < words)
				to_words[v + k * mine.stride] = w[k];
	}
	uint64_t body = words * sizeof(W);
	for (uint64_t i = mine.index; i < p.bytes - body; i += mine.stride) {
		uint64_t b = i < head ? i : i + body;
		to[b] = from[b];
	}
}

// cb_copy copies one buffer to another.
extern "C" __global__ void cb_copy(const cb_copy_params p) {
	uint64_t apart = p.to ^ p.from;
	if (apart % 16 == 0)
		copy_words<vector>(p);
	else if (apart % 8 == 0)
		copy_words<uint64_t>(p);
	else if (apart % 4 == 0)
		copy_words<uint32_t>(p);
	else if (apart % 2 == 0)
		copy_words<uint16_t>(p);
	else
		copy_words<uint8_t>(p);
}
