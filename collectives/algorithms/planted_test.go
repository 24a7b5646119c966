package algorithms

import (
	"fmt"
	"slices"
	"testing"

	"collbench/collectives"
)

// plantedShapes are small, uneven, and such that every algorithm carries one of them out.
func plantedShapes(a collectives.Algorithm, c collectives.Collective) (shapes []shape) {
	ranks := []int{4, 6}
	if testing.Short() {
		ranks = ranks[:1]
	}
	for _, n := range ranks {
		s := shape{Collective: c, Ranks: n, Count: 13, Chunks: 2, Local: 2, Radix: 2}
		if c.Blocked() {
			s.Count = 3
		}
		if c.Rooted() {
			s.Root = 1
		}
		if a.Supports(s) == nil {
			shapes = append(shapes, s)
		}
	}
	return shapes
}

// site is a move of a script.
type site struct {
	node         node
	round, index int
}

func (all script) at(x site) *move { return &all[x.node][x.round][x.index] }

func (all script) sites() (sites []site) {
	for v := range all {
		for t := range all[v] {
			for i := range all[v][t] {
				sites = append(sites, site{node(v), t, i})
			}
		}
	}
	return sites
}

func (all script) remove(x site) {
	all[x.node][x.round] = slices.Delete(all[x.node][x.round], x.index, x.index+1)
}

// insert puts a move at the end of a round, which may be the first after the last.
func (all script) insert(v node, round int, m move) {
	if round == len(all[v]) {
		all[v] = append(all[v], nil)
	}
	all[v][round] = append(all[v][round], m)
}

// partner is the other end of a message. In the moves of a round the j-th send of a pair matches its j-th receive.
func (all script) partner(x site) site {
	m := *all.at(x)
	j := 0
	for _, other := range all[x.node][x.round][:x.index] {
		if other.Peer == m.Peer && (other.Action == send) == (m.Action == send) {
			j++
		}
	}
	for i, other := range all[m.Peer][x.round] {
		if other.Peer == x.node && (other.Action == send) != (m.Action == send) {
			if j == 0 {
				return site{m.Peer, x.round, i}
			}
			j--
		}
	}
	panic("a message without a partner")
}

// An error is planted at a site; false: there is nothing to plant.
type planted struct {
	name  string
	plant func(all script, x site) bool
}

// change plants an error in one move.
func change(f func(*move)) func(script, site) bool {
	return func(all script, x site) bool {
		f(all.at(x))
		return true
	}
}

// both plants the same error at both ends of a message.
func both(f func(*move)) func(script, site) bool {
	return func(all script, x site) bool {
		if all.at(x).Action != send {
			return false
		}
		other := all.at(all.partner(x))
		f(all.at(x))
		f(other)
		return true
	}
}

var singleErrors = []planted{
	{"peer", func(all script, x site) bool {
		all.at(x).Peer = (all.at(x).Peer + 1) % node(len(all))
		return len(all) > 1
	}},
	{"offset+1", change(func(m *move) { m.Offset++ })},
	{"offset-1", change(func(m *move) { m.Offset-- })},
	{"length+1", change(func(m *move) { m.Length++ })},
	{"length-1", change(func(m *move) { m.Length-- })},
	{"action+1", change(func(m *move) { m.Action = (m.Action + 1) % 3 })},
	{"action+2", change(func(m *move) { m.Action = (m.Action + 2) % 3 })},
	{"buffer", change(func(m *move) { m.Buffer = 1 - m.Buffer })},
	{"blocks+1", change(func(m *move) { m.Blocks = m.Runs() + 1 })},
	{"stride+1", func(all script, x site) bool { all.at(x).Stride++; return all.at(x).Runs() > 1 }},
	{"dropped", func(all script, x site) bool { all.remove(x); return true }},
	{"duplicated", func(all script, x site) bool { all.insert(x.node, x.round, *all.at(x)); return true }},
	{"a round later", func(all script, x site) bool {
		all.insert(x.node, x.round+1, *all.at(x))
		all.remove(x)
		return true
	}},
}

var coherentErrors = []planted{
	{"offset+1 at both ends", both(func(m *move) { m.Offset++ })},
	{"offset-1 at both ends", both(func(m *move) { m.Offset-- })},
	{"length-1 at both ends", both(func(m *move) { m.Length-- })},
	{"received otherwise", func(all script, x site) bool {
		if m := all.at(x); m.Action != send {
			m.Action = receive + accumulate - m.Action
			return true
		}
		return false
	}},
	{"dropped at both ends", func(all script, x site) bool {
		other := all.partner(x)
		if all.at(x).Action != send || other.node == x.node {
			return false
		}
		all.remove(x)
		all.remove(other)
		return true
	}},
	{"duplicated at both ends", func(all script, x site) bool {
		other := all.partner(x)
		all.insert(x.node, x.round, *all.at(x))
		all.insert(other.node, x.round, *all.at(other))
		return all.at(x).Action == send
	}},
	{"a round later at both ends", func(all script, x site) bool {
		other := all.partner(x)
		if all.at(x).Action != send || other.node == x.node {
			return false
		}
		all.insert(x.node, x.round+1, *all.at(x))
		all.insert(other.node, x.round+1, *all.at(other))
		all.remove(x)
		all.remove(other)
		return true
	}},
	{"received by another", func(all script, x site) bool {
		other := all.partner(x)
		third := (other.node + 1) % node(len(all))
		if all.at(x).Action != send || third == x.node || other.node == x.node || x.round >= len(all[third]) {
			return false
		}
		all.insert(third, x.round, *all.at(other))
		all.at(x).Peer = third
		all.remove(other)
		return true
	}},
}

// wholeErrors are planted in all nodes at once, at a round, which the site of node 0 stands for.
var wholeErrors = []planted{
	{"round left out", func(all script, x site) bool {
		for v := range all {
			if x.round < len(all[v]) {
				all[v][x.round] = nil
			}
		}
		return x.index == 0
	}},
	{"rounds swapped", func(all script, x site) bool {
		for v := range all {
			for len(all[v]) < x.round+2 {
				all[v] = append(all[v], nil)
			}
			all[v][x.round], all[v][x.round+1] = all[v][x.round+1], all[v][x.round]
		}
		return x.index == 0
	}},
	{"program of the next rank", func(all script, x site) bool {
		next := (x.node + 1) % node(len(all))
		all[x.node] = slices.Clone(all[next])
		return x.index == 0 && len(all) > 1
	}},
	{"no program", func(all script, x site) bool {
		all[x.node] = nil
		return x.index == 0
	}},
	{"no programs", func(all script, x site) bool {
		clear(all)
		return x.index == 0
	}},
}

// harmless lists the planted errors that Check lets pass, because they make another right program. Whatever passes
// is carried out on random words as well, so the list documents and does not excuse.
var harmless = []struct {
	errors, algorithms []string // no algorithms: all
	reason             string
}{
	{[]string{"rounds swapped", "a round later at both ends"}, nil,
		"nothing that is moved in the one round depends on the other, as with the rounds of an alltoall"},
	{[]string{"received by another"}, nil,
		"a partial sum takes another way to the rank where it would have arrived next, and is counted once"},
	{[]string{"program of the next rank"}, []string{"nvls", "sharp", "multicast"},
		"the leaves of a switch differ in nothing where their own slices are empty or there are none"},
	{[]string{"dropped at both ends", "length-1 at both ends", "offset+1 at both ends", "offset-1 at both ends"},
		[]string{"nvls", "nvls+sharp", "nvlstree", "scatter-allgather"},
		"what is sent is there already: the slices that a switch has reduced and that come back to it, the parts that a " +
			"ring brings to a rank that scattered them"},
	{[]string{"offset+1", "offset-1"}, []string{"nvls", "scatter-allgather"},
		"of elements that are equal, or that are overwritten by the right ones before anyone reads them"},
	{[]string{"buffer", "length-1 at both ends"}, []string{"pat", "bruck"},
		"rank 0 rotates by nothing, so its scratch and data buffers hold the same"},
}

// An error planted in any place of any program is found, or it is harmless: carried out on random words the program
// still gives the right results, and the reason is in the list.
func TestPlanted(t *testing.T) {
	for _, a := range All {
		for _, c := range a.Collectives {
			t.Run(fmt.Sprintf("%s/%s", c, a.Name), func(t *testing.T) {
				t.Parallel()
				missed := map[string]int{}
				total := 0
				for _, s := range plantedShapes(a, c) {
					total += plantAll(t, a, s, missed)
				}
				if total < 50 {
					t.Errorf("only %d errors planted", total)
				}
				for name, count := range missed {
					known := false
					for _, h := range harmless {
						known = known || slices.Contains(h.errors, name) && (h.algorithms == nil || slices.Contains(h.algorithms, a.Name))
					}
					if !known {
						t.Errorf("%d times harmless, and not known why: %s", count, name)
					}
				}
			})
		}
	}
}

func plantAll(t *testing.T, a collectives.Algorithm, s shape, missed map[string]int) (total int) {
	original := scriptOf(a, s)
	if err := collectives.Check(original.algorithm(a), s); err != nil {
		t.Fatal(err)
	}
	if !execute(a, s, original, 1) {
		t.Fatalf("%+v: executed with wrong results", s)
	}
	for _, x := range original.sites() {
		for _, e := range slices.Concat(singleErrors, coherentErrors, wholeErrors) {
			all := original.clone()
			if !e.plant(all, x) {
				continue
			}
			total++
			if collectives.Check(all.algorithm(a), s) != nil {
				continue
			}
			missed[e.name]++
			if !execute(a, s, all, 1) || !execute(a, s, all, 2) {
				t.Errorf("%+v: not found: %s at %+v", s, e.name, x)
			}
		}
	}
	return total
}
