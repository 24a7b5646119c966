#include "numbers.cuh"
#include "segments.cuh"

// What one thread has found.
struct finding {
	uint64_t wrong, first, got, want; // as in cb_result
};

CB_INLINE uint64_t element_bits(const uint8_t *at, uint32_t size) {
	switch (size) {
	case 1:
		return *at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	}
	return *(const uint64_t *)at;
}

CB_INLINE double number_of(uint32_t type, uint64_t bits) {
	switch (type) {
	case CB_FLOAT16:
		return from_float16((uint16_t)bits);
	case CB_BFLOAT16:
		return from_bfloat16((uint16_t)bits);
	case CB_FLOAT8E4M3:
		return from_float8e4m3((uint8_t)bits);
	case CB_FLOAT8E5M2:
		return from_float8e5m2((uint8_t)bits);
	case CB_FLOAT32:
		return float_of((uint32_t)bits);
	}
	return __longlong_as_double((long long)bits);
}

CB_INLINE bool differs(const cb_verify_params &p, uint64_t got, uint64_t want) {
	if (got == want)
		return false;
	if (p.compare == CB_SAME_BITS || p.type < CB_FLOAT16)
		return true;
	double g = number_of(p.type, got), w = number_of(p.type, want), off = g - w;
	bool close = off <= p.tolerance && off >= -p.tolerance; // not if one is infinite or NaN
	return !(g == w || close || (g != g && w != w));
}

// check compares count elements of the run r, from its byte `at` on. It is called where bytes differ, and at the ends.
__device__ __noinline__ void check(cb_verify_params p, const run &r, uint64_t at, uint64_t count, finding &f) {
	uint32_t size = size_of(p.type);
	for (; count > 0; count--, at += size) {
		uint64_t got = element_bits(r.data + at, size), want = element_bits(r.byte(at), size);
		if (!differs(p, got, want))
			continue;
		f.wrong++;
		uint64_t place = r.element + at / size + 1;
		if (f.first == 0 || place < f.first) {
			f.first = place;
			f.got = got;
			f.want = want;
		}
	}
}

// report adds to the result. Only a thread whose find comes before the first so far waits for the lock, which no
// thread holds for long.
__device__ __noinline__ void report(cb_result *result, const finding &f, uint32_t iteration) {
	atomicAdd((unsigned long long *)&result->wrong, (unsigned long long)f.wrong);
	for (bool done = false; !done;) {
		uint64_t first = *(volatile uint64_t *)&result->first;
		if (first != 0 && first <= f.first)
			return;
		if (atomicCAS(&result->lock, 0u, 1u) != 0)
			continue;
		__threadfence();
		first = *(volatile uint64_t *)&result->first;
		if (first == 0 || f.first < first) {
			*(volatile uint64_t *)&result->got = f.got;
			*(volatile uint64_t *)&result->want = f.want;
			*(volatile uint32_t *)&result->iteration = iteration;
			*(volatile uint64_t *)&result->first = f.first;
		}
		__threadfence();
		atomicExch(&result->lock, 0u);
		done = true;
	}
}

// verify_run compares whole vectors, four at a time so that enough loads are on their way, and looks at elements
// only where a vector differs.
CB_INLINE void verify_run(const cb_verify_params &p, const run &r, share mine, finding &f) {
	const vector *data = r.aligned(), *cycle = r.cycle();
	uint32_t size = size_of(p.type), in_vector = 16 / size;
	uint32_t place = r.place_of(mine.index), step = (uint32_t)(mine.stride % CB_PERIOD);
	const int batch = 4;
	for (uint64_t v = mine.index; v < r.vectors; v += batch * mine.stride) {
		vector got[batch];
#pragma unroll
		for (int k = 0; k < batch; k++)
			if (v + k * mine.stride < r.vectors)
				got[k] = data[v + k * mine.stride];
#pragma unroll
		for (int k = 0; k < batch; k++) {
			uint64_t at = v + k * mine.stride;
			if (at < r.vectors && !(got[k] == cycle[place]))
				check(p, r, r.head + at * 16, in_vector, f);
			place += step;
			place -= place >= CB_PERIOD ? CB_PERIOD : 0;
		}
	}
	uint64_t head = r.head / size, ends = head + r.tail / size;
	for (uint64_t i = mine.index; i < ends; i += mine.stride)
		check(p, r, i < head ? i * size : r.bytes - r.tail + (i - head) * size, 1, f);
}

// cb_verify compares the segments of a buffer with what the tables say.
extern "C" __global__ void cb_verify(const cb_verify_params p) {
	finding f = {0, 0, 0, 0};
	division d = divide_segments(p.payload);
	for (uint32_t s = d.first; s < d.count; s += d.step)
		verify_run(p, run_of(p.payload, segment_of(p.payload, s), size_of(p.type)), d.mine, f);
	if (f.wrong > 0)
		report(at_address<cb_result>(p.result), f, p.payload.iteration);
}
