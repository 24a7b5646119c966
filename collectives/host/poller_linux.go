package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"collbench/collectives"
)

// Poller is the Waiter of a node with connections: it sleeps in the kernel until one of them can do something, or
// its bell rings. Stop may be called from anywhere, the rest only from the engine's thread.
type Poller struct {
	epoll   int
	bell    int
	streams map[int32]*stream // by descriptor
	events  [64]unix.EpollEvent
	stopped atomic.Pointer[error]
	paces   bool // connections may be held back by a clock rather than by the kernel
}

// NewPoller makes a poller without connections.
func NewPoller() (*Poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	p := &Poller{epoll: epoll, bell: bell, streams: map[int32]*stream{}}
	if err := p.watch(bell, unix.EPOLLIN); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Poller) watch(descriptor int, events uint32) error {
	err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, descriptor, &unix.EpollEvent{Events: events, Fd: int32(descriptor)})
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// add takes a connection under watch.
func (p *Poller) add(s *stream) error {
	p.streams[int32(s.descriptor)] = s
	p.paces = p.paces || s.pace != nil
	return p.watch(s.descriptor, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET)
}

// Stop makes a run in progress, and every later one, end with the error.
func (p *Poller) Stop(err error) {
	p.stopped.CompareAndSwap(nil, &err)
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(p.bell, one[:]) // it can only fail by being full, and then it rings already
}

// paceMilliseconds is how often a node looks whether its link's clock lets it send again. It must be below
// paceBurst.
const paceMilliseconds = 1

// Wait implements Waiter.
func (p *Poller) Wait(int) error {
	timeout := -1
	if p.paces {
		timeout = paceMilliseconds
	}
	return p.wait(timeout)
}

// Sleeps implements Waiter.
func (p *Poller) Sleeps() bool { return true }

// wait looks for news, for so many milliseconds; −1 is for ever.
func (p *Poller) wait(timeout int) error {
	if err := p.stopped.Load(); err != nil {
		return *err
	}
	for _, s := range p.streams {
		if s.gone { // and the engine has read all that it could
			return s.broke(io.EOF)
		}
	}
	n, err := unix.EpollWait(p.epoll, p.events[:], timeout)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range p.events[:max(0, n)] {
		s := p.streams[event.Fd]
		if s == nil {
			continue // a bell; who rings it knows why
		}
		s.readable = s.readable || event.Events&^unix.EPOLLOUT != 0
		s.writable = s.writable || event.Events&^unix.EPOLLIN != 0
		s.gone = s.gone || event.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
	}
	return nil
}

// channel is the connection to a peer, nil if there is none.
func (p *Poller) channel(peer collectives.Node) *stream {
	for _, s := range p.streams {
		if s.node == peer {
			return s
		}
	}
	return nil
}

// Close closes the connections and the poller.
func (p *Poller) Close() {
	for _, s := range p.streams {
		_ = unix.Close(s.descriptor)
	}
	_ = unix.Close(p.bell)
	_ = unix.Close(p.epoll)
}
