package algorithms

import "collbench/collectives"

// sharp is aggregation by a tree of switches, as InfiniBand SHARP does it.
var sharp = collectives.Algorithm{
	Name: "sharp",
	Summary: "a tree of switches with R down ports, d = ⌈log_R N⌉ levels, reduces on the way up and multicasts on the way " +
		"down, in c chunks: 2d−1+c rounds, S bytes (Graham 2016, 2020)",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Pipelined:   []collectives.Collective{collectives.AllReduce},
	Switches:    func(s shape) int { return treeSwitches(s.Ranks, s.Radix) },
	Place:       func(s shape, v node) (level, index int) { return treePlace(s.Ranks, s.Radix, int(v)) },
	Program: func(s shape, me node) []phase {
		return aggregation(s.Ranks, s.Radix, me, streamed(s))
	},
}

// treeLevels is the number of nodes of each level of an aggregation tree: the members, then the switches level by
// level up to the one at the top. There is at least one switch.
func treeLevels(members, radix int) []int {
	levels := []int{members, ceil(members, radix)}
	for top := levels[1]; top > 1; {
		top = ceil(top, radix)
		levels = append(levels, top)
	}
	return levels
}

// treeSwitches is the number of switches of an aggregation tree.
func treeSwitches(members, radix int) (n int) {
	for _, l := range treeLevels(members, radix)[1:] {
		n += l
	}
	return n
}

// treePlace is the level of a node of an aggregation tree, members being level 0, and its place within the level.
func treePlace(members, radix, v int) (level, index int) {
	for _, n := range treeLevels(members, radix) {
		if v < n {
			break
		}
		v -= n
		level++
	}
	return level, v
}

// aggregationRounds is the number of rounds that one chunk takes up and down the tree.
func aggregationRounds(members, radix int) int { return 2 * (len(treeLevels(members, radix)) - 1) }

// aggregation is the all-reduce over members 0 … members−1 by the switches numbered after them, level by level.
func aggregation(members, radix int, me node, v stream) (program []phase) {
	levels := treeLevels(members, radix)
	depth := len(levels) - 1
	level, index := treePlace(members, radix, int(me))
	first := int(me) - index // first node of this level
	if level > 0 {
		below := first - levels[level-1]
		action := receive
		for child := index * radix; child < min((index+1)*radix, levels[level-1]); child++ {
			program = append(program, v.edge(level-1, action, node(below+child)), v.edge(2*depth-level, send, node(below+child)))
			action = accumulate
		}
	}
	if level < depth {
		up := node(first + levels[level] + index/radix)
		program = append(program, v.edge(level, send, up), v.edge(2*depth-level-1, receive, up))
	}
	return program
}
