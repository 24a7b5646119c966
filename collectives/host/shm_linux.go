package host

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"collbench/collectives"
)

// Shared is the memory that the nodes of one host share: a line for each member that says whether it sleeps, a ring
// for each ordered pair, and a region for each member's registered buffers.
type Shared struct {
	memory  []byte
	members []collectives.Node
	bells   []*os.File // an eventfd a member
	me      int        // among members
	links   map[collectives.Node]*link
	used    int // bytes of this member's region
	taken   int // pieces of it that have not been given back

	spinning bool // no member sleeps
}

// NewShared maps the file, which starts as zeros, for node me, one of the members.
func NewShared(file *os.File, bytes int64, members []collectives.Node, bells []*os.File, me collectives.Node) (*Shared, error) {
	s := &Shared{members: members, bells: bells, me: -1, links: map[collectives.Node]*link{}}
	for i, m := range members {
		if m == me {
			s.me = i
		}
	}
	if s.me < 0 {
		return nil, fmt.Errorf("shared memory: node %d is not among those that share it", me)
	}
	if int64(s.regions()) > bytes {
		return nil, fmt.Errorf("shared memory of %d bytes: %d nodes need %d", bytes, len(members), s.regions())
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, int(bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("shared memory of %d bytes: %w", bytes, err)
	}
	s.memory = memory
	return s, nil
}

// regions is where the members' regions begin.
func (s *Shared) regions() int {
	n := len(s.members)
	return (n*lineBytes + n*n*ringBytes + pageBytes - 1) &^ (pageBytes - 1)
}

const pageBytes = 4096

// asleep is the flag by which a member says that it must be woken.
func (s *Shared) asleep(member int) *uint32 {
	return (*uint32)(unsafe.Pointer(&s.memory[member*lineBytes]))
}

func (s *Shared) ring(from, to int) ring {
	at := len(s.members)*lineBytes + (from*len(s.members)+to)*ringBytes
	return newRing(s.memory[at : at+ringBytes : at+ringBytes])
}

// Has says whether the node is a member.
func (s *Shared) Has(v collectives.Node) bool {
	for _, m := range s.members {
		if m == v {
			return true
		}
	}
	return false
}

// Place is the node's own place among the members.
func (s *Shared) Place() int { return s.me }

// Spinning says for all channels whether their other ends spin while they wait, so that nobody has to be woken. All
// nodes must say the same before a program runs.
func (s *Shared) Spinning(all bool) {
	s.spinning = all
	for _, l := range s.links {
		l.out.spinning, l.in.spinning = all, all
	}
}

// Channel is the channel to another member.
func (s *Shared) Channel(v collectives.Node) Channel {
	if l := s.links[v]; l != nil {
		return l
	}
	for i, m := range s.members {
		if m == v {
			l := &link{out: s.ring(s.me, i), in: s.ring(i, s.me), asleep: s.asleep(i), shared: s}
			l.out.spinning, l.in.spinning = s.spinning, s.spinning
			if i < len(s.bells) {
				l.bell = int(s.bells[i].Fd())
			}
			s.links[v] = l
			return l
		}
	}
	return nil
}

// Memory takes zeroed memory from this node's region: a message in it is not copied but lent to the peer, which
// reads it where it is. The region is free again when all that was taken has been given back.
func (s *Shared) Memory(bytes int) (b []byte, free func(), err error) {
	each := (len(s.memory) - s.regions()) / len(s.members) &^ (pageBytes - 1)
	bytes = (bytes + pageBytes - 1) &^ (pageBytes - 1)
	if bytes > each-s.used {
		return nil, nil, fmt.Errorf("registered buffers: %d bytes of shared memory are left, want %d", each-s.used, bytes)
	}
	at := s.regions() + s.me*each + s.used
	s.used += bytes
	s.taken++
	b = s.memory[at : at+bytes : at+bytes]
	clear(b)
	return b, func() {
		if s.taken--; s.taken == 0 {
			s.used = 0
		}
	}, nil
}

// Close gives the memory back.
func (s *Shared) Close() { _ = unix.Munmap(s.memory) }

// link is the channel between two nodes that share memory.
type link struct {
	out, in ring
	got     int     // bytes that Receive returned
	asleep  *uint32 // whether the peer must be woken
	bell    int
	shared  *Shared
}

// Send implements Channel.
func (l *link) Send(p []byte) (int, error) {
	n := l.out.put(p)
	if n > 0 && !l.out.spinning && atomic.LoadUint32(l.asleep) != 0 {
		return n, l.wake()
	}
	return n, nil
}

// loanBytes is the least for which lending is faster than copying.
const loanBytes = 8 << 10

// Lend implements Lender.
func (l *link) Lend(p []byte) (ticket uint64, ok bool, err error) {
	place := uintptr(unsafe.Pointer(&p[0])) - uintptr(unsafe.Pointer(&l.shared.memory[0])) // huge if p lies before
	if len(p) < loanBytes || place >= uintptr(len(l.shared.memory)) {
		return 0, false, nil
	}
	ticket, ok = l.out.lend(int(place), len(p))
	if ok && !l.out.spinning && atomic.LoadUint32(l.asleep) != 0 {
		err = l.wake()
	}
	return ticket, ok, err
}

// Back implements Lender.
func (l *link) Back(ticket uint64) bool { return l.out.back(ticket) }

// Receive implements Channel.
func (l *link) Receive(_, left int) ([]byte, error) {
	b := l.in.get(l.shared.memory, left)
	l.got = len(b)
	return b, nil
}

// Consume implements Channel.
func (l *link) Consume(n int) {
	told := l.in.consume(n, l.got)
	l.got -= n
	if told && !l.in.spinning && atomic.LoadUint32(l.asleep) != 0 {
		_ = l.wake() // the peer is there, or the run ends anyway
	}
}

// wake rings the peer's bell. The flag was read after the news was written, and the peer looks for news after it
// has set the flag: one of the two sees the other.
func (l *link) wake() error {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	if _, err := unix.Write(l.bell, one[:]); err != nil && err != unix.EAGAIN {
		return fmt.Errorf("wake a node of this host: %w", err)
	}
	return nil
}
