// Package nccl is what a collective benchmark needs of NCCL: communicators, every collective, registered memory and
// windows, a timed loop in C, and a profiler plugin that says which algorithm ran. It goes through libnccl.so.2, from
// 2.18 to the newest, which it opens at run time.
//
// It stands on cgo/cuda and below bench/backend/nccl. Unless a communicator is told to block, no call of this package waits
// longer than its context says.
package nccl

import (
	"errors"
	"fmt"
	"os"

	"collbench/cgo/cuda"
)

// pathVariable names the library's file where the search would find another one, or none.
const pathVariable = "COLLBENCH_LIBNCCL"

// leastVersion is the oldest NCCL that is served.
const leastVersion = Version(21800)

var (
	// ErrUnavailable is in the error of Open where there is no library, or none that serves.
	ErrUnavailable = errors.New("NCCL is not available")
	// ErrNotSupported is in the error of what this NCCL, or this machine, lacks.
	ErrNotSupported = errors.New("not supported")
	// ErrStopped is the error of a timed loop that was told to stop.
	ErrStopped = errors.New("stopped")
)

func library() string {
	if path := os.Getenv(pathVariable); path != "" {
		return path
	}
	return "libnccl.so.2"
}

// Version is NCCL's version as it counts it since 2.9: 22703 is 2.27.3.
type Version int

// String writes the version as in "2.27.3".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100) }

// Release writes the version without its patch, as in "2.27".
func (v Version) Release() string { return fmt.Sprintf("%d.%d", v/10000, v/100%100) }

// Error is what a call of NCCL answered.
type Error struct {
	Call string // "ncclCommInitRankConfig"
	Code int    // an ncclResult_t
	Text string // "unhandled cuda error (run with NCCL_DEBUG=INFO for details)"
	Last string // NCCL's last words, of the process; they may be about an earlier call
}

// Error says which call failed and how, in NCCL's words.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Code)
	if e.Last != "" {
		text += ": " + e.Last
	}
	return text
}

// UniqueID is what rank 0 makes and all ranks of a communicator must have.
type UniqueID [128]byte

// Type is the type of an element, by NCCL's numbers.
type Type int

// The types. The two of 8 bits came with NCCL 2.24.
const (
	Int8 Type = iota
	Uint8
	Int32
	Uint32
	Int64
	Uint64
	Float16
	Float32
	Float64
	Bfloat16
	Float8E4M3
	Float8E5M2
)

// Size is the size of an element in bytes.
func (t Type) Size() int { return [...]int{1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1}[t] }

// Op is a reduction: one of these, or what PreMulSum made.
type Op int

// The reductions.
const (
	Sum Op = iota
	Prod
	Max
	Min
	Avg
)

// Collective is what an operation does.
type Collective int

// The collectives, in the order of loop.h.
const (
	AllReduce Collective = iota
	Broadcast
	Reduce
	AllGather
	ReduceScatter
	AllToAll
	Gather
	Scatter
	SendRecv
)

// Config is what a communicator may be told. Zero leaves a setting to NCCL.
type Config struct {
	MinCTAs, MaxCTAs int // blocks of a kernel, which is channels
	CGAClusterSize   int
	// Blocking has calls come back when they are done, however long that takes: who asks for it must be able to end the
	// process. Without it NCCL 2.23 and later launches each operation by a thread that it makes for it, which takes longer
	// than a short operation does (ncclGroupEndInternal in src/group.cc).
	Blocking bool
}

// Call describes an operation of one rank. In place, Send lies where the collective wants it in Recv.
type Call struct {
	Collective Collective
	Send, Recv cuda.Pointer
	Count      int // elements, with NCCL's meaning for the collective; of all to all, gather and scatter: for each peer
	Type       Type
	Op         Op
	Root       int
	To, From   int // of SendRecv; -1: nobody
	Times      int // of SendRecv: messages in each direction, all in one group; 0 and 1: one
}

// Event is what kind of event of the profiler plugin a Record comes from.
type Event int

// The events: a collective as a kernel carries it out, a send or receive, the call of one (2.28+), and a collective by
// copy engines (2.29+). A CollectiveCall without a CollectiveRun was carried out by a symmetric kernel, by copy engines,
// or by nobody, as with one rank.
const (
	CollectiveRun Event = iota
	PeerRun
	CollectiveCall
	PeerCall
	CopyEngineRun
)

// Record is operations of one kind that NCCL has told the profiler plugin of. Names are NCCL's.
type Record struct {
	Event     Event
	Times     uint64
	Function  string // "AllReduce"
	DataType  string // "ncclFloat32"
	Count     uint64 // elements
	Algorithm string // "RING", "TREE", "NVLS", …; of CollectiveRun
	Protocol  string // "LL", "LL128", "SIMPLE"; of CollectiveRun
	Channels  int    // 0: unknown
}

// ProfilerEnvironment makes NCCL 2.23 and later look for the profiler plugin in this program. It has to be set before
// NCCL is first called.
const ProfilerEnvironment = "NCCL_PROFILER_PLUGIN=STATIC_PLUGIN"

// Hook is a kernel that a loop launches before or after an operation, outside of what is timed.
type Hook struct {
	Launch    cuda.Launch
	Iteration int // where in its parameter the loop writes the iteration's number, 4 bytes; -1: nowhere
}

// MaxHooks is how many hooks a loop takes before, and as many after.
const MaxHooks = 4

// Loop says how operations are timed.
type Loop struct {
	Work      *Operation
	Barrier   *Operation // carried out before each iteration that is timed by itself, and before a batch; nil: none
	Before    []Hook
	After     []Hook
	Batch     bool // time all iterations together
	Aggregate int  // with Batch: operations in a group; 0 and 1: no groups
	HostClock bool // time by the host's clock, not by CUDA events
}
