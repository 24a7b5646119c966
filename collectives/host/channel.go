package host

// Channel is one node's end of the way to one peer: a stream of bytes each way, in order, of which some can be
// under way. No call blocks. A message is not marked in the stream: both ends know its length from their programs.
type Channel interface {
	// Send takes over a leading part of p, if only a part has room, and returns its length; 0 if there is no room
	// now. It takes whole multiples of 8 bytes unless it takes all of p.
	Send(p []byte) (int, error)
	// Receive returns the next bytes that have arrived and lie together, and leaves them there; the slice is good
	// until Consume. At least so many are of use to the caller, an element: it gets fewer only if no more have
	// arrived. So many are left of the message: a channel need not wake its node before that.
	Receive(least, left int) ([]byte, error)
	// Consume gives back the first n bytes of what Receive returned.
	Consume(n int)
}

// Lender is a Channel that can hand a message over without copying it, if it lies in memory that the peer sees too.
type Lender interface {
	Channel
	// Lend hands p over, whole or not at all. Until Back says that the loan is over, p must not change.
	Lend(p []byte) (ticket uint64, ok bool, err error)
	Back(ticket uint64) bool
}

// loopback is the channel of a node to itself, for local copies.
type loopback struct {
	buffer     []byte
	start, end int
}

const loopbackBytes = 256 << 10

func newLoopback() *loopback { return &loopback{buffer: make([]byte, loopbackBytes)} }

func (l *loopback) Send(p []byte) (int, error) {
	if l.start == l.end {
		l.start, l.end = 0, 0
	}
	n := len(p)
	if room := len(l.buffer) - l.end; n > room {
		n = room &^ 7
	}
	copy(l.buffer[l.end:], p[:n])
	l.end += n
	return n, nil
}

func (l *loopback) Receive(int, int) ([]byte, error) { return l.buffer[l.start:l.end], nil }

func (l *loopback) Consume(n int) { l.start += n }
