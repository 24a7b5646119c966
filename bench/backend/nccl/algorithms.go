package nccl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/cgo/nccl"
	"collbench/collectives"
)

// This file is the list of what NCCL can be told: algorithms by the names that collbench has for them, and variants.

// algorithm is one that NCCL can be told to use.
type algorithm struct {
	name  string
	token string   // in NCCL_ALGO
	proof []string // what NCCL calls what may run then
	// has is the first version that has it, by collective (src/graph/tuning.cc, ncclTopoTuneModel).
	has      map[collectives.Collective]nccl.Version
	settings []string // besides NCCL_ALGO
	limit    func(bench.Case) error
}

const (
	v2_18 = nccl.Version(21800)
	v2_19 = nccl.Version(21900)
	v2_21 = nccl.Version(22100)
	v2_23 = nccl.Version(22300) // profiler plugin, PAT
	v2_24 = nccl.Version(22400) // NCCL_ALGO by function, no silent fallback
)

// collNet has NCCL use a CollNet plugin, such as that of HPC-X for SHARP, from two nodes on.
var collNet = []string{"NCCL_COLLNET_ENABLE=1", "NCCL_COLLNET_NODE_THRESHOLD=2"}

var algorithms = []algorithm{
	{name: "ring", token: "Ring", proof: []string{"RING"}, has: map[collectives.Collective]nccl.Version{
		collectives.AllReduce: v2_18, collectives.AllGather: v2_18, collectives.ReduceScatter: v2_18, collectives.Broadcast: v2_18, collectives.Reduce: v2_18,
	}},
	{name: "tree", token: "Tree", proof: []string{"TREE"}, has: map[collectives.Collective]nccl.Version{collectives.AllReduce: v2_18}},
	{name: "nvls", token: "NVLS", proof: []string{"NVLS"}, limit: all(oneHost, multicast), has: map[collectives.Collective]nccl.Version{
		collectives.AllReduce: v2_18, collectives.AllGather: v2_19, collectives.ReduceScatter: v2_19,
	}},
	{name: "nvlstree", token: "NVLSTree", proof: []string{"NVLS_TREE"}, limit: all(severalHosts, multicast), has: map[collectives.Collective]nccl.Version{
		collectives.AllReduce: v2_18,
	}},
	{name: "pat", token: "PAT", proof: []string{"PAT"}, has: map[collectives.Collective]nccl.Version{collectives.AllGather: v2_23, collectives.ReduceScatter: v2_23}},
	{name: "sharp", token: "CollnetDirect,CollnetChain", proof: []string{"COLLNET_DIRECT", "COLLNET_CHAIN"}, settings: collNet, limit: all(severalHosts, sharpReduces),
		has: map[collectives.Collective]nccl.Version{collectives.AllReduce: v2_18, collectives.AllGather: v2_21, collectives.ReduceScatter: v2_21}},
	{name: "collnetdirect", token: "CollnetDirect", proof: []string{"COLLNET_DIRECT"}, settings: collNet, limit: all(severalHosts, sharpReduces),
		has: map[collectives.Collective]nccl.Version{collectives.AllReduce: v2_18, collectives.AllGather: v2_21, collectives.ReduceScatter: v2_21}},
	{name: "collnetchain", token: "CollnetChain", proof: []string{"COLLNET_CHAIN"}, settings: collNet, limit: all(severalHosts, sharpReduces),
		has: map[collectives.Collective]nccl.Version{collectives.AllReduce: v2_18}},
	{name: "nvls+sharp", token: "NVLS", proof: []string{"NVLS"}, settings: collNet, limit: all(severalHosts, multicast, sharpReduces), has: map[collectives.Collective]nccl.Version{
		collectives.AllReduce: v2_18,
	}},
}

// find is the algorithm of the case for the version; the error says why there is none.
func find(c bench.Case, version nccl.Version) (algorithm, error) {
	var names []string
	for _, a := range algorithms {
		since, ok := a.has[c.What.Collective]
		switch {
		case !ok:
			continue
		case a.name != c.What.Algorithm:
			names = append(names, a.name)
			continue
		case version < since:
			return a, fmt.Errorf("%s by %s came with NCCL %d.%d; this is %s", c.What.Collective, a.name, since/10000, since/100%100, version)
		case a.limit == nil:
			return a, nil
		}
		return a, a.limit(c)
	}
	if names == nil {
		return algorithm{}, fmt.Errorf("%s is made of sends and receives in NCCL, and has no algorithm to choose: want auto", c.What.Collective)
	}
	return algorithm{}, fmt.Errorf("NCCL cannot be told to use %s for %s: want auto, %s", c.What.Algorithm, c.What.Collective, strings.Join(names, ", "))
}

// environment is how the version is told to use the algorithm for the collective. From 2.24 on that leaves the functions
// alone that are not measured, and what cannot be done is refused; before, ring ran instead without a word.
func (a algorithm) environment(c collectives.Collective, version nccl.Version) []string {
	value := a.token
	if version >= v2_24 {
		value = strings.ToLower(functions[c]) + ":" + a.token
	}
	return append([]string{"NCCL_ALGO=" + value}, a.settings...)
}

// functions are NCCL's names of the collectives that have algorithms.
var functions = map[collectives.Collective]string{
	collectives.AllReduce: "AllReduce", collectives.AllGather: "AllGather", collectives.ReduceScatter: "ReduceScatter",
	collectives.Broadcast: "Broadcast", collectives.Reduce: "Reduce",
}

func all(limits ...func(bench.Case) error) func(bench.Case) error {
	return func(c bench.Case) error {
		for _, limit := range limits {
			if err := limit(c); err != nil {
				return err
			}
		}
		return nil
	}
}

func oneHost(c bench.Case) error {
	if c.Where.Hosts > 1 {
		return fmt.Errorf("nvls joins the GPUs of one NVLink domain: across %d hosts NCCL needs nvlstree or nvls+sharp", c.Where.Hosts)
	}
	return nil
}

func severalHosts(c bench.Case) error {
	if c.Where.Hosts < 2 {
		return fmt.Errorf("%s needs two hosts at least: on one NCCL has it switched off", c.What.Algorithm)
	}
	return nil
}

// multicast is what NVLink SHARP can reduce (ncclNvlsSupported in src/include/device.h): float32 and float64 only by sum.
func multicast(c bench.Case) error {
	d, op := c.What.DataType, c.What.Reduction
	extreme := op == collectives.Min || op == collectives.Max
	wide := d == collectives.Float32 || d == collectives.Float64
	switch {
	case !c.What.Reduces():
		return nil
	case d.Size() == 1:
		return fmt.Errorf("NVLink SHARP does not reduce %s", d)
	case op == collectives.Sum, extreme && !wide:
		return nil
	}
	return fmt.Errorf("NVLink SHARP has no %s of %s", op, d)
}

func sharpReduces(c bench.Case) error {
	if op := c.What.Reduction; c.What.Reduces() && op != collectives.Sum && op != collectives.Min && op != collectives.Max {
		return fmt.Errorf("SHARP has no %s: want sum, min or max", op)
	}
	return nil
}

// variant is a set of settings besides the algorithm. Several may be joined by ";".
type variant struct {
	name, summary string
	settings      []string
	protocol      string // that has to be seen
	graph         bool   // operations are launched as a CUDA graph
	hostClock     bool   // timed by the host's clock instead of CUDA events
	windows       bool   // buffers are symmetric windows
}

var variants = []variant{
	{name: "proto=ll", summary: "protocol LL", settings: []string{"NCCL_PROTO=LL"}, protocol: "LL"},
	{name: "proto=ll128", summary: "protocol LL128", settings: []string{"NCCL_PROTO=LL128"}, protocol: "LL128"},
	{name: "proto=simple", summary: "protocol Simple", settings: []string{"NCCL_PROTO=Simple"}, protocol: "SIMPLE"},
	{name: "gdr=off", summary: "without GPUDirect RDMA", settings: []string{"NCCL_NET_GDR_LEVEL=LOC"}},
	{name: "nic=only", summary: "without NVLink, PCI peer-to-peer and shared memory", settings: []string{"NCCL_P2P_DISABLE=1", "NCCL_SHM_DISABLE=1", "NCCL_NVLS_ENABLE=0"}},
	{name: "graph", summary: "launched as a CUDA graph", graph: true},
	{name: "clock=host", summary: "timed by the host's clock instead of CUDA events", hostClock: true},
	{name: "windows", summary: "buffers are symmetric windows (2.27)", windows: true},
}

// findVariants reads a variant's text.
func findVariants(text string) (joined variant, err error) {
	for name := range strings.SplitSeq(text, ";") {
		if name == "" {
			continue
		}
		i := slices.IndexFunc(variants, func(v variant) bool { return v.name == name })
		if i < 0 {
			var names []string
			for _, v := range variants {
				names = append(names, v.name)
			}
			return joined, fmt.Errorf("the nccl backend has no variant %q: want default, %s, or settings such as NCCL_MAX_CTAS=8", name, strings.Join(names, ", "))
		}
		v := variants[i]
		if v.protocol != "" && joined.protocol != "" {
			return joined, errors.New("two protocols at once")
		}
		joined.settings = append(joined.settings, v.settings...)
		joined.protocol += v.protocol
		joined.graph, joined.hostClock, joined.windows = joined.graph || v.graph, joined.hostClock || v.hostClock, joined.windows || v.windows
	}
	return joined, nil
}
