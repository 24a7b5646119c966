package ucx

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The data of messages: words that follow from the rank that sends, from how many times it has made its data new, and from their
// place, so that what is old, another's or displaced shows.

// piece is so much of the data as is made at once.
const piece = 4096

// word is the i-th word of the data of a rank. The constants are those of splitmix64.
func word(rank, turn, i int) uint64 {
	x := uint64(rank)<<56 + uint64(turn)<<32 + uint64(i)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	return x ^ x>>27
}

// fill makes the data of a rank.
func fill(data []byte, rank, turn int) {
	var whole [piece]byte
	for at := 0; at < len(data); at += piece {
		copy(data[at:], filled(&whole, rank, turn, at))
	}
}

func filled(whole *[piece]byte, rank, turn, at int) []byte {
	for i := 0; i < piece; i += 8 {
		binary.LittleEndian.PutUint64(whole[i:], word(rank, turn, (at+i)/8))
	}
	return whole[:]
}

// check counts the elements of the data of a rank that are wrong, and says where the first one is. The last byte is not the data's
// but mark where that is not negative.
func check(data []byte, element, rank, turn, mark int) (wrong int64, first string) {
	var whole [piece]byte
	for at := 0; at < len(data); at += piece {
		want := filled(&whole, rank, turn, at)
		got := data[at:min(at+piece, len(data))]
		want = want[:len(got)]
		if at+len(got) == len(data) && mark >= 0 {
			want[len(want)-1] = byte(mark)
		}
		if bytes.Equal(got, want) {
			continue
		}
		for i := 0; i < len(got); i += element {
			end := min(i+element, len(got))
			if bytes.Equal(got[i:end], want[i:end]) {
				continue
			}
			if wrong++; first == "" {
				first = fmt.Sprintf("element %d: %x, want %x", (at+i)/element, got[i:end], want[i:end])
			}
		}
	}
	return wrong, first
}
