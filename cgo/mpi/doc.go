// Package mpi calls an MPI library that it opens at run time: the same program works with Open MPI, MPICH and whatever shares the
// ABI of one of them. No header of theirs is needed to build it.
//
// It declares by itself what it uses (calls.h, handles.h, mpi.h); a test holds that against the headers that are installed. A
// process opens it at most once, on its main thread, and MPI is initialised at most once. The timed loop is in C (abi.h).
// bench/backend/mpi is its only user.
package mpi

import "fmt"

// Kind is what an iteration does.
type Kind int32

// The kinds, in the order of mpi.h. Broadcast and those before and after it are the MPI collectives of these names, Shift is a
// send to the next rank and a receive from the one before, and the rest are sides of point-to-point tests.
const (
	AllReduce Kind = iota
	AllGather
	ReduceScatter
	Broadcast
	Reduce
	AllToAll
	Gather
	Scatter
	Shift
	Idle
	Ping
	Pong
	Flood
	Swallow
	BothWays
)

// Type is the type of an element, in the order of handles.h.
type Type int32

// The types.
const (
	Float32 Type = iota
	Float64
	Float16
	BFloat16
	Int8
	Uint8
	Int32
	Int64
	Uint32
	Uint64
)

// Reduction is how elements become one, in the order of handles.h.
type Reduction int32

// The reductions.
const (
	Sum Reduction = iota
	Min
	Max
	Prod
)

// Job is what Run repeats on this rank.
type Job struct {
	Kind      Kind
	Type      Type
	Reduction Reduction
	// In and Out are memory of Memory. In is nil where the operation is in place.
	In, Out []byte
	// Count is the number of elements: of the buffer, of one rank's block where the collective has blocks, or of a message.
	Count int
	// Block is the length of one rank's block in bytes.
	Block int
	Root  int
	// Peer is the other rank of a point-to-point test, Window the number of messages under way at once.
	Peer, Window int
}

// names of kinds for messages: the MPI calls.
var kindCalls = [...]string{"MPI_Allreduce", "MPI_Allgather", "MPI_Reduce_scatter_block", "MPI_Bcast", "MPI_Reduce", "MPI_Alltoall",
	"MPI_Gather", "MPI_Scatter", "MPI_Sendrecv", "MPI_Barrier", "MPI_Send and MPI_Recv", "MPI_Recv and MPI_Send", "MPI_Isend", "MPI_Irecv",
	"MPI_Irecv and MPI_Isend"}

// String names the MPI call.
func (k Kind) String() string {
	if k >= 0 && int(k) < len(kindCalls) {
		return kindCalls[k]
	}
	return fmt.Sprintf("kind(%d)", int32(k))
}
