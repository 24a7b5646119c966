package collectives

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script writes a program as "round: moves" for comparison.
func script(phases []Phase) string {
	var b strings.Builder
	for t, moves := range Steps(phases) {
		fmt.Fprintf(&b, "%d:", t)
		for _, m := range moves {
			fmt.Fprintf(&b, " %s %d [%d,%d)", m.Action, m.Peer, m.Offset, m.Offset+m.Length)
		}
		b.WriteString("; ")
	}
	return b.String()
}

func stream(start, rounds int, a Action, peer Node) Phase {
	return Phase{Start: start, Rounds: rounds, Moves: func(i int) []Move {
		return []Move{{Action: a, Peer: peer, Offset: i, Length: 1}, {Action: a, Peer: peer}}
	}}
}

// Phases overlap, rounds have gaps, empty moves are left out.
func TestSteps(t *testing.T) {
	program := []Phase{stream(1, 2, Send, 7), stream(2, 2, Receive, 8), Once(9, Move{Length: 1}), Once(5)}
	want := "1: send 7 [0,1); 2: send 7 [1,2) receive 8 [0,1); 3: receive 8 [1,2); 9: send 0 [0,1); "
	if got := script(program); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for round := range Steps(program) {
		if round != 1 {
			t.Error("goes on after the loop was left")
		}
		break
	}
	if got := script(nil); got != "" {
		t.Errorf("no phases: %s", got)
	}
}

func TestCompose(t *testing.T) {
	program := []Phase{stream(1, 2, Send, 1), stream(0, 1, Receive, 0)}
	before := script(program)
	tests := []struct {
		name string
		got  []Phase
		want string
	}{
		{"shift", Shift(program, 3), "3: receive 0 [0,1); 4: send 1 [0,1); 5: send 1 [1,2); "},
		{"within", Within(program, func(v Node) Node { return 10 + v }, 100),
			"0: receive 10 [100,101); 1: send 11 [100,101); 2: send 11 [101,102); "},
		{"reverse of node 2", Reverse(program, 2, 3), "0: accumulate 1 [1,2); 1: accumulate 1 [0,1); 2: send 0 [0,1); "},
		{"reverse of node 1", Reverse(program, 1, 3), "0: receive 1 [1,2); 1: receive 1 [0,1); 2: send 0 [0,1); "},
	}
	for _, test := range tests {
		if got := script(test.got); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if after := script(program); after != before {
		t.Errorf("the original became %s", after)
	}
	scratch := []Phase{Once(0, Move{Buffer: Scratch, Offset: 1, Length: 1})}
	if got := Within(scratch, func(v Node) Node { return v }, 100)[0].Moves(0)[0].Offset; got != 1 {
		t.Errorf("scratch moved to %d", got)
	}
}

func TestMove(t *testing.T) {
	var runs, elements []int
	for _, m := range []Move{{Length: 3}, {Length: 3, Blocks: 1}, {Length: 3, Blocks: 4, Stride: -5}, {Blocks: 4}} {
		runs, elements = append(runs, m.Runs()), append(elements, m.Elements())
	}
	if !slices.Equal(runs, []int{1, 1, 4, 4}) || !slices.Equal(elements, []int{3, 3, 12, 0}) {
		t.Errorf("runs %v, elements %v", runs, elements)
	}
}
