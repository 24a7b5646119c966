package ucx

import (
	"encoding/binary"
	"fmt"

	"collbench/cgo/ucx"
)

// The last byte of what is put is not the data's: it is how the other rank sees that it has come. In a ping-pong it is the number of
// the message, else 1 in the last one of all.
func (o *operation) mark() int {
	switch {
	case o.call.ucx != ucx.Put && o.call.ucx != ucx.PutFlush:
		return -1
	case o.pattern == ucx.PingPong:
		return (o.messages - 1) & 0xff
	}
	return 1
}

// verify checks what the last run of the loop has left on this rank.
func (o *operation) verify() {
	if o.call.ucx >= ucx.Add {
		o.verifyAtomic()
		return
	}
	data, from := o.received, 1-o.rank
	if o.call.ucx == ucx.Get {
		data = o.sent
	}
	takes := o.pattern == ucx.PingPong || o.pattern == ucx.BothWays || (o.rank == 0) == (o.call.ucx == ucx.Get)
	if !takes {
		return
	}
	element := o.test.What.DataType.Size()
	wrong, first := check(data, element, from, o.turn, o.mark())
	o.found(int64(len(data)/element), wrong, first)
}

// verifyAtomic checks that an atomic has acted as often as it should, or for the first rank, which value it has last found there.
func (o *operation) verifyAtomic() {
	got, want := o.loop.Reply(), uint64(o.messages)-1
	switch {
	case o.rank == 1:
		want = uint64(o.messages)
		var whole [8]byte
		copy(whole[:], o.received[:o.bytes])
		got = binary.LittleEndian.Uint64(whole[:])
	case o.call.ucx == ucx.Add:
		return // which brings nothing back
	case o.bytes == 4:
		got = uint64(uint32(got))
	}
	wrong, first := int64(0), ""
	if got != want {
		wrong, first = 1, fmt.Sprintf("the value is %d, want %d", got, want)
	}
	o.found(1, wrong, first)
}

func (o *operation) found(checked, wrong int64, first string) {
	if wrong > 0 && o.verified.Wrong == 0 {
		o.verified.First = fmt.Sprintf("run %d, %s", o.turn, first)
	}
	o.verified.Checked += checked
	o.verified.Wrong += wrong
}
