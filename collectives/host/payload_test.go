package host

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"collbench/collectives"
)

// outcome carries out a collective as its contract says, by Combiner in a random order of the ranks: the ranks'
// data buffers afterwards.
func outcome(t *testing.T, p *Payload, s collectives.Shape, d collectives.DataType, r collectives.Reduction, iteration int) [][]byte {
	t.Helper()
	size := d.Size()
	before, after := make([][]byte, s.Ranks), make([][]byte, s.Ranks)
	for rank := range before {
		before[rank] = make([]byte, s.Size()*size)
		p.Fill(rank, iteration, before[rank])
	}
	input := func(rank, index, length int) []byte { // by logical index
		in, _ := collectives.Contract(s, rank)
		for _, part := range in {
			if part.Index <= index && index+length <= part.Index+part.Length {
				at := part.Offset + index - part.Index
				return before[rank][at*size : (at+length)*size]
			}
		}
		t.Fatalf("rank %d has no element %d", rank, index)
		return nil
	}
	add := Combiner(d, r)
	for rank := range after {
		after[rank] = bytes.Clone(before[rank])
		_, out := collectives.Contract(s, rank)
		for _, part := range out {
			to := after[rank][part.Offset*size : (part.Offset+part.Length)*size]
			if part.From != collectives.AllRanks {
				copy(to, input(part.From, part.Index, part.Length))
				continue
			}
			for i, from := range rand.Perm(s.Ranks) {
				if x := input(from, part.Index, part.Length); i == 0 {
					copy(to, x)
				} else {
					add(to, to, x)
				}
			}
			finish(d, r, s.Ranks, to)
		}
	}
	return after
}

// finish makes a reduction of what was combined: multiplying a sum is multiplying what it is of.
func finish(d collectives.DataType, r collectives.Reduction, ranks int, data []byte) {
	switch r {
	case collectives.Avg:
		Average(d, ranks, data)
	case collectives.PreMulSum:
		Reducer(d, collectives.Sum)(data, bytes.Clone(data))
	}
}

// combinations calls f with every data type and every reduction that makes a difference to the collective.
func combinations(c collectives.Collective, f func(collectives.DataType, collectives.Reduction)) {
	for _, d := range collectives.DataTypes {
		for _, r := range collectives.Reductions {
			if c.Reduces() || r == collectives.Sum {
				f(d, r)
			}
		}
	}
}

func shapeOf(c collectives.Collective, ranks, count int) collectives.Shape {
	s := collectives.Shape{Collective: c, Ranks: ranks, Count: count, Chunks: 1, Local: ranks, Radix: 40}
	if c.Rooted() {
		s.Root = ranks - 1
	}
	return s
}

func TestPayloadAcceptsWhatTheContractSays(t *testing.T) {
	for _, c := range collectives.Collectives {
		for _, ranks := range []int{1, 2, 3, 8, 17} {
			for _, count := range []int{1, 7, 1009, 2500, 5 * 1009} {
				if count > 100 && ranks > 8 {
					continue
				}
				combinations(c, func(d collectives.DataType, r collectives.Reduction) {
					s := shapeOf(c, ranks, count)
					p := NewPayload(s, d, r)
					for rank, data := range outcome(t, p, s, d, r, count%5) {
						if wrong, first := p.Verify(rank, count%5, data); wrong != 0 {
							t.Fatalf("%s %s %s, %d ranks, %d elements, rank %d: %d wrong: %s", c, d, r, ranks, count, rank, wrong, first)
						}
					}
				})
			}
		}
	}
}

// TestPayloadIsExactForThousandsOfRanks adds in random orders, and as a tree, whose partial results are largest.
func TestPayloadIsExactForThousandsOfRanks(t *testing.T) {
	for _, ranks := range []int{100, 1024, 5000} {
		combinations(collectives.AllReduce, func(d collectives.DataType, r collectives.Reduction) {
			s := shapeOf(collectives.AllReduce, ranks, period)
			p := NewPayload(s, d, r)
			parts := make([][]byte, ranks)
			for i, rank := range rand.Perm(ranks) {
				parts[i] = make([]byte, period*d.Size())
				p.Fill(rank, 3, parts[i])
			}
			add := Combiner(d, r)
			for ; len(parts) > 1; parts = parts[:(len(parts)+1)/2] {
				for i := range len(parts) / 2 {
					add(parts[i], parts[i], parts[len(parts)-1-i])
				}
			}
			finish(d, r, ranks, parts[0])
			if wrong, first := p.Verify(0, 3, parts[0]); wrong != 0 {
				t.Errorf("%s %s, %d ranks: %d wrong: %s", d, r, ranks, wrong, first)
			}
		})
	}
}

// TestPayloadCatches plants the faults that a collective may have in an otherwise right result.
func TestPayloadCatches(t *testing.T) {
	const ranks, count, iteration = 8, 300, 2
	for _, c := range collectives.Collectives {
		combinations(c, func(d collectives.DataType, r collectives.Reduction) {
			s, size := shapeOf(c, ranks, count), d.Size()
			p := NewPayload(s, d, r)
			right := outcome(t, p, s, d, r, iteration)
			stale := outcome(t, p, s, d, r, iteration-1)
			rank := s.Root
			_, out := collectives.Contract(s, rank)
			last := out[len(out)-1]
			expect := func(fault string, data []byte, atLeast, atMost int64) {
				t.Helper()
				wrong, first := p.Verify(rank, iteration, data)
				if wrong < atLeast || wrong > atMost || !strings.HasPrefix(first, "element ") {
					t.Errorf("%s %s %s: %s: %d wrong, want %d … %d; first %q", c, d, r, fault, wrong, atLeast, atMost, first)
				}
			}
			bad := bytes.Clone(right[rank])
			at := last.Offset + last.Length - 1
			bad[at*size] ^= 1
			expect("a flipped bit", bad, 1, 1)
			if _, first := p.Verify(rank, iteration, bad); !strings.HasPrefix(first, fmt.Sprintf("element %d (", at)) {
				t.Errorf("%s %s %s: first bad element %q, want element %d", c, d, r, first, at)
			}
			many := p.Checked(rank) / 4
			expect("the iteration before", stale[rank], many, p.Checked(rank))
			bad = bytes.Clone(right[rank])
			copy(bad[last.Offset*size:(last.Offset+last.Length-1)*size], right[rank][(last.Offset+1)*size:])
			expect("a shift by one element", bad, int64(last.Length)/4, int64(last.Length))
			if len(out) > 1 {
				bad = bytes.Clone(right[rank])
				copy(bad, right[rank][count*size:2*count*size])
				expect("a block in another's place", bad, count/2, count)
			}
		})
	}
}

// TestPayloadMissesNoRank leaves out each rank in turn, and adds each twice, at 2 to 16 ranks.
func TestPayloadMissesNoRank(t *testing.T) {
	for _, ranks := range []int{2, 5, 8, 16} {
		combinations(collectives.AllReduce, func(d collectives.DataType, r collectives.Reduction) {
			s := shapeOf(collectives.AllReduce, ranks, period)
			p, add := NewPayload(s, d, r), Combiner(d, r)
			input := func(rank int) []byte {
				data := make([]byte, period*d.Size())
				p.Fill(rank, 0, data)
				return data
			}
			least := int64(period / 50)
			if r == collectives.Prod && !d.Floating() {
				least = period / 2 // odd factors: nothing drowns in zeros
			}
			for rank := range ranks {
				without, twice := input((rank+1)%ranks), input(rank)
				for k := 2; k < ranks; k++ {
					add(without, without, input((rank+k)%ranks))
				}
				for k := range ranks {
					add(twice, twice, input(k))
				}
				finish(d, r, ranks, without)
				finish(d, r, ranks, twice)
				if wrong, _ := p.Verify(0, 0, without); wrong < least {
					t.Errorf("%s %s, %d ranks: rank %d left out changes %d elements of %d", d, r, ranks, rank, wrong, period)
				}
				idempotent := r == collectives.Min || r == collectives.Max
				if wrong, _ := p.Verify(0, 0, twice); !idempotent && wrong < least {
					t.Errorf("%s %s, %d ranks: rank %d added twice changes %d elements of %d", d, r, ranks, rank, wrong, period)
				}
			}
		})
	}
}

func BenchmarkPayload(b *testing.B) {
	for _, c := range []collectives.Collective{collectives.AllReduce, collectives.AllToAll} {
		s := shapeOf(c, 32, 4<<20/4)
		if c.Blocked() {
			s.Count /= 32
		}
		p, data := NewPayload(s, collectives.Float32, collectives.Max), make([]byte, 4<<20)
		b.Run(c.String()+"/new", func(b *testing.B) {
			for b.Loop() {
				NewPayload(s, collectives.BFloat16, collectives.Sum)
			}
		})
		b.Run(c.String()+"/fill", func(b *testing.B) {
			b.SetBytes(4 << 20)
			for b.Loop() {
				p.Fill(3, 1, data)
			}
		})
		b.Run(c.String()+"/compare", func(b *testing.B) {
			right := make([]byte, 4<<20)
			_, out := collectives.Contract(s, 3)
			for _, part := range out {
				p.pieces(part, 1, right, func(_ int, got, want []byte) { copy(got, want) })
			}
			b.SetBytes(4 << 20)
			for b.Loop() {
				if wrong, first := p.Verify(3, 1, right); wrong != 0 {
					b.Fatal(first)
				}
			}
		})
	}
}

// TestBoundedPayloadFits adds as one who saturates would, in random orders: that makes no difference.
func TestBoundedPayloadFits(t *testing.T) {
	for _, ranks := range []int{2, 8, 300} {
		s := shapeOf(collectives.AllReduce, ranks, period)
		p := NewBoundedPayload(s, collectives.Int8, collectives.Sum)
		sum, mine := make([]int, period), make([]byte, period)
		some := false
		for _, rank := range rand.Perm(ranks) {
			p.Fill(rank, 4, mine)
			for i, v := range mine {
				sum[i] = max(-128, min(127, sum[i]+int(int8(v))))
				some = some || v != 0
			}
		}
		result := make([]byte, period)
		for i, v := range sum {
			result[i] = byte(v)
		}
		if wrong, first := p.Verify(0, 4, result); wrong > 0 || !some {
			t.Errorf("%d ranks: %d wrong: %s; any input: %v", ranks, wrong, first, some)
		}
	}
}
