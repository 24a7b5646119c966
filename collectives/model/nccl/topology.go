package nccl

import (
	"fmt"
	"slices"
	"strings"
)

// Topology is a kind of node as NCCL sees it: the graphs that its search (src/graph/search.cc) finds on one node and
// between several.
type Topology struct {
	Name         string       `json:"name"`
	About        string       `json:"about"`
	Architecture Architecture `json:"architecture"`
	CPU          Processor    `json:"cpu"`
	GPUs         int          `json:"gpus"`               // of a node
	NoLL128      bool         `json:"no_ll128,omitempty"` // a path on which NCCL doesn't trust LL128: no NVLink, or a NIC behind the CPU
	NICLatency   float64      `json:"nic_latency"`        // microseconds that the network plugin adds to a step; InfiniBand: 0
	Graphs       []Graphs     `json:"graphs"`             // of those that fit, the last counts
}

// Graphs are the graphs of the algorithms. PAT uses the tree's, NVLSTree that of NVLS.
type Graphs struct {
	Since        int    `json:"since"`         // the first minor version whose search finds these
	SeveralNodes bool   `json:"several_nodes"` // or one node alone
	SameChannels bool   `json:"same_channels"` // every channel of the ring has the same order
	Ring         Graph  `json:"ring"`
	Tree         Graph  `json:"tree"`
	NVLS         Graph  `json:"nvls"` // no channels: there is no NVLS
	Source       string `json:"source"`
}

// Graph is what the search found for one algorithm.
type Graph struct {
	Channels int     `json:"channels"`
	Intra    float64 `json:"intra"` // GB/s of a channel within a node
	Inter    float64 `json:"inter"` // GB/s of a channel between nodes
}

// MachineNames lists the topologies that come with the program.
func MachineNames() []string { return []string{"v100", "a100", "h100", "b200"} }

// Machine returns a topology that comes with the program; the error lists those there are.
func Machine(name string) (Topology, error) {
	if !slices.Contains(MachineNames(), name) {
		return Topology{}, fmt.Errorf("unknown NCCL machine %q: want one of %s or a JSON file", name, strings.Join(MachineNames(), ", "))
	}
	data, err := files.ReadFile("machines/" + name + ".json")
	if err != nil {
		return Topology{}, err
	}
	return ParseTopology(data)
}

// ParseTopology reads a topology. An error says at which key it is wrong.
func ParseTopology(data []byte) (t Topology, err error) {
	if err := decode(data, &t); err != nil {
		return t, err
	}
	if !slices.Contains([]Architecture{Volta, Ampere, Hopper, Blackwell}, t.Architecture) {
		return t, fmt.Errorf("architecture: %q: want volta, ampere, hopper or blackwell", t.Architecture)
	}
	if !slices.Contains([]Processor{Intel, AMD, Other}, t.CPU) {
		return t, fmt.Errorf("cpu: %q: want intel, amd or other", t.CPU)
	}
	if t.GPUs < 1 {
		return t, fmt.Errorf("gpus: %d: want 1 or more", t.GPUs)
	}
	if !(t.NICLatency >= 0) {
		return t, fmt.Errorf("nic_latency: %g: want 0 µs or more", t.NICLatency)
	}
	if len(t.Graphs) == 0 {
		return t, fmt.Errorf("graphs: none: want those of one node, of several, or of both")
	}
	for i, g := range t.Graphs {
		if err := g.check(); err != nil {
			return t, fmt.Errorf("graphs[%d].%w", i, err)
		}
	}
	return t, nil
}

func (g Graphs) check() error {
	for _, one := range []struct {
		name     string
		graph    Graph
		optional bool
	}{{"ring", g.Ring, false}, {"tree", g.Tree, false}, {"nvls", g.NVLS, true}} {
		c := one.graph
		switch {
		case one.optional && c == Graph{}:
		case c.Channels < 1:
			return fmt.Errorf("%s.channels: %d: want 1 or more", one.name, c.Channels)
		case !(c.Intra > 0):
			return fmt.Errorf("%s.intra: %g: want GB/s above 0", one.name, c.Intra)
		case !(c.Inter > 0):
			return fmt.Errorf("%s.inter: %g: want GB/s above 0", one.name, c.Inter)
		}
	}
	return nil
}

// graphs are those that a version finds.
func (t Topology) graphs(minor int, several bool) (found Graphs, ok bool) {
	for _, g := range t.Graphs {
		if g.SeveralNodes == several && g.Since <= minor {
			found, ok = g, true
		}
	}
	return found, ok
}
