package kernels

import "unsafe"

// The structs of kernels.h, field by field, in the machine's order of bytes: a launch takes one of them.
type (
	// Segment is cb_segment: a run of elements of a buffer that a table gives.
	Segment struct {
		Offset, Length uint64 // elements
		Start          uint32 // of the first element in the table in iteration 0: 0 … 1008
		Table          uint32
	}
	// Payload is cb_payload: what stands in a buffer in an iteration.
	Payload struct {
		Data, Tables uint64 // addresses
		Segments     uint64 // address of SegmentCount of them; 0: Segment is the only one
		SegmentCount uint32
		Iteration    uint32
		Segment      Segment
	}
	// FillParams is what cb_fill takes.
	FillParams struct {
		Payload
		Size uint32 // of an element: 1, 2, 4 or 8 bytes
		_    uint32
	}
	// VerifyParams is what cb_verify takes.
	VerifyParams struct {
		Payload
		Tolerance float64 // absolute
		Result    uint64  // address of a Result
		Type      uint32  // an ncclDataType_t
		Compare   uint32  // SameBits or Within
	}
	// Result is cb_result: what cb_verify has found since it was set to zeros.
	Result struct {
		Wrong     uint64 // elements
		First     uint64 // one more than the least index of a wrong element; 0: none
		Got, Want uint64 // its bits, zero-extended
		Iteration uint32 // in which it was found
		Lock      uint32
	}
)

// How elements are compared (cb_compare).
const (
	SameBits = 0 // data that were only moved
	Within   = 1 // floating-point numbers by their value, as near as the tolerance; integers by their bits
)

// IterationOffset is where in a FillParams and a VerifyParams the iteration's number stands, in bytes.
const IterationOffset = int(unsafe.Offsetof(Payload{}.Iteration))
