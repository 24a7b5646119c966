package host

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// A ring is one direction of a channel in shared memory: a line that says how many slots have been consumed, a line
// for each slot, and a payload behind each. A line is 64 bytes, so that no two writers share a cache line. A slot's
// line starts with a word: the number of the slot's use, from 1, in the upper half, the length in the lower. The
// word is written last, so whoever sees it sees the rest. A short payload follows the word: one cache line moves, or
// several, which a receiver that knows what it waits for asks for together. Beyond three lines the CPU fetches ahead by
// itself, and a place behind the lines is faster. Lengths are multiples of 8 or the end of a message, so elements do
// not come apart.
const (
	lineBytes   = 64
	slotLines   = 3
	inlineBytes = slotLines*lineBytes - 8
	ringSlots   = 16 // a power of two
	slotBytes   = 16 << 10
	ringBytes   = lineBytes + ringSlots*(slotLines*lineBytes+slotBytes)
	// publishEvery bounds how rarely a receiver says what it has consumed: a sender always finds room when all but
	// so many slots have been.
	publishEvery = ringSlots / 4
)

// ring is one end's view of a ring. Only the sender writes lines and payloads, only the receiver the counter.
type ring struct {
	memory    []byte // ringBytes
	consumed  *uint64
	next      uint64 // slot uses so far at this end
	known     uint64 // sender: what consumed was when last looked at
	published uint64 // receiver: what consumed is
	at        int    // receiver: bytes consumed of the next slot
	loan      bool   // receiver: the next slot holds no payload but says where it lies
	spinning  bool   // the other end never sleeps
}

// loanMark stands for the length in a slot's word where the line says where in shared memory the payload lies:
// eight bytes each for its place and length. The sender must not touch that memory until the slot is consumed.
const loanMark = 1<<32 - 1

func newRing(memory []byte) ring {
	return ring{memory: memory, consumed: (*uint64)(unsafe.Pointer(&memory[0]))}
}

// lines are those of a slot.
func (r *ring) lines(use uint64) []byte {
	at := lineBytes * (1 + slotLines*int(use%ringSlots))
	return r.memory[at : at+slotLines*lineBytes : at+slotLines*lineBytes]
}

func (r *ring) payload(use uint64) []byte {
	at := lineBytes*(1+slotLines*ringSlots) + slotBytes*int(use%ringSlots)
	return r.memory[at : at+slotBytes : at+slotBytes]
}

// word is the first of a slot's lines.
func word(lines []byte) *uint64 { return (*uint64)(unsafe.Pointer(&lines[0])) }

// room says whether there is a slot for a sender.
func (r *ring) room() bool {
	if r.next-r.known < ringSlots {
		return true
	}
	r.known = atomic.LoadUint64(r.consumed)
	return r.next-r.known < ringSlots
}

// put fills the next slot, if there is room, with a leading part of p.
func (r *ring) put(p []byte) int {
	if !r.room() {
		return 0
	}
	lines := r.lines(r.next)
	n := len(p)
	if n <= inlineBytes {
		copy(lines[8:], p)
	} else {
		n = copy(r.payload(r.next), p)
	}
	r.publish(lines, uint32(n))
	return n
}

// lend fills the next slot, if there is room, with the place of a payload. The loan is over when so many slots have
// been consumed as it returns.
func (r *ring) lend(place, length int) (use uint64, ok bool) {
	if !r.room() {
		return 0, false
	}
	lines := r.lines(r.next)
	binary.NativeEndian.PutUint64(lines[8:], uint64(place))
	binary.NativeEndian.PutUint64(lines[16:], uint64(length))
	r.publish(lines, loanMark)
	return r.next, true
}

// back says whether a loan is over.
func (r *ring) back(use uint64) bool {
	if r.known < use {
		r.known = atomic.LoadUint64(r.consumed)
	}
	return r.known >= use
}

func (r *ring) publish(lines []byte, length uint32) {
	r.next++
	r.tell(word(lines), r.next<<32|uint64(length))
}

// tell writes a word that the other end looks for. An atomic store on amd64 waits until the cache line has come
// over from the other CPU, tens of nanoseconds in which this end could already look for its own news. Only an end
// that looks next whether the other one sleeps needs that order.
func (r *ring) tell(word *uint64, v uint64) {
	if r.spinning {
		storeRelease(word, v)
		return
	}
	atomic.StoreUint64(word, v)
}

// get is the rest of the next slot; nil if it has not been filled. Loans lie in the memory given. Whoever expects more
// than a line has the others fetched while the first is on its way.
func (r *ring) get(lent []byte, expected int) []byte {
	lines := r.lines(r.next)
	if expected <= inlineBytes {
		for at := lineBytes; at < expected+8; at += lineBytes {
			prefetch(&lines[at])
		}
	}
	first := atomic.LoadUint64(word(lines))
	if first>>32 != (r.next+1)&0xffffffff {
		return nil
	}
	n := int(uint32(first))
	r.loan = n == loanMark
	switch {
	case r.loan:
		place, length := int(binary.NativeEndian.Uint64(lines[8:])), int(binary.NativeEndian.Uint64(lines[16:]))
		return lent[place+r.at : place+length]
	case n <= inlineBytes:
		return lines[8+r.at : 8+n]
	}
	return r.payload(r.next)[r.at:n]
}

// consume gives back n bytes of what get returned, of which there were so many, and says whether the sender was
// told.
func (r *ring) consume(n, of int) (told bool) {
	r.at += n
	if n < of {
		return false
	}
	r.next++
	r.at = 0
	if r.loan || r.next-r.published >= publishEvery {
		r.published = r.next
		r.tell(r.consumed, r.next)
		return true
	}
	return false
}
