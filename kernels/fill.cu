#include "segments.cuh"

// cb_fill writes what the tables say into the segments of a buffer.
extern "C" __global__ void cb_fill(const cb_fill_params p) {
	division d = divide_segments(p.payload);
	for (uint32_t s = d.first; s < d.count; s += d.step) {
		run r = run_of(p.payload, segment_of(p.payload, s), p.size);
		uint32_t place = r.place_of(d.mine.index), step = (uint32_t)(d.mine.stride % CB_PERIOD);
		vector *to = r.aligned();
		const vector *cycle = r.cycle();
#pragma unroll 4
		for (uint64_t v = d.mine.index; v < r.vectors; v += d.mine.stride) {
			to[v] = cycle[place];
			place += step;
			place -= place >= CB_PERIOD ? CB_PERIOD : 0;
		}
		for (uint64_t i = d.mine.index; i < r.head + r.tail; i += d.mine.stride) {
			uint64_t b = i < r.head ? i : r.bytes - r.tail + (i - r.head);
			r.data[b] = *r.byte(b);
		}
	}
}
