//go:build cgo

package nccl

/*
#include <stdlib.h>
#include "calls.h"

// cb_config is a configuration in which all but the first fields is left to the library.
static ncclConfig_t cb_config(void) {
	ncclConfig_t c = {
		.size = sizeof c, .magic = CB_CONFIG_MAGIC, .version = CB_DECLARED_VERSION, .blocking = 0, .cgaClusterSize = CB_UNDEFINED,
		.minCTAs = CB_UNDEFINED, .maxCTAs = CB_UNDEFINED, .splitShare = CB_UNDEFINED, .trafficClass = CB_UNDEFINED, .collnetEnable = CB_UNDEFINED,
		.CTAPolicy = CB_UNDEFINED, .shrinkShare = CB_UNDEFINED, .nvlsCTAs = CB_UNDEFINED, .nChannelsPerNetPeer = CB_UNDEFINED,
		.nvlinkCentricSched = CB_UNDEFINED, .graphUsageMode = CB_UNDEFINED, .numRmaCtx = CB_UNDEFINED, .maxP2pPeers = CB_UNDEFINED,
		.graphStreamOrdering = CB_UNDEFINED,
	};
	return c;
}
*/
import "C"

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	"collbench/cgo/cuda"
)

// Comm is this process's end of a communicator. Only one thread may use it at a time, but for Abort.
type Comm struct {
	slot  *C.ncclComm_t // in C's memory: NCCL writes to it in the background
	rank  int
	ranks int
}

func (c *Comm) handle() C.ncclComm_t { return *c.slot }

func newComm(ranks, rank int) *Comm {
	return &Comm{(*C.ncclComm_t)(C.calloc(1, C.sizeof_ncclComm_t)), rank, ranks}
}

func (c Config) native() C.ncclConfig_t {
	n := C.cb_config()
	for _, s := range []struct {
		value int
		field *C.int
	}{{c.MinCTAs, &n.minCTAs}, {c.MaxCTAs, &n.maxCTAs}, {c.CGAClusterSize, &n.cgaClusterSize}} {
		if s.value != 0 {
			*s.field = C.int(s.value)
		}
	}
	if c.Blocking {
		n.blocking = 1
	}
	return n
}

// Join makes this process a rank of a communicator on the current device, with all others that have the id. If it
// cannot within the context, what has begun is aborted.
func Join(ctx context.Context, id UniqueID, ranks, rank int, config Config) (*Comm, error) {
	c := newComm(ranks, rank)
	n := config.native()
	result := C.cb_ncclCommInitRankConfig(c.slot, C.int(ranks), *(*C.ncclUniqueId)(unsafe.Pointer(&id)), C.int(rank), &n)
	return c.begun(ctx, "ncclCommInitRankConfig", result)
}

// begun waits for a communicator that is being made.
func (c *Comm) begun(ctx context.Context, call string, result C.ncclResult_t) (*Comm, error) {
	if err := c.settle(ctx, call, result); err != nil {
		if c.handle() != nil {
			_ = c.Abort()
		}
		return nil, err
	}
	return c, nil
}

// settle waits until a call is done that may go on in the background.
func (c *Comm) settle(ctx context.Context, call string, result C.ncclResult_t) error {
	for wait := time.Microsecond; result == C.ncclInProgress; wait = min(2*wait, time.Millisecond) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", call, context.Cause(ctx))
		case <-time.After(wait):
		}
		if err := check("ncclCommGetAsyncError", C.cb_ncclCommGetAsyncError(c.handle(), &result)); err != nil {
			return err
		}
	}
	return check(call, result)
}

// Rank is this process's rank.
func (c *Comm) Rank() int { return c.rank }

// Ranks is the number of ranks.
func (c *Comm) Ranks() int { return c.ranks }

// Split makes communicators of the ranks with the same color, in the order of their keys; a negative color takes no
// part and gets nil.
func (c *Comm) Split(ctx context.Context, color, key int, config Config) (*Comm, error) {
	n, part := config.native(), newComm(0, 0)
	result := C.cb_ncclCommSplit(c.handle(), C.int(max(color, C.NCCL_SPLIT_NOCOLOR)), C.int(key), part.slot, &n)
	if err := c.settle(ctx, "ncclCommSplit", result); err != nil || color < 0 {
		return nil, err
	}
	if _, err := part.begun(ctx, "ncclCommSplit", C.ncclInProgress); err != nil {
		return nil, err
	}
	var rank, ranks C.int
	if err := check("ncclCommUserRank", C.cb_ncclCommUserRank(part.handle(), &rank)); err != nil {
		return nil, err
	}
	err := check("ncclCommCount", C.cb_ncclCommCount(part.handle(), &ranks))
	part.rank, part.ranks = int(rank), int(ranks)
	return part, err
}

// Close ends the communicator with all its ranks. If it cannot within the context, it is aborted.
func (c *Comm) Close(ctx context.Context) error {
	if err := c.settle(ctx, "ncclCommFinalize", C.cb_ncclCommFinalize(c.handle())); err != nil {
		_ = c.Abort()
		return err
	}
	err := check("ncclCommDestroy", C.cb_ncclCommDestroy(c.handle()))
	C.free(unsafe.Pointer(c.slot))
	return err
}

// Abort ends the communicator at once, and whatever it does on the device; it is gone afterwards. Another thread may be
// in a call of NCCL that does not come back, but not in a timed loop: that is stopped first.
func (c *Comm) Abort() error { return check("ncclCommAbort", C.cb_ncclCommAbort(c.handle())) }

// Registration is memory that a communicator knows.
type Registration struct {
	comm   *Comm
	handle unsafe.Pointer
	window C.ncclWindow_t
}

// Register makes memory known to the communicator, so that NCCL need not copy from and to it.
func (c *Comm) Register(p cuda.Pointer, bytes int) (Registration, error) {
	if C.cb_nccl.ncclCommRegister == nil || C.cb_nccl.ncclCommDeregister == nil {
		return Registration{}, lacks("ncclCommRegister")
	}
	r := Registration{comm: c}
	err := check("ncclCommRegister", C.cb_ncclCommRegister(c.handle(), address(p), C.size_t(bytes), &r.handle))
	return r, err
}

// Window makes memory of Alloc a symmetric window; all ranks do it together. NCCL answers success without a window
// where it cannot: that is ErrNotSupported here.
func (c *Comm) Window(ctx context.Context, p cuda.Pointer, bytes int) (Registration, error) {
	if C.cb_nccl.ncclCommWindowRegister == nil || C.cb_nccl.ncclCommWindowDeregister == nil {
		return Registration{}, lacks("ncclCommWindowRegister")
	}
	r := Registration{comm: c}
	slot := (*C.ncclWindow_t)(C.calloc(1, C.sizeof_ncclWindow_t)) // written to in the background
	result := C.cb_ncclCommWindowRegister(c.handle(), address(p), C.size_t(bytes), slot, C.NCCL_WIN_COLL_SYMMETRIC)
	if err := c.settle(ctx, "ncclCommWindowRegister", result); err != nil {
		return r, err // the slot stays: it may still be written to
	}
	r.window = *slot
	C.free(unsafe.Pointer(slot))
	if r.window == nil {
		return r, fmt.Errorf("%w: NCCL gives no symmetric window on this machine", ErrNotSupported)
	}
	return r, nil
}

// Close takes the registration back.
func (r Registration) Close() error {
	if r.window != nil {
		return check("ncclCommWindowDeregister", C.cb_ncclCommWindowDeregister(r.comm.handle(), r.window))
	}
	return check("ncclCommDeregister", C.cb_ncclCommDeregister(r.comm.handle(), r.handle))
}

// PreMulSum makes a reduction that multiplies this rank's elements by the scalar, which is in the host's memory in the
// form of the type, before it adds them.
func (c *Comm) PreMulSum(scalar []byte, t Type) (Op, error) {
	if len(scalar) != t.Size() {
		panic(fmt.Sprintf("nccl: a scalar of %d bytes for a type of %d", len(scalar), t.Size()))
	}
	var op C.ncclRedOp_t
	err := check("ncclRedOpCreatePreMulSum", C.cb_ncclRedOpCreatePreMulSum(&op, unsafe.Pointer(&scalar[0]), C.ncclDataType_t(t), C.ncclScalarHostImmediate, c.handle()))
	return Op(op), err
}

// DestroyOp takes back what PreMulSum made.
func (c *Comm) DestroyOp(op Op) error {
	return check("ncclRedOpDestroy", C.cb_ncclRedOpDestroy(C.ncclRedOp_t(op), c.handle()))
}
