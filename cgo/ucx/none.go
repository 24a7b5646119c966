//go:build !cgo

package ucx

import (
	"fmt"
	"sync/atomic"

	"collbench/cgo/dl"
)

// Open fails: see dl.ErrNoCgo.
func Open() error { return fmt.Errorf("%w: %w", ErrUnavailable, dl.ErrNoCgo) }

// LibraryVersion is 0.
func LibraryVersion() Version { return Version{} }

// End is a rank's end of a pair; without cgo there is none.
type End struct{}

// NewEnd fails: see dl.ErrNoCgo.
func NewEnd(Feature, int) (*End, error) { return nil, Open() }

// Card is empty.
func (e *End) Card() Card { return Card{} }

// Connect fails: see dl.ErrNoCgo.
func (e *End) Connect(Card, bool) error { return Open() }

// Sent is empty.
func (e *End) Sent() []byte { return nil }

// Received is empty.
func (e *End) Received() []byte { return nil }

// Lanes lists nothing.
func (e *End) Lanes() []string { return nil }

// Close has nothing to do.
func (e *End) Close() {}

// Loop is a job made ready; without cgo there is none.
type Loop struct{}

// NewLoop fails: see dl.ErrNoCgo.
func NewLoop(*End, *End, Job) (*Loop, error) { return nil, Open() }

// Run fails: see dl.ErrNoCgo.
func (l *Loop) Run(int, *atomic.Int64) (float64, error) { return 0, Open() }

// Times lists nothing.
func (l *Loop) Times(int) []float64 { return nil }

// Reply is 0.
func (l *Loop) Reply() uint64 { return 0 }

// Protocol is empty.
func (l *Loop) Protocol() string { return "" }

// Close has nothing to do.
func (l *Loop) Close() {}
