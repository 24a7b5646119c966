//go:build cgo

package cuda

/*
#include "calls.h"
*/
import "C"

import (
	"errors"
	"unsafe"
)

// Stream is a queue of work of a device.
type Stream struct{ handle C.CUstream }

// NewStream makes a stream that does not wait for the default stream.
func NewStream() (Stream, error) {
	var s Stream
	err := check("cuStreamCreate", C.cb_cuStreamCreate(&s.handle, C.CU_STREAM_NON_BLOCKING))
	return s, err
}

// Handle is the CUstream, for other libraries.
func (s Stream) Handle() unsafe.Pointer { return unsafe.Pointer(s.handle) }

// Synchronize waits until the stream has nothing to do.
func (s Stream) Synchronize() error {
	return check("cuStreamSynchronize", C.cb_cuStreamSynchronize(s.handle))
}

// Done says whether the stream has nothing to do.
func (s Stream) Done() (bool, error) { return done("cuStreamQuery", C.cb_cuStreamQuery(s.handle)) }

func done(call string, result C.CUresult) (bool, error) {
	if result == C.CUDA_ERROR_NOT_READY {
		return false, nil
	}
	return result == C.CUDA_SUCCESS, check(call, result)
}

// Wait lets what comes into the stream wait for the event.
func (s Stream) Wait(e Event) error {
	return check("cuStreamWaitEvent", C.cb_cuStreamWaitEvent(s.handle, e.handle, 0))
}

// Close ends the stream when its work is done.
func (s Stream) Close() error { return check("cuStreamDestroy_v2", C.cb_cuStreamDestroy_v2(s.handle)) }

// Event is a point in a stream.
type Event struct{ handle C.CUevent }

// NewEvent makes an event, which knows its time or is cheaper.
func NewEvent(timed bool) (Event, error) {
	flags := C.uint(C.CU_EVENT_DEFAULT)
	if !timed {
		flags = C.CU_EVENT_DISABLE_TIMING
	}
	var e Event
	err := check("cuEventCreate", C.cb_cuEventCreate(&e.handle, flags))
	return e, err
}

// Handle is the CUevent, for loops in C.
func (e Event) Handle() unsafe.Pointer { return unsafe.Pointer(e.handle) }

// Record puts the event into the stream.
func (e Event) Record(s Stream) error {
	return check("cuEventRecord", C.cb_cuEventRecord(e.handle, s.handle))
}

// Synchronize waits for the event.
func (e Event) Synchronize() error {
	return check("cuEventSynchronize", C.cb_cuEventSynchronize(e.handle))
}

// Done says whether the event has passed.
func (e Event) Done() (bool, error) { return done("cuEventQuery", C.cb_cuEventQuery(e.handle)) }

// Since is the time from the other event to this one in seconds; the driver counts in about half microseconds.
func (e Event) Since(start Event) (float64, error) {
	var milliseconds C.float
	err := check("cuEventElapsedTime", C.cb_cuEventElapsedTime(&milliseconds, start.handle, e.handle))
	return float64(milliseconds) * 1e-3, err
}

// Close gives the event back.
func (e Event) Close() error { return check("cuEventDestroy_v2", C.cb_cuEventDestroy_v2(e.handle)) }

// Graph is work that was captured and can be launched as a whole.
type Graph struct{ handle C.CUgraphExec }

// Capture makes a graph of the work that the function puts into the stream; none of it is carried out.
func (s Stream) Capture(work func() error) (Graph, error) {
	if err := check("cuStreamBeginCapture_v2", C.cb_cuStreamBeginCapture_v2(s.handle, C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); err != nil {
		return Graph{}, err
	}
	failed := work()
	var graph C.CUgraph
	err := errors.Join(failed, check("cuStreamEndCapture", C.cb_cuStreamEndCapture(s.handle, &graph)))
	if graph != nil {
		defer C.cb_cuGraphDestroy(graph)
	}
	if err != nil {
		return Graph{}, err
	}
	var g Graph
	err = check("cuGraphInstantiateWithFlags", C.cb_cuGraphInstantiateWithFlags(&g.handle, graph, 0))
	return g, err
}

// Handle is the CUgraphExec, for loops in C.
func (g Graph) Handle() unsafe.Pointer { return unsafe.Pointer(g.handle) }

// Launch puts the graph into the stream.
func (g Graph) Launch(s Stream) error {
	return check("cuGraphLaunch", C.cb_cuGraphLaunch(g.handle, s.handle))
}

// Close gives the graph back.
func (g Graph) Close() error { return check("cuGraphExecDestroy", C.cb_cuGraphExecDestroy(g.handle)) }
