//go:build cgo

package ucx

/*
#cgo CFLAGS: -O2 -fvisibility=hidden
#include <stdlib.h>
#include "loop.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"collbench/cgo/dl"
)

// Open opens the library once in the life of the process. The error has the loader's words and wraps ErrUnavailable.
func Open() error { return open() }

var open = sync.OnceValue(func() error {
	err := settle(func() error {
		lib, err := dl.Open(library())
		if err != nil {
			return err
		}
		if err := lib.Fill(slots()); err != nil { // libucs is found through libucp
			return err
		}
		if v := LibraryVersion(); older(v, leastVersion) {
			return fmt.Errorf("%s is UCX %s and needs to be %s or later", lib.Name(), v, leastVersion)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
})

func slots() []dl.Slot {
	var list []dl.Slot
	for _, s := range unsafe.Slice((*C.cb_ucx_symbol)(unsafe.Pointer(&C.cb_ucx_symbols)), C.cb_ucx_symbol_count) {
		list = append(list, dl.Slot{Name: C.GoString(s.name), Address: (*unsafe.Pointer)(unsafe.Pointer(s.slot))})
	}
	return list
}

// LibraryVersion is the version of the library that is open.
func LibraryVersion() Version {
	var major, minor, release C.uint
	C.cb_ucx_version(&major, &minor, &release)
	return Version{int(major), int(minor), int(release)}
}

// check makes an error of what a call returned, in UCX's words.
func check(call *C.char, status C.ucs_status_t) error {
	if status == C.UCS_OK {
		return nil
	}
	return &Error{Call: C.GoString(call), Code: int(status), Text: C.GoString(C.cb_ucx_status(status)), Log: lastLogged()}
}

// End is this rank's end of a pair: a context with the features of one call, a worker, memory, and after Connect an endpoint.
type End struct {
	c     *C.cb_end
	bytes int
}

// NewEnd makes an end with twice so many bytes of memory, 1 at least: what it sends, and what it receives.
func NewEnd(features Feature, bytes int) (*End, error) {
	e := &End{c: (*C.cb_end)(C.calloc(1, C.sizeof_cb_end)), bytes: bytes}
	status := C.cb_ucx_end_open(e.c, C.uint64_t(features), C.size_t(bytes))
	if err := check(e.c.call, status); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Card is what the other rank has to know to connect.
func (e *End) Card() Card {
	return Card{
		Address: C.GoBytes(unsafe.Pointer(e.c.address), C.int(e.c.address_length)),
		Key:     C.GoBytes(e.c.key, C.int(e.c.key_length)),
		Remote:  uint64(uintptr(unsafe.Pointer(e.c.recv))),
	}
}

// Connect makes the endpoint to the other rank. peerErrors: UCX is to notice when the other is gone, which leaves it fewer transports
// to choose from.
func (e *End) Connect(other Card, peerErrors bool) error {
	address := C.CBytes(other.Address)
	defer C.free(address)
	status := C.cb_ucx_end_connect(e.c, address, boolean(peerErrors))
	if err := check(e.c.call, status); err != nil || len(other.Key) == 0 {
		return err
	}
	key := C.CBytes(other.Key)
	defer C.free(key)
	status = C.cb_ucx_end_reach(e.c, key, C.uint64_t(other.Remote))
	return check(e.c.call, status)
}

func boolean(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Sent is the memory that messages are sent from, and that gets read into.
func (e *End) Sent() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(e.c.send)), e.bytes) }

// Received is the memory that messages are received into, and that calls of the other rank act on.
func (e *End) Received() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(e.c.recv)), e.bytes) }

// Lanes lists the transports and devices that the endpoint uses and what for, in UCX's words: "posix/memory am am_bw#0".
func (e *End) Lanes() []string {
	text := C.cb_ucx_describe(e.c)
	defer C.free(unsafe.Pointer(text))
	return lanes(C.GoString(text))
}

// Close gives back what the end has.
func (e *End) Close() {
	C.cb_ucx_end_close(e.c)
	C.free(unsafe.Pointer(e.c))
	e.c = nil
}

// Loop is a job made ready.
type Loop struct{ c *C.cb_loop }

// NewLoop makes a job ready on ends that are connected: its own, with the features of its call, and one with TagMatching, over which
// the ranks meet. The ends must outlive it.
func NewLoop(own, control *End, j Job) (*Loop, error) {
	if j.Bytes < 1 || j.Window < 1 || j.Offset < 0 || j.Bytes+j.Offset > own.bytes {
		return nil, fmt.Errorf("messages of %d bytes from %d on, %d at once: the ends have %d bytes", j.Bytes, j.Offset, j.Window, own.bytes)
	}
	l := &Loop{(*C.cb_loop)(C.calloc(1, C.sizeof_cb_loop))}
	l.c.end, l.c.control = own.c, control.c
	l.c.call, l.c.pattern, l.c.first = C.int(j.Call), C.int(j.Pattern), boolean(j.First)
	l.c.bytes, l.c.window, l.c.describe = C.size_t(j.Bytes), C.long(j.Window), 1
	l.c.send = (*C.char)(unsafe.Add(unsafe.Pointer(own.c.send), j.Offset))
	l.c.recv = (*C.char)(unsafe.Add(unsafe.Pointer(own.c.recv), j.Offset))
	l.c.remote = own.c.remote + C.uint64_t(j.Offset)
	status := C.cb_ucx_loop_init(l.c)
	if err := check(l.c.failed, status); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Run waits for the other rank and exchanges so many messages with it: the seconds of all of them together. It counts progress up, one
// a message.
func (l *Loop) Run(messages int, progress *atomic.Int64) (seconds float64, err error) {
	var took C.double
	count := (*C.int64_t)(unsafe.Pointer(progress))
	status := C.cb_ucx_run(l.c, C.long(messages), C.int64_t(progress.Load()), count, &took)
	return float64(took), check(l.c.failed, status)
}

// Times are the seconds of each of the last n messages of the last Run, MaxTimes at most.
func (l *Loop) Times(n int) []float64 {
	times := make([]float64, min(n, MaxTimes))
	for i := range times {
		at := (int(l.c.head) + MaxTimes - len(times) + i) % MaxTimes
		times[i] = float64(l.c.ticks[at]) * float64(l.c.seconds_per_tick)
	}
	return times
}

// Reply is what the last atomic has brought back: the value before.
func (l *Loop) Reply() uint64 { return uint64(l.c.reply) }

// Protocol is what the first message's request has said of the way it goes; "" where that was done at once, without a request, and
// before UCX 1.16, whose requests tell of their own insides alone.
func (l *Loop) Protocol() string {
	text := strings.TrimSpace(C.GoString(&l.c.info[0]))
	if strings.HasPrefix(text, "flags:") {
		return ""
	}
	return text
}

// Close gives back what NewLoop took.
func (l *Loop) Close() {
	C.free(unsafe.Pointer(l.c))
	l.c = nil
}
