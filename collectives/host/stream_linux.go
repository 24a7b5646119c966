package host

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"collbench/collectives"
)

// receiveBytes is how much is read from a connection at a time; it is the size of each connection's buffer.
const receiveBytes = 256 << 10

// stream is the channel over one TCP connection. Its descriptor does not block; readable and writable are what the
// poller last heard and the last call left of it, so that no call is made that could not do anything.
type stream struct {
	descriptor         int
	node               collectives.Node
	name               string // of the peer: "rank 3 on vm2"
	in                 []byte
	start, end         int // of what has been read and not consumed
	readable, writable bool
	gone               bool // the peer has closed its end
	low                int  // bytes that must have arrived before the kernel says so
	pace               *pace
}

// Waking up costs far more than what a packet or two bring. So the kernel is asked to wait for the rest of a long
// message, up to lowMost bytes of it. For the rest of a short one, below lowLeast, it is not asked anything.
const (
	lowLeast = 4 << 10
	lowMost  = 32 << 10
)

func newStream(descriptor int, node collectives.Node, name string, pace *pace) *stream {
	return &stream{descriptor: descriptor, node: node, name: name, in: make([]byte, receiveBytes), readable: true, writable: true, low: 1, pace: pace}
}

func (s *stream) broke(err error) error {
	return fmt.Errorf("connection to %s broke: %w", s.name, err)
}

// Send implements Channel.
func (s *stream) Send(p []byte) (int, error) {
	if !s.writable {
		return 0, nil
	}
	if s.pace != nil {
		if p = p[:s.pace.take(len(p))]; len(p) == 0 {
			return 0, nil
		}
	}
	for {
		n, err := unix.SendmsgN(s.descriptor, p, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch {
		case err == nil:
			s.writable = n == len(p)
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			s.writable, n = false, 0
		default:
			return 0, s.broke(err)
		}
		if s.pace != nil {
			s.pace.giveBack(len(p) - n)
		}
		return n, nil
	}
}

// Receive implements Channel.
func (s *stream) Receive(least, left int) ([]byte, error) {
	if s.end-s.start < least && s.readable {
		s.end = copy(s.in, s.in[s.start:s.end])
		s.start = 0
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	if s.end-s.start < least && !s.readable {
		return nil, s.expect(left - (s.end - s.start))
	}
	return s.in[s.start:s.end], nil
}

// expect has the kernel wait for so many bytes. If they are there already it says so at once.
func (s *stream) expect(bytes int) error {
	low := 1
	if bytes >= lowLeast {
		low = min(bytes, lowMost)
	}
	if low == s.low {
		return nil
	}
	s.low = low
	if err := unix.SetsockoptInt(s.descriptor, unix.SOL_SOCKET, unix.SO_RCVLOWAT, low); err != nil {
		return s.broke(err)
	}
	return nil
}

func (s *stream) fill() error {
	for {
		n, err := unix.Read(s.descriptor, s.in[s.end:])
		switch {
		case n > 0:
			s.readable = n == len(s.in)-s.end
			s.end += n
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			s.readable = false
			return nil
		case err == nil:
			return s.broke(io.EOF)
		default:
			return s.broke(err)
		}
	}
}

// Consume implements Channel.
func (s *stream) Consume(n int) { s.start += n }
