package host

import (
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Computer is a thread beside the one that communicates: it stands for the computing of a training step, which shares
// processors and memory bandwidth with its communication. It keeps a processor busy for a given time of that thread's
// own, so that it ends later where it has to share its processor.
type Computer struct {
	begin chan time.Duration
	done  chan error
}

// NewComputer starts the thread, which waits for work.
func NewComputer() *Computer {
	c := &Computer{begin: make(chan time.Duration), done: make(chan error, 1)}
	go c.serve()
	return c
}

// Begin has it compute so long, in time of a processor that it has to itself.
func (c *Computer) Begin(d time.Duration) { c.begin <- d }

// Wait returns when it has done what Begin asked for.
func (c *Computer) Wait() error { return <-c.done }

// Close ends the thread, which must not be computing.
func (c *Computer) Close() { close(c.begin) }

func (c *Computer) serve() {
	runtime.LockOSThread() // it ends with this goroutine
	for d := range c.begin {
		c.done <- compute(d)
	}
}

// compute multiplies and adds until the calling thread has used up so much processor time.
func compute(d time.Duration) error {
	start, err := processorTime()
	if err != nil {
		return err
	}
	for x := 1.0; ; {
		for range 2000 { // some microseconds
			x = x*0.999999 + 1e-6
		}
		now, err := processorTime()
		if err != nil || now-start >= d {
			sink.Store(math.Float64bits(x))
			return err
		}
	}
}

func processorTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("processor time of a thread: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// sink keeps the compiler from leaving the arithmetic out.
var sink atomic.Uint64
