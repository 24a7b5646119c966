//go:build !cgo

package nccl

import (
	"context"
	"fmt"
	"sync/atomic"

	"collbench/cgo/cuda"
	"collbench/cgo/dl"
)

// Open fails: see dl.ErrNoCgo.
func Open() error { return fmt.Errorf("%w: %w", ErrUnavailable, dl.ErrNoCgo) }

// LibraryVersion fails: see dl.ErrNoCgo.
func LibraryVersion() (Version, error) { return 0, Open() }

// StandIn says no.
func StandIn() bool { return false }

// NewUniqueID fails: see dl.ErrNoCgo.
func NewUniqueID() (UniqueID, error) { return UniqueID{}, Open() }

// Alloc fails: see dl.ErrNoCgo.
func Alloc(int) (cuda.Pointer, error) { return 0, Open() }

// Free fails: see dl.ErrNoCgo.
func Free(cuda.Pointer) error { return Open() }

// Comm is an end of a communicator; without cgo there is none.
type Comm struct{}

// Join fails: see dl.ErrNoCgo.
func Join(context.Context, UniqueID, int, int, Config) (*Comm, error) { return nil, Open() }

// Rank is 0.
func (c *Comm) Rank() int { return 0 }

// Ranks is 0.
func (c *Comm) Ranks() int { return 0 }

// Split fails: see dl.ErrNoCgo.
func (c *Comm) Split(context.Context, int, int, Config) (*Comm, error) { return nil, Open() }

// Close has nothing to do.
func (c *Comm) Close(context.Context) error { return nil }

// Abort has nothing to do.
func (c *Comm) Abort() error { return nil }

// Registration is memory that a communicator knows; without cgo there is none.
type Registration struct{}

// Register fails: see dl.ErrNoCgo.
func (c *Comm) Register(cuda.Pointer, int) (Registration, error) { return Registration{}, Open() }

// Window fails: see dl.ErrNoCgo.
func (c *Comm) Window(context.Context, cuda.Pointer, int) (Registration, error) {
	return Registration{}, Open()
}

// Close has nothing to do.
func (r Registration) Close() error { return nil }

// PreMulSum fails: see dl.ErrNoCgo.
func (c *Comm) PreMulSum([]byte, Type) (Op, error) { return 0, Open() }

// DestroyOp has nothing to do.
func (c *Comm) DestroyOp(Op) error { return nil }

// Operation is an operation that is ready to be carried out; without cgo there is none.
type Operation struct{}

// Prepare makes an operation that fails.
func (c *Comm) Prepare(cuda.Stream, ...Call) *Operation { return &Operation{} }

// Replay makes an operation that fails.
func (c *Comm) Replay(cuda.Stream, cuda.Graph) *Operation { return &Operation{} }

// Native says no.
func (o *Operation) Native() bool { return false }

// Issue fails: see dl.ErrNoCgo.
func (o *Operation) Issue(context.Context) error { return Open() }

// Close has nothing to do.
func (o *Operation) Close() {}

// Timer carries out the iterations of a Loop; without cgo there is none.
type Timer struct{}

// Prepare fails: see dl.ErrNoCgo.
func (l Loop) Prepare() (*Timer, error) { return nil, Open() }

// Run fails: see dl.ErrNoCgo.
func (t *Timer) Run(uint32, int, *atomic.Int64, *atomic.Int32) ([]float64, error) {
	return nil, Open()
}

// Close has nothing to do.
func (t *Timer) Close() error { return nil }

// Profiled lists nothing.
func Profiled() (records []Record, lost uint64) { return nil, 0 }

// ClearProfile has nothing to do.
func ClearProfile() {}

// ProfilerVersion is 0: there is no profiler plugin.
func ProfilerVersion() int { return 0 }
