package host

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// What goes into a ring comes out of it, whatever the lengths, the order of the two ends, and the number of slots
// that are ahead; loans come out where they lie.
func TestRingKeepsTheStream(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	memory := make([]byte, ringBytes)
	lent := make([]byte, 100_000)
	out, in := newRing(memory), newRing(memory)
	var sent, received []byte
	var loans []uint64
	next := byte(0)
	for len(received) < 4<<20 {
		if random.IntN(2) == 0 {
			p := make([]byte, 1+random.IntN([]int{lineBytes + 8, inlineBytes + 8, 3 * slotBytes}[random.IntN(3)]))
			for i := range p {
				p[i], next = next, next+7
			}
			for len(p) > 0 {
				n := out.put(p)
				if n == 0 {
					break
				}
				sent = append(sent, p[:n]...)
				p = p[n:]
			}
			next -= 7 * byte(len(p))
			continue
		}
		if random.IntN(8) == 0 && (len(loans) == 0 || out.back(loans[len(loans)-1])) {
			from := random.IntN(len(lent) - 1)
			p := lent[from : from+1+random.IntN(len(lent)-from)]
			for i := range p {
				p[i] = byte(random.Uint32())
			}
			if use, ok := out.lend(from, len(p)); ok {
				sent = append(sent, p...)
				loans = append(loans, use)
			}
			continue
		}
		if b := in.get(lent, 100); len(b) > 0 {
			n := 1 + random.IntN(len(b))
			received = append(received, b[:n]...)
			in.consume(n, len(b))
		}
	}
	for b := in.get(lent, 100); b != nil; b = in.get(lent, 100) {
		received = append(received, b...)
		in.consume(len(b), len(b))
	}
	if !bytes.Equal(sent, received) {
		t.Errorf("%d bytes went in, %d came out, or others", len(sent), len(received))
	}
	if len(loans) == 0 || !out.back(loans[len(loans)-1]) {
		t.Errorf("%d loans, the last of which did not end", len(loans))
	}
}

func TestRingRefusesWhenFull(t *testing.T) {
	memory := make([]byte, ringBytes)
	out, in := newRing(memory), newRing(memory)
	word := make([]byte, 8)
	for i := range uint64(ringSlots) {
		binary.NativeEndian.PutUint64(word, i)
		if out.put(word) != 8 {
			t.Fatalf("slot %d of %d was refused", i, ringSlots)
		}
	}
	if _, ok := out.lend(0, 1); ok || out.put(word) != 0 {
		t.Error("a full ring took more")
	}
	for range publishEvery {
		in.consume(8, len(in.get(nil, 8)))
	}
	if out.put(word) != 8 {
		t.Error("a ring with free slots took nothing")
	}
}

func TestParseFault(t *testing.T) {
	if f, err := ParseFault(""); f != nil || err != nil {
		t.Errorf("no fault: %v, %v", f, err)
	}
	if f, err := ParseFault("rank=1,iteration=2,element=5"); err != nil || *f != (Fault{Rank: 1, Iteration: 2, Element: 5}) {
		t.Errorf("got %+v, %v", f, err)
	}
	for _, bad := range []string{"rank", "rank=x", "node=3"} {
		if _, err := ParseFault(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
