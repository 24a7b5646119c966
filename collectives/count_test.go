package collectives

import (
	"slices"
	"testing"
)

// A chain of four ranks and a switch, each of which sends two runs to the next in one message.
func chain() Algorithm {
	return Algorithm{
		Name:        "chain",
		Collectives: []Collective{AllReduce},
		Switches:    func(Shape) int { return 1 },
		Program: func(s Shape, me Node) (program []Phase) {
			if int(me) < s.Ranks {
				program = append(program, Phase{Start: int(me), Rounds: 3, Moves: func(int) []Move {
					return []Move{{Action: Send, Peer: me + 1, Length: 2, Blocks: 2, Stride: 5}, {Action: Send, Peer: me + 1}}
				}})
			}
			if me > 0 {
				program = append(program, Phase{Start: int(me) - 1, Rounds: 3, Moves: func(int) []Move {
					return []Move{{Action: Accumulate, Peer: me - 1, Length: 4}}
				}})
			}
			return append(program, Once(9, Move{Action: Send, Peer: me, Length: 1}, Move{Action: Receive, Peer: me, Length: 1}))
		},
	}
}

var four = Shape{Collective: AllReduce, Ranks: 4, Count: 8, Chunks: 1, Local: 2, Radix: 2}

func TestCount(t *testing.T) {
	across := Hosts(four, 2)
	tests := []struct {
		node         Node
		whole, hosts Traffic
	}{
		{0, Traffic{Sends: 3, Sent: 12, Rounds: 10}, Traffic{Rounds: 10}},
		{1, Traffic{Sends: 3, Receives: 3, Sent: 12, Received: 12, Accumulated: 12, Rounds: 10},
			Traffic{Sends: 3, Sent: 12, Accumulated: 12, Rounds: 10}},
		{2, Traffic{Sends: 3, Receives: 3, Sent: 12, Received: 12, Accumulated: 12, Rounds: 10},
			Traffic{Receives: 3, Received: 12, Accumulated: 12, Rounds: 10}},
		{3, Traffic{Sends: 3, Receives: 3, Sent: 12, Received: 12, Accumulated: 12, Rounds: 10},
			Traffic{Sends: 3, Sent: 12, Accumulated: 12, Rounds: 10}},
		{4, Traffic{Receives: 3, Received: 12, Accumulated: 12, Rounds: 10},
			Traffic{Receives: 3, Received: 12, Accumulated: 12, Rounds: 10}},
	}
	for _, test := range tests {
		if got := Count(chain(), four, test.node); got != test.whole {
			t.Errorf("%s: %+v, want %+v", four.NodeName(test.node), got, test.whole)
		}
		if got := CountAcross(chain(), four, test.node, across); got != test.hosts {
			t.Errorf("%s across hosts: %+v, want %+v", four.NodeName(test.node), got, test.hosts)
		}
	}
}

// The figures of ranks alone: the switch of the chain is not one.
func TestBusiest(t *testing.T) {
	even := Canonical(four).Count // what the slices are counted of; the chain sends 12 elements whatever the count
	slices := 12 * 4 / float64(even)
	want := Operations{Sends: slices, Receives: slices, Sent: 12, Received: 12, Messages: 6, Exact: true}
	if got := Busiest(chain(), four); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	want.Messages = 3
	if got := BusiestAcross(chain(), four, Hosts(four, 2)); got != want {
		t.Errorf("across hosts: %+v, want %+v", got, want)
	}
}

func TestSpread(t *testing.T) {
	s := Shape{Ranks: 1 << 17, Root: 777}
	tests := []struct {
		want int
		has  []int
	}{
		{8, []int{0, 1, 777, 776, 778, 1 << 16, 1<<17 - 1, 1<<17 - 2}},
		{1000, []int{0, 1, 2, 3, 1023, 1024, 1025, 777, 1<<17 - 1, 131 * 900}},
		{1 << 17, []int{5, 5555, 55555}},
	}
	for _, test := range tests {
		ranks := spread(s, test.want)
		if len(ranks) != test.want {
			t.Errorf("%d ranks, want %d", len(ranks), test.want)
		}
		for _, r := range test.has {
			if !slices.Contains(ranks, r) {
				t.Errorf("rank %d is missing among %d", r, test.want)
			}
		}
	}
}

// Nothing that an algorithm may divide by leaves a rest.
func TestCanonical(t *testing.T) {
	for n := 1; n <= 80; n++ {
		s := Canonical(Shape{Collective: AllReduce, Ranks: n, Count: 5, Chunks: 3, Local: 1, Radix: 2})
		for d := 1; d <= n; d *= 2 {
			if s.Count%(3*2*d) != 0 || s.Count%(3*n) != 0 {
				t.Errorf("%d elements for %d ranks", s.Count, n)
			}
		}
	}
	if s := Canonical(Shape{Collective: AllToAll, Ranks: 5, Chunks: 3}); s.Count != 6 {
		t.Errorf("blocks of %d elements", s.Count)
	}
}
