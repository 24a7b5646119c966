// Package ucx is what a benchmark of messages needs of UCX: a pair's two ends, connected by whatever the program has brought from one
// to the other, and a timed loop in C that does what ucx_perftest does. It goes through libucp.so.0, from 1.12 to the newest, which
// it opens at run time; no header of UCX's is needed to build it.
//
// It declares by itself what it uses (ucp.h, calls.h); a test holds that against a table of facts and the header that is installed.
// bench/backend/ucx is its only user.
package ucx

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// pathVariable names the library's file where the search would find another one, or none.
const pathVariable = "COLLBENCH_LIBUCP"

// leastVersion is the oldest UCX that is served.
var leastVersion = Version{1, 12, 0}

// ErrUnavailable is in the error of Open where there is no library, or none that serves.
var ErrUnavailable = errors.New("UCX is not available")

func library() string {
	if path := os.Getenv(pathVariable); path != "" {
		return path
	}
	return "libucp.so.0"
}

// Version is major, minor and release.
type Version [3]int

// String writes the version as in "1.13.1".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

func older(a, b Version) bool { return slices.Compare(a[:], b[:]) < 0 }

// lane takes apart a line of ucp_ep_print_info: "#   lane[0]:  2:posix/memory.0 md[1]   -> md[1]/posix/sysdev[255] am am_bw#0". What
// follows the other side's device is what the lane is for.
var lane = regexp.MustCompile(`(?m)^#\s+lane\[\d+\]:\s+\d+:(\S+)\s+md\[\d+\]\s+->\s+\S+(.*)$`)

// lanes lists what ucp_ep_print_info has printed of lanes.
func lanes(text string) (list []string) {
	for _, m := range lane.FindAllStringSubmatch(text, -1) {
		list = append(list, strings.Join(append([]string{m[1]}, strings.Fields(m[2])...), " "))
	}
	return list
}

// Error is what a call of UCX answered.
type Error struct {
	Call string // "ucp_ep_create"
	Code int    // a ucs_status_t
	Text string // "Destination is unreachable"
	Log  string // what UCX has logged last of warnings and errors; it may be about an earlier call
}

// Error says which call failed and how, in UCX's words.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Code)
	if e.Log != "" {
		text += ": " + e.Log
	}
	return text
}

// Feature is a set of what a context is to be able to do, by UCX's bits.
type Feature uint64

// The features.
const (
	TagMatching    Feature = 1
	RemoteMemory   Feature = 2
	Atomic32       Feature = 4
	Atomic64       Feature = 8
	Streams        Feature = 32
	ActiveMessages Feature = 64
)

// Call is what carries a message, in the order of loop.h.
type Call int

// The calls: ucp_tag_send_nbx, ucp_am_send_nbx, ucp_stream_send_nbx, ucp_put_nbx without and with a flush of the endpoint,
// ucp_get_nbx, and ucp_atomic_op_nbx.
const (
	Tag Call = iota
	ActiveMessage
	Stream
	Put
	PutFlush
	Get
	Add
	FetchAdd
	Swap
	CompareSwap
)

// Pattern is how the ranks of a pair take turns, in the order of loop.h.
type Pattern int

// The patterns. PingPong: one message there and one back. Alone: the first rank makes a call and waits until it is done. Window: the
// first sends, with a window of messages under way. BothWays: both do.
const (
	PingPong Pattern = iota
	Alone
	Window
	BothWays
)

// MaxTimes is the number of messages whose times a loop keeps.
const MaxTimes = 2048

// Card is what the other rank has to know of an end.
type Card struct {
	Address []byte `json:"address"`          // of its worker
	Key     []byte `json:"key,omitempty"`    // of the memory that calls of the other rank act on
	Remote  uint64 `json:"remote,omitempty"` // that memory's address
}

// Job is what a Loop does on this rank.
type Job struct {
	Call    Call
	Pattern Pattern
	First   bool // this is the rank that sends, or begins
	Bytes   int  // of a message: 1 at least
	Window  int  // messages under way at once
	Offset  int  // bytes from where the ends' memory begins to where a message does
}
