package host

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Spinner is the Waiter of a node all of whose peers share memory with it. It never sleeps: with a CPU for each
// node it spins, otherwise it lets others run at once.
type Spinner struct {
	Poller *Poller // for Stop
	Yield  bool
}

// hurried is how often a spinner looks without a pause, which would come on top of what most messages take.
const hurried = 100

// spins is how often a spinner looks before it lets others run all the same: some 100 µs, after which whoever it
// waits for may well need this CPU.
const spins = 2000

// Wait implements Waiter.
func (s *Spinner) Wait(idle int) error {
	if err := s.Poller.stopped.Load(); err != nil {
		return *err
	}
	switch {
	case s.Yield || idle > spins:
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) // it cannot fail
	case idle > hurried:
		pause()
	}
	return nil
}

// Sleeps implements Waiter.
func (s *Spinner) Sleeps() bool { return false }

// Sleeper is the Waiter of a node with peers of both kinds: it sleeps until a connection or its bell wakes it.
type Sleeper struct {
	poller *Poller
	asleep *uint32
}

// NewSleeper makes the waiter of a member of shared memory that has connections too.
func NewSleeper(p *Poller, s *Shared) (*Sleeper, error) {
	if s.me < len(s.bells) {
		if err := p.watch(int(s.bells[s.me].Fd()), unix.EPOLLIN|unix.EPOLLET); err != nil {
			return nil, err
		}
	}
	return &Sleeper{p, s.asleep(s.me)}, nil
}

// Wait implements Waiter. It sets the flag first, and sleeps only if the flag has been set all through the pass
// before: what came earlier than others could see the flag was found by that pass.
func (s *Sleeper) Wait(idle int) error {
	if atomic.LoadUint32(s.asleep) == 0 {
		atomic.StoreUint32(s.asleep, 1)
		return s.poller.wait(0)
	}
	err := s.poller.Wait(idle)
	atomic.StoreUint32(s.asleep, 0)
	return err
}

// Sleeps implements Waiter.
func (s *Sleeper) Sleeps() bool { return true }
