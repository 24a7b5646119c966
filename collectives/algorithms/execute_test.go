package algorithms

import (
	"math/rand/v2"

	"collbench/collectives"
)

// script is every node's moves by round: a program taken apart, so that a test can plant an error in it.
type script [][][]move // node, round, move

func scriptOf(a collectives.Algorithm, s shape) (all script) {
	for v := range node(a.Nodes(s)) {
		var rounds [][]move
		for t, moves := range collectives.Steps(a.Program(s, v)) {
			for len(rounds) <= t {
				rounds = append(rounds, nil)
			}
			rounds[t] = append(rounds[t], moves...)
		}
		all = append(all, rounds)
	}
	return all
}

func (all script) clone() script {
	c := make(script, len(all))
	for v, rounds := range all {
		for _, moves := range rounds {
			c[v] = append(c[v], append([]move(nil), moves...))
		}
	}
	return c
}

// algorithm is one that follows the script for the shape that it was made of, whatever shape is asked for.
func (all script) algorithm(a collectives.Algorithm) collectives.Algorithm {
	a.Program = func(_ shape, me node) (program []phase) {
		for t, moves := range all[me] {
			if len(moves) > 0 {
				program = append(program, collectives.Once(t, moves...))
			}
		}
		return program
	}
	return a
}

// execute carries the script out on random words and says whether all messages matched and all results are right.
// It shares nothing with Check: what is undefined is a random word here, a reduction a sum, a set of contributors
// the sum of their inputs.
func execute(a collectives.Algorithm, s shape, all script, seed uint64) bool {
	random := rand.New(rand.NewPCG(seed, 1))
	words := func(n int) []uint64 {
		w := make([]uint64, n)
		for i := range w {
			w[i] = random.Uint64()
		}
		return w
	}
	inputs := make(map[[2]int]uint64) // by rank and place in the vector
	buffers := make([][2][]uint64, len(all))
	rounds := 0
	for v := range all {
		buffers[v] = [2][]uint64{words(s.Size()), words(a.ScratchSize(s))}
		rounds = max(rounds, len(all[v]))
		if v < s.Ranks {
			in, _ := collectives.Contract(s, v)
			for _, p := range in {
				for i := range p.Length {
					inputs[[2]int{v, p.Index + i}] = buffers[v][0][p.Offset+i]
				}
			}
		}
	}
	for t := range rounds {
		if !executeRound(all, buffers, t) {
			return false
		}
	}
	for r := range s.Ranks {
		_, out := collectives.Contract(s, r)
		for _, p := range out {
			for i := range p.Length {
				want := inputs[[2]int{p.From, p.Index + i}]
				for from := 0; p.From == collectives.AllRanks && from < s.Ranks; from++ {
					want += inputs[[2]int{from, p.Index + i}]
				}
				if buffers[r][0][p.Offset+i] != want {
					return false
				}
			}
		}
	}
	return true
}

func executeRound(all script, buffers [][2][]uint64, t int) bool {
	type message struct {
		from, to node
		words    []uint64
	}
	var wire []message
	for _, sending := range []bool{true, false} {
		for v, rounds := range all {
			if t >= len(rounds) {
				continue
			}
			for _, m := range rounds[t] {
				at := places(m, len(buffers[v][m.Buffer]))
				if at == nil {
					return false
				}
				if sending != (m.Action == send) {
					continue
				}
				buffer := buffers[v][m.Buffer]
				if sending {
					words := make([]uint64, len(at))
					for i, j := range at {
						words[i] = buffer[j]
					}
					wire = append(wire, message{node(v), m.Peer, words})
					continue
				}
				found := false
				for k, w := range wire {
					if found = w.from == m.Peer && w.to == node(v); !found {
						continue
					}
					if len(w.words) != len(at) {
						return false
					}
					for i, j := range at {
						if m.Action == receive {
							buffer[j] = 0
						}
						buffer[j] += w.words[i]
					}
					wire = append(wire[:k], wire[k+1:]...)
					break
				}
				if !found {
					return false
				}
			}
		}
	}
	return len(wire) == 0
}

// places lists the elements of a move; nil means that one lies outside the buffer.
func places(m move, size int) []int {
	at := []int{}
	for b := range m.Runs() {
		for i := range m.Length {
			j := m.Offset + b*m.Stride + i
			if j < 0 || j >= size {
				return nil
			}
			at = append(at, j)
		}
	}
	return at
}
