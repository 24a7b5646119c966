// The contract between the kernels and whoever launches them: one parameter per kernel, a struct of fixed-width
// fields, read by C, C++, CUDA and (through cgo) Go. Addresses are CUdeviceptr values; they must be multiples of the
// element's size, and nothing more. A kernel takes any grid and block in x (1 in y and z), no shared memory, and
// does nothing where a length is 0. Package kernels (kernels.go) says what the kernels are for.
#ifndef COLLBENCH_KERNELS_H
#define COLLBENCH_KERNELS_H

#ifdef __CUDACC_RTC__ // the run-time compiler has no headers
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
#include <stdint.h>
#endif

#ifdef __cplusplus
#define CB_ASSERT(condition) static_assert(condition, #condition)
#else
#define CB_ASSERT(condition) _Static_assert(condition, #condition)
#endif

// Data types and reductions have the numbers of ncclDataType_t and ncclRedOp_t.
enum cb_type {
	CB_INT8 = 0, CB_UINT8 = 1, CB_INT32 = 2, CB_UINT32 = 3, CB_INT64 = 4, CB_UINT64 = 5,
	CB_FLOAT16 = 6, CB_FLOAT32 = 7, CB_FLOAT64 = 8, CB_BFLOAT16 = 9, CB_FLOAT8E4M3 = 10, CB_FLOAT8E5M2 = 11,
};
enum cb_op { CB_SUM = 0, CB_PROD = 1, CB_MAX = 2, CB_MIN = 3 };

// Element i of a rank's logical vector in iteration t is table[(i + phase(rank) + CB_ADVANCE*t) mod CB_PERIOD], and
// so is the reduction over all ranks with a table of its own and phase 0: the scheme and the tables of
// collectives/host.Payload, whose Tables and Segments are what to upload. A table in device memory is the period
// repeated 16/size times, size being the element's: 16144 bytes for every type, which begin at a multiple of 16.
// Repeated so, it reads as a cycle of 1009 vectors of 16 bytes in which every start has an aligned place.
#define CB_PERIOD 1009u
#define CB_ADVANCE 613u
#define CB_TABLE_BYTES (CB_PERIOD * 16u)

// A run of elements of a buffer that a table gives.
struct cb_segment {
	uint64_t offset; // of the first element in the buffer; elements
	uint64_t length; // elements
	uint32_t start;  // of the first element in the table in iteration 0: 0 … CB_PERIOD-1
	uint32_t table;  // 0: the first table at `tables`, 1: the one behind it, …
};
CB_ASSERT(sizeof(struct cb_segment) == 24);

// What stands in a buffer in an iteration.
struct cb_payload {
	uint64_t data;             // address of the buffer's element 0
	uint64_t tables;           // address of the tables, one after the other
	uint64_t segments;         // address of segment_count segments; 0: `segment` is the only one
	uint32_t segment_count;
	uint32_t iteration;
	struct cb_segment segment;
};
CB_ASSERT(sizeof(struct cb_payload) == 56);

// cb_fill writes the segments' elements.
struct cb_fill_params {
	struct cb_payload payload;
	uint32_t size; // of an element: 1, 2, 4 or 8 bytes
	uint32_t unused;
};
CB_ASSERT(sizeof(struct cb_fill_params) == 64);

// cb_verify compares the segments' elements with the tables and adds what is wrong to `result`.
enum cb_compare {
	CB_SAME_BITS = 0, // the same bytes: data that were only moved
	CB_WITHIN = 1,    // floating-point numbers: |got - want| <= tolerance, equal (so -0 is +0), or both NaN;
	                  // integers: the same
};
struct cb_verify_params {
	struct cb_payload payload;
	double tolerance; // absolute; 0 or more
	uint64_t result;  // address of a struct cb_result
	uint32_t type;    // enum cb_type
	uint32_t compare; // enum cb_compare
};
CB_ASSERT(sizeof(struct cb_verify_params) == 80);

// What cb_verify found in all launches since the caller set it to zeros.
struct cb_result {
	uint64_t wrong;     // elements that differ
	uint64_t first;     // one more than the least index in the buffer of a wrong element; 0: none
	uint64_t got;       // its bits, zero-extended
	uint64_t want;      // the bits that it should have
	uint32_t iteration; // in which it was found
	uint32_t lock;      // 0 but while a thread writes the four fields above
};
CB_ASSERT(sizeof(struct cb_result) == 40);

// cb_reduce: out = (a' op b') / divisor, element by element, where a' is a or a*scalar. Each step is rounded to the
// type: to nearest, ties to even; float8 saturates at its largest finite number. Integers wrap around and are divided
// toward zero. Min and max give NaN if one of the two is NaN, and -0 is less than +0; so they do not depend on the
// order of combination. Which NaN comes out is not defined. Averaging is CB_SUM with the number of ranks as divisor
// in the last step; ncclRedOpCreatePreMulSum is CB_SUM with CB_SCALE_A and CB_SCALE_B where the inputs are ranks'.
enum cb_reduce_flags { CB_SCALE_A = 1, CB_SCALE_B = 2 };
struct cb_reduce_params {
	uint64_t out;     // may be a or b, but must not overlap them in part
	uint64_t a;
	uint64_t b;       // 0: no second input, out = a' / divisor
	uint64_t count;   // elements
	uint64_t scalar;  // bits of a number of the type, zero-extended
	uint32_t type;    // enum cb_type
	uint32_t op;      // enum cb_op
	uint32_t flags;   // enum cb_reduce_flags, added
	uint32_t divisor; // 0 and 1: none
};
CB_ASSERT(sizeof(struct cb_reduce_params) == 56);

// cb_copy copies bytes; the addresses may be any. The areas must not overlap.
struct cb_copy_params {
	uint64_t to;
	uint64_t from;
	uint64_t bytes;
};
CB_ASSERT(sizeof(struct cb_copy_params) == 24);

#endif
