package algorithms

import "collbench/collectives"

// nvlsTree is NVLink SHARP in each domain and a double binary tree per rail between them.
var nvlsTree = collectives.Algorithm{
	Name: "nvlstree",
	Summary: "NVLink SHARP over the g ranks of a domain, then each rank's slice through a double binary tree over the k " +
		"domains, in c chunks; 3+2⌈log2 k⌉+c rounds, S(g+1)/g bytes in the domain, at most 2S/g between domains (NCCL)",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Pipelined:   []collectives.Collective{collectives.AllReduce},
	Refuses:     wholeDomains,
	Switches:    domains,
	Place:       nvSwitch,
	Program: func(s shape, me node) []phase {
		k := domains(s)
		d, l := inWhichDomain(s, me)
		program := nvlsAround(s, d, l, doubleTreeRounds(k))
		if l < s.Local {
			across := doubleTree(k, node(d), streamed(s).slice(l, s.Local))
			program = append(program, collectives.Shift(collectives.Within(across, inRail(s, l), 0), 2)...)
		}
		return program
	},
}
