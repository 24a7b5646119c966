package collectives

import (
	"fmt"
	"iter"
	"slices"
)

// Node is a rank, or from Shape.Ranks up a switch that reduces and multicasts.
type Node int

// Action is what a move does at its own end.
type Action uint8

// The actions. A Send to oneself is a local copy, paired with a Receive from oneself.
const (
	Send       Action = iota
	Receive           // overwrite
	Accumulate        // combine what arrives into what is there, by the case's reduction
)

var actionNames = [...]string{Send: "send", Receive: "receive", Accumulate: "accumulate"}

// String returns the action's name, such as "send".
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Buffer is one of the two buffers of a node.
type Buffer uint8

// The buffers: Data holds the input in its place and ends with the output, Scratch is undefined at the start. On
// a switch both are undefined at the start; its Data is as long as a rank's.
const (
	Data Buffer = iota
	Scratch
)

// Move is one message: Blocks runs of Length elements each, Stride elements apart, the first at Offset.
type Move struct {
	Action         Action
	Buffer         Buffer
	Peer           Node
	Offset, Length int
	Blocks, Stride int // Blocks 0 means 1; Stride may be negative
}

// Runs is the number of runs, at least 1.
func (m Move) Runs() int { return max(1, m.Blocks) }

// Elements is the length of the message in elements.
func (m Move) Elements() int { return m.Runs() * m.Length }

// Phase is a series of rounds: in global round Start+i, 0 ≤ i < Rounds, the node makes Moves(i). The phases of a
// node may overlap. Unless Varies, every round has the same peers and actions, and lengths that are equal but for
// rounding (Check enforces it), so that one round stands for all when a program is priced.
//
// The rounds are global: the j-th send of a pair in a round matches its j-th receive. What is sent is what was
// held when the round began; arrivals apply in the order of the list when the round ends. Moves without elements
// are skipped at both ends. Nobody waits for a round as such: only for the messages it needs.
type Phase struct {
	Start, Rounds int
	Varies        bool
	Moves         func(i int) []Move
}

// Steps merges a node's phases into its rounds, in order. Rounds without moves are left out, as are moves without
// elements. The slice is reused: copy what has to outlive the step.
func Steps(phases []Phase) iter.Seq2[int, []Move] {
	return func(yield func(round int, moves []Move) bool) {
		var cuts []int
		for _, p := range phases {
			cuts = append(cuts, p.Start, p.Start+p.Rounds)
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		var active []Phase
		var step []Move
		for c := 0; c+1 < len(cuts); c++ {
			active = active[:0]
			for _, p := range phases {
				if p.Start <= cuts[c] && cuts[c] < p.Start+p.Rounds {
					active = append(active, p)
				}
			}
			for t := cuts[c]; t < cuts[c+1] && len(active) > 0; t++ {
				step = step[:0]
				for _, p := range active {
					for _, m := range p.Moves(t - p.Start) {
						if m.Elements() > 0 {
							step = append(step, m)
						}
					}
				}
				if len(step) > 0 && !yield(t, step) {
					return
				}
			}
		}
	}
}

// Once is a phase of one round.
func Once(round int, moves ...Move) Phase {
	return Phase{Start: round, Rounds: 1, Moves: func(int) []Move { return moves }}
}

// Shift starts a program so many rounds later.
func Shift(phases []Phase, rounds int) []Phase {
	shifted := slices.Clone(phases)
	for i := range shifted {
		shifted[i].Start += rounds
	}
	return shifted
}

// Within embeds the program of a group in a larger one: peers are renamed and offsets into Data moved by base.
func Within(phases []Phase, name func(Node) Node, base int) []Phase {
	return each(phases, func(m Move) Move {
		m.Peer = name(m.Peer)
		if m.Buffer == Data {
			m.Offset += base
		}
		return m
	})
}

// Reverse runs the program of node me backwards over so many rounds, with sends and receives exchanged: all-gather
// becomes reduce-scatter, broadcast becomes reduce.
func Reverse(phases []Phase, me Node, rounds int) []Phase {
	reversed := each(phases, func(m Move) Move {
		switch {
		case m.Action != Send:
			m.Action = Send
		case m.Peer == me:
			m.Action = Receive
		default:
			m.Action = Accumulate
		}
		return m
	})
	for i, p := range phases {
		forward := reversed[i].Moves
		reversed[i].Start = rounds - p.Start - p.Rounds
		reversed[i].Moves = func(r int) []Move { return forward(p.Rounds - 1 - r) }
	}
	return reversed
}

func each(phases []Phase, change func(Move) Move) []Phase {
	changed := slices.Clone(phases)
	for i, p := range phases {
		changed[i].Moves = func(r int) []Move {
			moves := slices.Clone(p.Moves(r))
			for j := range moves {
				moves[j] = change(moves[j])
			}
			return moves
		}
	}
	return changed
}
