package algorithms

import (
	"fmt"

	"collbench/collectives"
)

// hierarchical reduces within a domain before it uses the network between domains.
var hierarchical = collectives.Algorithm{
	Name: "hierarchical",
	Summary: "rings: reduce-scatter over the g ranks of a domain, all-reduce of each slice over the k domains, all-gather in " +
		"the domain; 2(g−1)+2(k−1) rounds, 2S(g−1)/g bytes in the domain, 2(S/g)(k−1)/k between domains",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Refuses:     wholeDomains,
	Program: func(s shape, me node) []phase {
		g, k := s.Local, domains(s)
		d, l := int(me)/g, int(me)%g
		reduce := collectives.Within(ringReduce(g, node(l), whole(s)), inDomain(s, d), 0)
		across := collectives.Within(ringBoth(k, node(d), whole(s).part(l, g)), inRail(s, l), 0)
		gather := collectives.Within(ringGather(g, node(l), whole(s)), inDomain(s, d), 0)
		program := append(reduce, collectives.Shift(across, g-1)...)
		return append(program, collectives.Shift(gather, g-1+2*(k-1))...)
	},
}

// wholeDomains refuses ranks that do not fill their domains.
func wholeDomains(s shape) error {
	if s.Ranks%s.Local != 0 {
		return fmt.Errorf("%d ranks do not fill domains of %d", s.Ranks, s.Local)
	}
	return nil
}

// domains is the number of domains, where they are full.
func domains(s shape) int { return s.Ranks / s.Local }

// inDomain names member l of domain d, and after the members the domain's switch.
func inDomain(s shape, d int) func(node) node {
	return func(member node) node {
		if int(member) == s.Local {
			return node(s.Ranks + d)
		}
		return node(d*s.Local) + member
	}
}

// inRail names the ranks that are number l in their domains, by the domain.
func inRail(s shape, l int) func(node) node {
	return func(member node) node { return member*node(s.Local) + node(l) }
}
