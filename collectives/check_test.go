package collectives

import (
	"math"
	"strings"
	"testing"
)

// exchange is an all-reduce of two ranks, each of which sends its vector to the other.
func exchange() Algorithm {
	return Algorithm{
		Name:        "exchange",
		Collectives: []Collective{AllReduce},
		Program: func(s Shape, me Node) []Phase {
			return []Phase{Once(0,
				Move{Action: Send, Peer: 1 - me, Length: s.Count},
				Move{Action: Accumulate, Peer: 1 - me, Length: s.Count})}
		},
	}
}

var two = Shape{Collective: AllReduce, Ranks: 2, Count: 4, Chunks: 1, Local: 2, Radix: 2}

// Every refusal of Check, with what it says.
func TestCheckRefuses(t *testing.T) {
	// rank0 gives rank 0 other moves in round 0, and leaves rank 1 as it is.
	rank0 := func(moves ...Move) func(*Algorithm) {
		return func(a *Algorithm) {
			right := a.Program
			a.Program = func(s Shape, me Node) []Phase {
				if me == 0 {
					return []Phase{Once(0, moves...)}
				}
				return right(s, me)
			}
		}
	}
	program := func(f func(s Shape, me Node) []Phase) func(*Algorithm) { return func(a *Algorithm) { a.Program = f } }
	out := Move{Action: Send, Peer: 1, Length: 4}
	in := Move{Action: Accumulate, Peer: 1, Length: 4}
	with := func(m Move, change func(*Move)) Move { change(&m); return m }

	tests := []struct {
		name  string
		plant func(*Algorithm)
		want  string
	}{
		{"right", func(*Algorithm) {}, ""},
		{"unknown collective", func(a *Algorithm) { a.Collectives = nil }, "all_reduce has no algorithm"},
		{"refused", func(a *Algorithm) { a.Refuses = func(Shape) error { return errTest } }, "all_reduce exchange: planted"},
		{"peer", rank0(with(out, func(m *Move) { m.Peer = 2 }), in), "rank 0: peer 2: there are 2 nodes"},
		{"negative peer", rank0(with(out, func(m *Move) { m.Peer = -1 }), in), "rank 0: peer -1"},
		{"action", rank0(with(out, func(m *Move) { m.Action = 3 }), in), "action 3 does not exist"},
		{"buffer", rank0(with(out, func(m *Move) { m.Buffer = 2 }), in), "buffer 2 does not exist"},
		{"negative length", rank0(with(out, func(m *Move) { m.Length = -2 }), in), "rank 0, phase 0: round 0: 0 runs of -2 elements"},
		{"negative blocks", rank0(with(out, func(m *Move) { m.Blocks = -2 }), in), "rank 0, phase 0: round 0: -2 runs of 4 elements"},
		{"beyond the end", rank0(with(out, func(m *Move) { m.Offset = 1 }), in), "round 0: rank 0: 1 runs of 4 elements from element 1 every 0: beyond a buffer of 4"},
		{"before the start", rank0(with(out, func(m *Move) { m.Offset, m.Blocks, m.Length, m.Stride = 2, 2, 2, -3 }), in), "2 runs of 2 elements from element 2 every -3: beyond a buffer of 4"},
		{"no scratch", rank0(with(out, func(m *Move) { m.Buffer = Scratch }), in), "1 runs of 4 elements from element 0 every 0: beyond a buffer of 0"},
		{"overlapping runs", rank0(with(out, func(m *Move) { m.Blocks, m.Length, m.Stride = 2, 2, 1 }), in), "runs of 2 elements every 1 overlap"},
		{"huge stride", rank0(with(out, func(m *Move) { m.Blocks, m.Length, m.Stride = 5, 2, 1<<62 }), in), "beyond a buffer of 4"},
		{"hugely negative stride", rank0(with(out, func(m *Move) { m.Blocks, m.Length, m.Stride = 2, 2, math.MinInt }), in), "beyond a buffer of 4"},
		{"stride of one run", func(a *Algorithm) { rank0(with(out, func(m *Move) { m.Stride = 99 }), in)(a) }, ""},
		{"huge blocks", rank0(with(out, func(m *Move) { m.Blocks, m.Length, m.Stride = 1<<61, 2, 4 }), in), "beyond a buffer of 4"},
		{"countless", rank0(with(out, func(m *Move) { m.Blocks, m.Length, m.Stride = 1<<62+1, 2, 4 }), in), "runs of 2 elements"},
		{"negative scratch", func(a *Algorithm) { a.Scratch = func(Shape) int { return -1 } }, "scratch of -1 elements"},
		{"undefined", func(a *Algorithm) {
			rank0(with(out, func(m *Move) { m.Buffer = Scratch }), in)(a)
			a.Scratch = Shape.Size
		}, "rank 0: sends element 0 to rank 1, which is undefined"},
		{"accumulated into undefined", func(a *Algorithm) {
			rank0(out, with(in, func(m *Move) { m.Buffer = Scratch }))(a)
			a.Scratch = Shape.Size
		}, "rank 0: element 0 of rank 1: is accumulated into an undefined element"},
		{"short", rank0(with(out, func(m *Move) { m.Length-- }), in), "rank 1: expects 4 elements of rank 0, which sends 3"},
		{"not sent", rank0(in), "round 0: rank 1: waits for rank 0, which sends nothing"},
		{"not received", rank0(out), "round 0: rank 1: 4 elements sent to rank 0 are never received"},
		{"from itself", rank0(out, in, with(in, func(m *Move) { m.Peer = 0 }), with(out, func(m *Move) { m.Peer = 0 })), "accumulates from itself"},
		{"overwritten", rank0(out, with(in, func(m *Move) { m.Action = Receive })), "rank 0 ends with place 0 of ranks [1] in element 0, want place 0 of all ranks"},
		{"other place", program(func(s Shape, me Node) []Phase {
			return []Phase{Once(0, Move{Action: Send, Peer: 1 - me, Length: 1}, Move{Action: Accumulate, Peer: 1 - me, Offset: 1, Length: 1})}
		}), "element 1 of rank 1: has place 0 of the vector and is accumulated into place 1"},
		{"twice", program(func(s Shape, me Node) []Phase {
			return []Phase{Once(0, with(out, func(m *Move) { m.Peer = 1 - me }), with(out, func(m *Move) { m.Peer = 1 - me }),
				with(in, func(m *Move) { m.Peer = 1 - me }), with(in, func(m *Move) { m.Peer = 1 - me }))}
		}), "rank 0: element 0 of rank 1: the contribution of rank 1 is counted twice"},
		{"overwritten in a round", program(func(s Shape, me Node) []Phase {
			return []Phase{Once(0, with(out, func(m *Move) { m.Peer = 1 - me }), with(out, func(m *Move) { m.Peer = 1 - me }),
				Move{Action: Receive, Peer: 1 - me, Length: 4}, Move{Action: Receive, Peer: 1 - me, Length: 4})}
		}), "rank 0: element 0 of rank 1: overwrites what arrived in the same round"},
		{"nothing", program(func(Shape, Node) []Phase { return nil }), "rank 0 ends with place 0 of ranks [0] in element 0"},
		{"before round 0", program(func(Shape, Node) []Phase { return []Phase{Once(-1, out)} }), "1 rounds from round -1"},
		{"no rounds", program(func(Shape, Node) []Phase { return []Phase{{}} }), "0 rounds from round 0"},
		{"varying peers", program(func(s Shape, me Node) []Phase {
			return []Phase{{Rounds: 2, Moves: func(i int) []Move { return []Move{{Peer: Node(i), Length: 1}} }}}
		}), "message 0 of round 1 is (send, node 1, 0 elements), and that of its first round (send, node 0"},
		{"varying number", program(func(s Shape, me Node) []Phase {
			return []Phase{{Rounds: 2, Moves: func(i int) []Move { return make([]Move, 1-i) }}}
		}), "round 1 has 0 messages and its first 1"},
		{"varying lengths", program(func(s Shape, me Node) []Phase {
			return []Phase{{Rounds: 2, Moves: func(i int) []Move { return []Move{{Length: i + 1}} }}}
		}), "message 0 of round 1 is (send, node 0, 2 elements)"},
		{"no place", func(a *Algorithm) { a.Switches = func(Shape) int { return 1 } }, "the switches have no place"},
		{"negative switches", func(a *Algorithm) { a.Switches = func(Shape) int { return -1 } }, "-1 switches"},
		{"one place", func(a *Algorithm) {
			a.Switches = func(Shape) int { return 2 }
			a.Place = func(Shape, Node) (int, int) { return 1, 0 }
		}, "switches 0 and 1 both sit at level 1, place 0"},
		{"negative place", func(a *Algorithm) {
			a.Switches = func(Shape) int { return 1 }
			a.Place = func(Shape, Node) (int, int) { return 0, -1 }
		}, "switch 0 sits at level 0, place -1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := exchange()
			test.plant(&a)
			err := Check(a, two)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

type testError string

func (e testError) Error() string { return string(e) }

const errTest = testError("planted")

// Above 62 ranks a contribution counted twice shows at the end.
func TestCheckManyRanks(t *testing.T) {
	star := func(again bool) Algorithm {
		a := exchange()
		a.Program = func(s Shape, me Node) (program []Phase) {
			for r := Node(1); int(r) < s.Ranks; r++ {
				from := r
				if again && r == 70 {
					from = 69
				}
				switch me {
				case 0:
					program = append(program, Once(int(r), Move{Action: Accumulate, Peer: from, Length: s.Count}),
						Once(s.Ranks, Move{Action: Send, Peer: r, Length: s.Count}))
				case from:
					program = append(program, Once(int(r), Move{Action: Send, Length: s.Count}))
				}
			}
			if me > 0 {
				program = append(program, Once(s.Ranks, Move{Action: Receive, Length: s.Count}))
			}
			return program
		}
		return a
	}
	s := Shape{Collective: AllReduce, Ranks: 80, Count: 2, Chunks: 1, Local: 1, Radix: 2}
	if err := Check(star(false), s); err != nil {
		t.Error(err)
	}
	if err := Check(star(true), s); err == nil || !strings.Contains(err.Error(), "rank 0 ends with place 0 of some ranks in element 0, want place 0 of all ranks") {
		t.Errorf("a contribution counted twice: %v", err)
	}
}
