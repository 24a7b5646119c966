package nccl

import (
	"fmt"
	"math/bits"

	"collbench/collectives"
)

// Tuning is what a communicator of NCCL knows when it chooses an algorithm.
type Tuning struct {
	Table    Table
	Topology Topology
	Graphs   Graphs
	Ranks    int // 2 or more
	Nodes    int // of Topology.GPUs ranks each

	minor    int
	dataType collectives.DataType
}

// New prepares the model for a number of ranks that fill nodes. The version is one such as "2.27". An error says which
// number of ranks, version or machine NCCL's tables don't cover.
func New(version string, t Topology, ranks int, d collectives.DataType) (Tuning, error) {
	table, minor, err := FindTable(version)
	if err != nil {
		return Tuning{}, err
	}
	if ranks < 2 {
		return Tuning{}, fmt.Errorf("%d ranks: NCCL chooses an algorithm for 2 or more", ranks)
	}
	if ranks%t.GPUs != 0 {
		return Tuning{}, fmt.Errorf("%d ranks don't fill nodes of %d GPUs, for which the graphs of %s are", ranks, t.GPUs, t.Name)
	}
	nodes := ranks / t.GPUs
	if _, ok := table.Tree[t.Architecture]; !ok {
		return Tuning{}, fmt.Errorf("NCCL %s has no constants for %s, the architecture of %s", version, t.Architecture, t.Name)
	}
	graphs, ok := t.graphs(minor, nodes > 1)
	if !ok {
		return Tuning{}, fmt.Errorf("%s has no graphs of NCCL %s for %d nodes of %d GPUs", t.Name, version, nodes, t.GPUs)
	}
	return Tuning{Table: table, Topology: t, Graphs: graphs, Ranks: ranks, Nodes: nodes, minor: minor, dataType: d}, nil
}

// Supports says whether NCCL's model covers a collective.
func Supports(c collectives.Collective) error {
	switch c {
	case collectives.AllReduce, collectives.AllGather, collectives.ReduceScatter, collectives.Broadcast, collectives.Reduce:
		return nil
	}
	return fmt.Errorf("%s: NCCL's model prices all_reduce, all_gather, reduce_scatter, broadcast and reduce; the others are made of sends and receives, which it doesn't price", c)
}

// offers says whether NCCL considers an algorithm and protocol for a collective.
func (t Tuning) offers(c collectives.Collective, a Algorithm, p Protocol) bool {
	if p == LL128 && t.Topology.NoLL128 {
		return false
	}
	halves := c == collectives.AllGather || c == collectives.ReduceScatter
	switch a {
	case Ring:
		return true
	case Tree:
		return c == collectives.AllReduce
	case NVLS: // between nodes it needs CollNet
		return p == Simple && t.Nodes == 1 && t.hasNVLS(c) && (c == collectives.AllReduce || halves && t.minor >= 19)
	case NVLSTree:
		return p == Simple && t.Nodes > 1 && t.hasNVLS(c) && c == collectives.AllReduce
	default: // PAT needs nodes of one rank
		return p == Simple && t.Nodes == t.Ranks && halves && t.minor >= 23
	}
}

// hasNVLS says whether the switch can carry out the collective on the data type (ncclNvlsSupported in
// src/include/device.h, for sums): a switch that only copies takes any.
func (t Tuning) hasNVLS(c collectives.Collective) bool {
	eightBits := t.dataType == collectives.Int8 || t.dataType == collectives.Uint8
	atLeast := 1
	if t.minor >= 28 {
		atLeast = 2
	}
	return t.Graphs.NVLS.Channels >= atLeast && (c == collectives.AllGather || !eightBits)
}

// column is the place of a number of nodes in the tables of bandwidths.
func (t Tuning) column() int { return min(t.Nodes, 3) - 1 }

// perNode is the number of ranks of a node.
func (t Tuning) perNode() float64 { return float64(t.Topology.GPUs) }

// steps are those of a ring.
func (t Tuning) steps(c collectives.Collective) int {
	switch c {
	case collectives.AllReduce:
		return 2 * (t.Ranks - 1)
	case collectives.AllGather, collectives.ReduceScatter:
		return t.Ranks - 1
	}
	return t.Ranks
}

// bus is the bandwidth of all channels of a graph: two nodes count as one for a ring or tree, since it then crosses
// each NIC once only.
func (t Tuning) bus(g Graph) float64 {
	if t.Nodes <= 2 {
		return float64(g.Channels) * g.Intra
	}
	return float64(g.Channels) * g.Inter
}

// llMax is the most that the LL protocol reaches: by GPU on one node, by CPU between several.
func (t Tuning) llMax() float64 {
	row := t.Topology.Architecture
	if t.Nodes > 1 {
		row = Volta
		if t.Topology.CPU == AMD {
			row = Ampere
		}
	}
	return t.Table.LLMax[row][t.column()]
}

// bandwidth is the algorithm bandwidth in GB/s, as ncclTopoTuneModel computes it.
func (t Tuning) bandwidth(c collectives.Collective, a Algorithm, p Protocol) float64 {
	switch a {
	case Ring:
		return t.ringBus(c, p) * float64(t.Ranks) / float64(t.steps(c))
	case Tree:
		return t.treeBus(p) * 0.5
	case NVLS:
		return t.nvls(c)
	case NVLSTree:
		return t.nvlsTree()
	default:
		if t.minor == 23 {
			return t.bus(t.Graphs.Tree) * 0.85
		}
		return t.bus(t.Graphs.Tree) * 0.75
	}
}

func (t Tuning) ringBus(c collectives.Collective, p Protocol) float64 {
	bus := t.bus(t.Graphs.Ring)
	switch p {
	case LL:
		share := 0.5
		if t.minor <= 20 { // half of the bytes are flags, and more was taken off until 2.20
			share = 1.0 / 3
			if t.Nodes > 1 || c == collectives.AllReduce || c == collectives.Reduce {
				share = 1.0 / 4
			}
		}
		return min(t.llMax(), bus*share)
	case LL128:
		share := 0.92
		if t.minor <= 22 && t.perNode() < 2 {
			share = 0.7
		}
		return min(bus*share, float64(t.Graphs.Ring.Channels)*t.Table.RingLL128[t.Topology.Architecture][t.column()])
	}
	return bus
}

func (t Tuning) treeBus(p Protocol) float64 {
	channels := float64(t.Graphs.Tree.Channels)
	bus := min(t.bus(t.Graphs.Tree)*0.92, channels*t.Table.Tree[t.Topology.Architecture][t.column()])
	switch p {
	case LL:
		bus = min(bus/3.8, t.llMax())
	case LL128:
		share := 120.0 / 128
		if t.Nodes == 1 {
			share = 7.0 / 9
		}
		bus = min(bus*share, channels*t.Table.TreeLL128[t.Topology.Architecture][t.column()])
	}
	if t.Topology.GPUs == 1 { // a node's one GPU is parent and child at its NIC: NCCL_TOPO_PATTERN_TREE
		bus *= 0.85
	}
	return bus
}

// nvls is the algorithm bandwidth of NVLS on one node.
func (t Tuning) nvls(c collectives.Collective) float64 {
	g, share := t.Graphs.NVLS, (t.perNode()-1)/t.perNode()
	channels := float64(g.Channels)
	reduces := c == collectives.AllReduce
	switch {
	case t.minor == 18:
		return channels * g.Intra * 5 / 6
	case t.minor <= 22 || t.minor <= 27 && reduces:
		return channels * min(g.Intra, g.Inter) * 5 / 6
	case t.minor <= 26:
		return channels * min(g.Intra, g.Inter)
	case t.minor == 27:
		return channels * min(g.Intra*share, g.Inter*0.9)
	case reduces: // the two operations overlap
		return channels * min(2*t.nvlsChannel(), g.Inter) * float64(t.Ranks) / float64(t.steps(c))
	}
	return channels * min(t.nvlsChannel()*share, g.Inter)
}

// nvlsChannel is what a channel of NVLS carries within a node, from 2.28 on.
func (t Tuning) nvlsChannel() float64 {
	g := t.Graphs.NVLS
	return g.Intra * t.Table.NVLSEfficiency[t.Topology.Architecture] * float64(g.Channels-1) / float64(g.Channels)
}

// nvlsTree is the algorithm bandwidth of an all-reduce by NVLSTree.
func (t Tuning) nvlsTree() float64 {
	g := t.Graphs.NVLS
	channels, nodes := float64(g.Channels), float64(t.Nodes)
	switch {
	case t.minor == 18:
		return t.bus(g) * 0.7 * nodes / (2 * (nodes - 1))
	case t.minor <= 27 && t.Nodes <= 2:
		return channels * min(g.Intra, g.Inter) * 5 / 6
	case t.minor <= 27:
		return channels * min(g.Intra, g.Inter/2) * 5 / 6
	}
	inter := g.Inter
	if t.Nodes <= 2 {
		inter *= 2
	}
	most := t.Table.NVLSTree[t.Topology.Architecture][t.column()]
	return channels * min(2*t.nvlsChannel(), inter, most) * float64(t.Ranks) / float64(t.steps(collectives.AllReduce))
}

// latency is that of one operation in microseconds, as ncclTopoTuneModel computes it.
func (t Tuning) latency(c collectives.Collective, a Algorithm, p Protocol) float64 {
	base, within := t.Table.Base[a][p], t.Table.NVLink[a][p]
	between := t.Table.Network[a][p]
	if t.minor >= 23 && t.Topology.GPUs == 1 { // nothing hides the network's latency
		between = t.Table.Network[Tree][p]
	}
	between += t.Topology.NICLatency
	if p == Simple { // and that of the flush
		between += t.Topology.NICLatency
	}
	hops := float64(log2(int64(t.Nodes)))
	switch a {
	case Ring:
		return base + t.ringLatency(c, p, within, between)
	case Tree:
		return base + 2*((t.perNode()-1)*within+hops*between)
	case NVLS:
		if t.minor == 18 {
			return base
		}
		return within
	case NVLSTree:
		if t.minor == 18 {
			return base + 2*float64(t.Nodes-1)*t.Table.Network[a][p]
		}
		return base + within + 2*hops*between
	default:
		return base + hops*between/3.5 + float64(t.Ranks)*2.8
	}
}

func (t Tuning) ringLatency(c collectives.Collective, p Protocol, within, between float64) float64 {
	steps := t.steps(c)
	if c == collectives.Broadcast || c == collectives.Reduce {
		hop := t.Table.NVLink
		if t.Nodes > 1 {
			hop = t.Table.Network
		}
		switch {
		case t.Graphs.SameChannels:
			return hop[Ring][p]
		case p == Simple: // a chunk takes longer
			return float64(steps) * hop[Tree][p]
		}
		return float64(steps) * hop[Ring][p]
	}
	if t.Nodes == 1 {
		return float64(steps) * within
	}
	crossings := t.Nodes - 1
	if c == collectives.AllReduce {
		crossings = 2 * (t.Nodes - 1)
		if t.minor <= 22 {
			crossings = 2 * t.Nodes
		}
	}
	return float64(steps-crossings)*max(within, t.posting(p)) + float64(crossings)*between
}

// posting is what a ring between nodes spends on the network in each step, in microseconds.
func (t Tuning) posting(p Protocol) float64 {
	overhead := 1.0
	if t.Topology.CPU == AMD {
		overhead = 2
	}
	if p == Simple {
		overhead *= 3
	}
	return overhead
}

// log2 is the whole part of the logarithm; of 0 it is 0.
func log2(n int64) int { return max(0, bits.Len64(uint64(n))-1) }
