package algorithms

import "collbench/collectives"

// nvlsSharp is NVLink SHARP in each domain and a SHARP tree per rail between them.
var nvlsSharp = collectives.Algorithm{
	Name: "nvls+sharp",
	Summary: "NVLink SHARP over the g ranks of a domain, then each rank's slice through a SHARP tree over the k domains, in c " +
		"chunks; 3+2⌈log_R k⌉+c rounds, S(g+1)/g bytes in the domain, S/g between domains (NCCL's CollNet/NVLS)",
	Collectives: []collectives.Collective{collectives.AllReduce},
	Pipelined:   []collectives.Collective{collectives.AllReduce},
	Refuses:     wholeDomains,
	Switches: func(s shape) int {
		return domains(s) + s.Local*treeSwitches(domains(s), s.Radix)
	},
	Place: func(s shape, v node) (level, index int) {
		k := domains(s)
		if w := int(v) - s.Ranks; w < k {
			return 0, w
		}
		rail, member := railSwitch(s, v)
		level, index = treePlace(k, s.Radix, int(member))
		return level, index*s.Local + rail
	},
	Program: func(s shape, me node) []phase {
		k := domains(s)
		if int(me) >= s.Ranks+k {
			rail, member := railSwitch(s, me)
			return railTree(s, rail, member)
		}
		d, l := inWhichDomain(s, me)
		program := nvlsAround(s, d, l, aggregationRounds(k, s.Radix))
		if l < s.Local {
			program = append(program, railTree(s, l, node(d))...)
		}
		return program
	},
}

// inWhichDomain is a rank's or NVSwitch's domain and its place there, which is after the ranks for the switch.
func inWhichDomain(s shape, me node) (domain, member int) {
	if int(me) >= s.Ranks {
		return int(me) - s.Ranks, s.Local
	}
	return int(me) / s.Local, int(me) % s.Local
}

// nvlsAround is member l's part of the NVLink SHARP all-reduce in domain d, with so many rounds between its halves in
// which the network reduces each chunk's slices across domains.
func nvlsAround(s shape, d, l, between int) []phase {
	v := vectorSlices(streamed(s), s.Local)
	program := append(nvlsReduce(s.Local, node(l), v), collectives.Shift(nvlsGather(s.Local, node(l), v), 2+between)...)
	return collectives.Within(program, inDomain(s, d), 0)
}

// railSwitch is the rail that an aggregation switch serves and its number among the nodes of that rail's tree. The
// trees' switches are numbered rail by rail after the NVSwitches.
func railSwitch(s shape, v node) (rail int, member node) {
	k := domains(s)
	each := treeSwitches(k, s.Radix)
	w := int(v) - s.Ranks - k
	return w / each, node(k + w%each)
}

// railTree is a node's program in the tree of rail l, whose chunks are the slices of its ranks.
func railTree(s shape, l int, member node) []phase {
	k := domains(s)
	each := treeSwitches(k, s.Radix)
	program := aggregation(k, s.Radix, member, streamed(s).slice(l, s.Local))
	return collectives.Shift(collectives.Within(program, func(member node) node {
		if int(member) < k {
			return inRail(s, l)(member)
		}
		return node(s.Ranks+l*each) + member
	}, 0), 2)
}
