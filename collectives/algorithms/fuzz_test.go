package algorithms

import (
	"encoding/binary"
	"slices"
	"testing"

	"collbench/collectives"
)

// FuzzCheck changes a program in many places at once. Check must neither panic nor pass a program whose results are
// wrong. Eight bytes are one change: which move, which field, and what it becomes.
func FuzzCheck(f *testing.F) {
	f.Add(uint8(0), uint8(0), []byte{})
	f.Add(uint8(3), uint8(4), []byte{1, 0, 2, 0, 0, 0, 0, 5, 7, 0, 3, 255, 255, 255, 255, 255})
	f.Add(uint8(8), uint8(5), []byte{9, 0, 4, 0, 0, 0, 0, 2, 3, 0, 6, 0, 0, 0, 0, 1, 3, 0, 5, 127, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, which, ranks uint8, changes []byte) {
		a := All[int(which)%len(All)]
		c := a.Collectives[int(which)/len(All)%len(a.Collectives)]
		s := shape{Collective: c, Ranks: 1 + int(ranks)%9, Count: 5, Chunks: 2, Local: 1, Radix: 2}
		if a.Supports(s) != nil {
			return
		}
		all := scriptOf(a, s)
		sites := all.sites()
		for change := range slices.Chunk(changes, 8) {
			if len(change) < 8 || len(sites) == 0 {
				break
			}
			x := sites[int(binary.LittleEndian.Uint16(change))%len(sites)]
			alter(all.at(x), change[2], int(int32(binary.BigEndian.Uint32(change[4:]))))
		}
		if collectives.Check(all.algorithm(a), s) == nil && !execute(a, s, all, 1) {
			t.Errorf("%s %+v: passes with wrong results", a.Name, s)
		}
	})
}

func alter(m *move, field uint8, to int) {
	switch field % 9 {
	case 0:
		m.Action = collectives.Action(to)
	case 1:
		m.Buffer = collectives.Buffer(to)
	case 2:
		m.Peer = node(to)
	case 3:
		m.Offset = to
	case 4:
		m.Length = to
	case 5:
		m.Blocks = to
	case 6:
		m.Stride = to
	case 7:
		m.Offset += to % 4
	case 8:
		m.Length += to % 4
	}
}
