package host

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Limits of a link that is held back by its senders: bytes each way per second; 0 is unlimited.
type Limits struct {
	Transmit, Receive float64
}

// Pacer holds the senders of a machine to the rates of the links of hosts that are not really there. For each host
// and direction a word of shared memory says when (nanoseconds of CLOCK_MONOTONIC) the link will have carried all
// that was sent so far. A sender may only go on while that is less than paceBurst ahead, of its own host's link and
// of the receiver's.
type Pacer struct {
	words  []int64
	memory []byte
	limits []Limits
}

// paceBurst is how far ahead of time senders may be: as long as they wake up earlier than this, the link is never
// idle.
const paceBurst = 3_000_000 // nanoseconds

// pacePiece is the most that is let go at once, so that those who share a link take turns.
const pacePiece = 16 << 10

// PacerBytes is the length of the file that so many hosts need.
func PacerBytes(hosts int) int64 { return int64(hosts) * 16 }

// NewPacer uses the file, which all senders share and which starts as zeros, for hosts with these limits.
func NewPacer(file *os.File, limits []Limits) (*Pacer, error) {
	bytes := int(PacerBytes(len(limits)))
	memory, err := unix.Mmap(int(file.Fd()), 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("clock of the links: %w", err)
	}
	return &Pacer{words: unsafe.Slice((*int64)(unsafe.Pointer(&memory[0])), bytes/8), memory: memory, limits: limits}, nil
}

// Close gives the memory back.
func (p *Pacer) Close() { _ = unix.Munmap(p.memory) }

// between is the way from one host to another, by their places in the limits; nil within a host.
func (p *Pacer) between(from, to int) *pace {
	if from == to {
		return nil
	}
	return &pace{clocks: [2]*int64{&p.words[2*from], &p.words[2*to+1]},
		cost: [2]float64{cost(p.limits[from].Transmit), cost(p.limits[to].Receive)}}
}

// cost is nanoseconds a byte.
func cost(rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	return 1e9 / rate
}

// pace is one connection's way through two links.
type pace struct {
	clocks [2]*int64
	cost   [2]float64
}

// take says how many of so many bytes may be sent now, and counts them.
func (p *pace) take(bytes int) int {
	now := monotonic()
	for i := range p.clocks {
		if p.cost[i] > 0 && atomic.LoadInt64(p.clocks[i]) > now+paceBurst {
			return 0
		}
	}
	bytes = min(bytes, pacePiece)
	p.add(bytes, now)
	return bytes
}

// giveBack uncounts bytes that were not sent after all.
func (p *pace) giveBack(bytes int) {
	if bytes > 0 {
		p.add(-bytes, 0)
	}
}

func (p *pace) add(bytes int, now int64) {
	for i := range p.clocks {
		for p.cost[i] > 0 {
			old := atomic.LoadInt64(p.clocks[i])
			if atomic.CompareAndSwapInt64(p.clocks[i], old, max(old, now)+int64(float64(bytes)*p.cost[i])) {
				break
			}
		}
	}
}

// monotonic is the machine's clock, in nanoseconds, the same in all processes.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // it cannot fail: the clock exists
	return t.Nano()
}
