//go:build !cgo

package mpi

import (
	"os"
	"sync/atomic"

	"collbench/cgo/dl"
)

// Library is an MPI library that is open; without cgo there is none.
type Library struct{}

// Open fails: see dl.ErrNoCgo.
func Open(...string) (*Library, error) { return nil, dl.ErrNoCgo }

// Name is the name under which the library was found.
func (l *Library) Name() string { return "" }

// OpenMPI says whether the library has Open MPI's ABI.
func (l *Library) OpenMPI() bool { return false }

// Rank is this process's rank in the world.
func (l *Library) Rank() int { return 0 }

// Size is the number of ranks in the world.
func (l *Library) Size() int { return 0 }

// Init fails: see dl.ErrNoCgo.
func (l *Library) Init() error { return dl.ErrNoCgo }

// Finalize has nothing to do.
func (l *Library) Finalize() error { return nil }

// Exit ends the process.
func Exit(code int) { os.Exit(code) }

// Version is what the library says of itself.
func (l *Library) Version() string { return "" }

// Barrier fails: see dl.ErrNoCgo.
func (l *Library) Barrier() error { return dl.ErrNoCgo }

// Broadcast fails: see dl.ErrNoCgo.
func (l *Library) Broadcast([]byte, int) error { return dl.ErrNoCgo }

// Has fails: see dl.ErrNoCgo.
func (l *Library) Has(Type) error { return dl.ErrNoCgo }

// Variable finds nothing.
func (l *Library) Variable(string) (value, meaning string, ok bool) { return "", "", false }

// Set does nothing.
func (l *Library) Set(string, int) bool { return false }

// Runner is a Job made ready; without cgo there is none.
type Runner struct{}

// Ready fails: see dl.ErrNoCgo.
func (l *Library) Ready(Job) (*Runner, error) { return nil, dl.ErrNoCgo }

// Run fails: see dl.ErrNoCgo.
func (r *Runner) Run(int, *atomic.Int64) (float64, error) { return 0, dl.ErrNoCgo }

// Close has nothing to do.
func (r *Runner) Close() {}

// Memory fails: see dl.ErrNoCgo.
func Memory(int) ([]byte, func(), error) { return nil, nil, dl.ErrNoCgo }
