// Going through the segments of a payload: what filling and verifying have in common.
#pragma once

#include "device.cuh"

// A segment of the buffer beside the cycle of 1009 vectors that holds its data. The first `head` bytes come before the
// first aligned vector of the buffer, whose data are vector `place` of the cycle; then come whole vectors, then `tail`
// bytes.
struct run {
	uint8_t *data;
	const uint8_t *table;
	uint64_t element; // index in the buffer of the segment's first
	uint64_t bytes, head, vectors, tail;
	uint32_t place;

	CB_INLINE vector *aligned() const { return (vector *)(data + head); }
	CB_INLINE const vector *cycle() const { return (const vector *)table; }
	CB_INLINE uint32_t place_of(uint64_t v) const { return (uint32_t)((place + v) % CB_PERIOD); }
	// The data of byte i of the segment.
	CB_INLINE const uint8_t *byte(uint64_t i) const {
		return table + (place * 16 + CB_TABLE_BYTES - (uint32_t)head + i) % CB_TABLE_BYTES;
	}
};

CB_INLINE run run_of(const cb_payload &p, const cb_segment &s, uint32_t size) {
	run r;
	uint64_t address = p.data + s.offset * size;
	r.data = at_address<uint8_t>(address);
	r.table = at_address<const uint8_t>(p.tables + (uint64_t)s.table * CB_TABLE_BYTES);
	r.element = s.offset;
	r.bytes = s.length * size;
	r.head = least(until_aligned(address, 16), r.bytes);
	r.vectors = (r.bytes - r.head) / 16;
	r.tail = (r.bytes - r.head) % 16;
	// The element at the first vector, in the first of the table's repeats where it is aligned: each repeat moves it
	// by 1009 elements, which is one more than a multiple of any number of elements in a vector.
	uint32_t in_vector = 16 / size;
	uint32_t e = (s.start + p.iteration % CB_PERIOD * CB_ADVANCE + (uint32_t)r.head / size) % CB_PERIOD;
	r.place = (e + (-e & (in_vector - 1)) * CB_PERIOD) / in_vector;
	return r;
}

// The segments, divided among the blocks: if there are more blocks than segments, several blocks share each.
struct division {
	uint32_t first, step, count; // this block's segments: first, first + step, … below count
	share mine;                  // within each of them
};

CB_INLINE division divide_segments(const cb_payload &p) {
	uint32_t count = p.segments ? p.segment_count : 1;
	uint32_t together = count && gridDim.x > count ? gridDim.x / count : 1;
	uint32_t groups = gridDim.x / together, group = blockIdx.x / together;
	if (group >= groups) // a block too many
		group = count;
	return {group, groups, count,
	        {(uint64_t)(blockIdx.x % together) * blockDim.x + threadIdx.x, (uint64_t)together * blockDim.x}};
}

CB_INLINE cb_segment segment_of(const cb_payload &p, uint32_t i) {
	return p.segments ? at_address<const cb_segment>(p.segments)[i] : p.segment;
}
