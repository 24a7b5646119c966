//go:build cgo

package nccl

/*
#include <stdlib.h>
#include "loop.h"
*/
import "C"

import (
	"context"
	"errors"
	"sync/atomic"
	"unsafe"

	"collbench/cgo/cuda"
)

// Operation is an operation of this rank that is ready to be carried out any number of times.
type Operation struct {
	comm *Comm
	call *C.cb_call
}

// native has, for collectives that came late, whether the library has them as calls of their own.
func native(c Collective) bool {
	switch c {
	case AllToAll:
		return C.cb_nccl.ncclAlltoAll != nil
	case Gather:
		return C.cb_nccl.ncclGather != nil
	case Scatter:
		return C.cb_nccl.ncclScatter != nil
	}
	return true
}

// Prepare makes an operation of the calls, one after the other, for the stream.
func (c *Comm) Prepare(s cuda.Stream, calls ...Call) *Operation {
	o := &Operation{comm: c}
	for at := &o.call; len(calls) > 0; at, calls = &(*at).next, calls[1:] {
		*at = c.prepare(s, calls[0])
	}
	return o
}

func (c *Comm) prepare(s cuda.Stream, call Call) *C.cb_call {
	k := (*C.cb_call)(C.calloc(1, C.sizeof_cb_call))
	*k = C.cb_call{
		kind: C.int(call.Collective), send: (*C.char)(address(call.Send)), recv: (*C.char)(address(call.Recv)),
		count: C.size_t(call.Count), stride: C.size_t(call.Count * call.Type.Size()), _type: C.int(call.Type), op: C.int(call.Op),
		root: C.int(call.Root), to: C.int(call.To), from: C.int(call.From), times: C.int(max(call.Times, 1)), rank: C.int(c.rank), ranks: C.int(c.ranks),
		comm: c.handle(), stream: (C.cudaStream_t)(s.Handle()),
	}
	if native(call.Collective) {
		k.native = 1
	}
	return k
}

// Replay makes an operation of a graph, which may hold several of the communicator's.
func (c *Comm) Replay(s cuda.Stream, g cuda.Graph) *Operation {
	o := &Operation{c, (*C.cb_call)(C.calloc(1, C.sizeof_cb_call))}
	o.call.kind, o.call.graph, o.call.stream, o.call.comm = C.CB_GRAPH, (C.CUgraphExec)(g.Handle()), (C.cudaStream_t)(s.Handle()), c.handle()
	return o
}

// Native says whether the library has a call of its own for the operation, the first of its calls; if not, it is sends and
// receives in a group.
func (o *Operation) Native() bool { return o.call.native != 0 }

// Issue puts the operation into its stream, or into the open group, or the graph that is being captured.
func (o *Operation) Issue(ctx context.Context) error {
	for call := o.call; call != nil; call = call.next {
		var result C.int
		r := C.cb_issue(call, (*C.cb_cuda_table)(cuda.Table()), &result)
		if result != 0 {
			return cuda.Check("cuGraphLaunch", int(result))
		}
		if err := o.comm.settle(ctx, "the operation", r); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the memory back.
func (o *Operation) Close() {
	for call := o.call; call != nil; {
		next := call.next
		C.free(unsafe.Pointer(call))
		call = next
	}
	o.call = nil
}

// Timer carries out the iterations of a Loop.
type Timer struct {
	loop   *C.cb_loop
	events []cuda.Event
	batch  bool
}

// pairs is how many iterations are under way at most while each is timed by itself.
const pairs = 32

// Prepare makes the events that the loop needs.
func (l Loop) Prepare() (*Timer, error) {
	t := &Timer{loop: (*C.cb_loop)(C.calloc(1, C.sizeof_cb_loop)), batch: l.Batch}
	t.loop.cuda, t.loop.work = (*C.cb_cuda_table)(cuda.Table()), l.Work.call
	if l.Barrier != nil {
		t.loop.barrier = l.Barrier.call
	}
	if len(l.Before) > MaxHooks || len(l.After) > MaxHooks {
		panic("nccl: too many hooks")
	}
	hook(&t.loop.before, l.Before)
	hook(&t.loop.after, l.After)
	t.loop.batch, t.loop.host_clock, t.loop.aggregate = truth(l.Batch), truth(l.HostClock), C.int(l.Aggregate)
	t.loop.pairs = pairs
	t.loop.events = (*C.CUevent)(C.calloc(2*pairs, C.sizeof_CUevent))
	slots := unsafe.Slice(t.loop.events, 2*pairs)
	for i := range slots {
		e, err := cuda.NewEvent(true)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		t.events, slots[i] = append(t.events, e), (C.CUevent)(e.Handle())
	}
	return t, nil
}

func truth(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func hook(slots *[MaxHooks]C.cb_hook, hooks []Hook) {
	for i, h := range hooks {
		slots[i].launch = (*C.cb_launch)(h.Launch.Handle())
		if h.Iteration >= 0 {
			slots[i].iteration = (*C.uint32_t)(unsafe.Pointer(&h.Launch.Parameter()[h.Iteration : h.Iteration+4][0]))
		}
	}
}

// Run carries out so many iterations, which the hooks see numbered from first on, and returns seconds for each, or with
// Batch the mean of all: there the hooks see the batch, numbered first. It writes the number of the iteration at hand to
// progress, with Batch from 0 on, and gives up with ErrStopped when stop is not 0.
func (t *Timer) Run(first uint32, iterations int, progress *atomic.Int64, stop *atomic.Int32) ([]float64, error) {
	n := iterations
	if t.batch {
		n = 1
	}
	seconds := make([]float64, n)
	if iterations == 0 {
		return seconds[:0], nil
	}
	failed := C.cb_run(t.loop, C.uint32_t(first), C.int(iterations), (*C.double)(unsafe.Pointer(&seconds[0])),
		(*C.int64_t)(unsafe.Pointer(progress)), (*C.int32_t)(unsafe.Pointer(stop)))
	switch {
	case failed == 0:
		return seconds, nil
	case t.loop.stopped != 0:
		return nil, ErrStopped
	case t.loop.cuda_result != 0:
		return nil, cuda.Check(C.GoString(t.loop.failed), int(t.loop.cuda_result))
	}
	return nil, check(C.GoString(t.loop.failed), C.ncclResult_t(t.loop.nccl_result))
}

// Close gives the events back.
func (t *Timer) Close() error {
	var errs []error
	for _, e := range t.events {
		errs = append(errs, e.Close())
	}
	C.free(unsafe.Pointer(t.loop.events))
	C.free(unsafe.Pointer(t.loop))
	return errors.Join(errs...)
}
