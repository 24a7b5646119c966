package host

import (
	"sync/atomic"
	"unsafe"
)

// A ring is one direction of a channel in shared memory: a line that says how many slots have been consumed, a line
// for each slot, and a payload behind each. A line is 64 bytes, so that no two writers share a cache line. A slot's
// line starts with a word: the number of the slot's use, from 1, in the upper half, the length in the lower. The
// word is written last, so whoever sees it sees the rest. A short payload is in the line itself: one cache line
// moves, no more. Lengths are multiples of 8 or the end of a message, so elements do not come apart.
const (
	lineBytes   = 64
	inlineBytes = lineBytes - 8
	ringSlots   = 16 // a power of two
	slotBytes   = 16 << 10
	ringBytes   = lineBytes + ringSlots*(lineBytes+slotBytes)
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
}

func newRing(memory []byte) ring {
	return ring{memory: memory, consumed: (*uint64)(unsafe.Pointer(&memory[0]))}
}

func (r *ring) line(use uint64) []byte {
	at := lineBytes * (1 + int(use%ringSlots))
	return r.memory[at : at+lineBytes : at+lineBytes]
}

func (r *ring) payload(use uint64) []byte {
	at := lineBytes*(1+ringSlots) + slotBytes*int(use%ringSlots)
	return r.memory[at : at+slotBytes : at+slotBytes]
}

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
	line := r.line(r.next)
	n := len(p)
	if n <= inlineBytes {
		copy(line[8:], p)
	} else {
		n = copy(r.payload(r.next), p)
	}
	r.publish(line, uint32(n))
	return n
}

func (r *ring) publish(line []byte, length uint32) {
	r.next++
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&line[0])), r.next<<32|uint64(length))
}

// get is the rest of the next slot; nil if it has not been filled.
func (r *ring) get() []byte {
	line := r.line(r.next)
	word := atomic.LoadUint64((*uint64)(unsafe.Pointer(&line[0])))
	if word>>32 != (r.next+1)&0xffffffff {
		return nil
	}
	if n := int(uint32(word)); n <= inlineBytes {
		return line[8+r.at : 8+n]
	} else {
		return r.payload(r.next)[r.at:n]
	}
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
	if r.next-r.published >= publishEvery {
		r.published = r.next
		atomic.StoreUint64(r.consumed, r.next)
		return true
	}
	return false
}
