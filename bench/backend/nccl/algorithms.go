package nccl

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
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
	windows  bool // it needs buffers that are symmetric windows
}

const (
	v2_18 = nccl.Version(21800)
	v2_19 = nccl.Version(21900)
	v2_21 = nccl.Version(22100)
	v2_23 = nccl.Version(22300) // profiler plugin, PAT
	v2_24 = nccl.Version(22400) // NCCL_ALGO by function, no silent fallback
	v2_27 = nccl.Version(22700)
	v2_29 = nccl.Version(22900) // broadcasts wait in a queue for all-gathers of unequal parts
)

// symmetricKernels take the place of the algorithms where both buffers lie in symmetric windows. NCCL_ALGO says nothing of
// them, and NCCL may still hold another kernel for faster: what ran is seen.
const symmetricKernels = "symmetric"

// loneBroadcast has a broadcast take the way of all other collectives. In the queue, out of which NCCL takes it where it
// is alone, it would lose the profiler's event; what runs is the same (ncclPrepareTasks in src/enqueue.cc).
const loneBroadcast = "NCCL_ALLGATHERV_ENABLE=0"

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
	{name: symmetricKernels, proof: []string{"symmetric"}, settings: []string{"NCCL_WIN_ENABLE=1"}, windows: true, limit: all(privateBuffers, symmetricReduces),
		has: map[collectives.Collective]nccl.Version{collectives.AllReduce: v2_27, collectives.AllGather: v2_27, collectives.ReduceScatter: v2_27}},
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
			return a, fmt.Errorf("%s by %s came with NCCL %s; this is %s", c.What.Collective, a.name, since.Release(), version)
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
	if a.token == "" {
		return slices.Clone(a.settings)
	}
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

// symmetricReduces is what symmetric kernels can reduce (ncclSymkImplemented in src/sym_kernels.cc).
func symmetricReduces(c bench.Case) error {
	d, op := c.What.DataType, c.What.Reduction
	if c.What.Reduces() && (op != collectives.Sum || !d.Floating() || d == collectives.Float64) {
		return fmt.Errorf("symmetric kernels have no %s of %s: want sum of floating-point numbers of 32 bits or less", op, d)
	}
	return nil
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
	limit         func(bench.Case) error
	since         nccl.Version
	// What shows that it was done: the protocol that the profiler plugin tells of, and what NCCL's log never says then.
	protocol string
	unseen   *regexp.Regexp
	// What the backend does by itself.
	graph     bool // operations are launched as a CUDA graph
	hostClock bool // timed by the host's clock instead of CUDA events
	allocated bool // buffers are memory of ncclMemAlloc
	windows   bool // buffers are symmetric windows
	group     int  // operations in a group; 0: no groups
}

// The lines are those of NCCL's connections (src/transport/{net,coll_net,p2p,shm}.cc), alike since 2.18.
var (
	direct     = regexp.MustCompile(`via (?:NET|COLLNET)/\S*/GDRDMA`)
	withoutNIC = regexp.MustCompile(`via (?:P2P|SHM)/\S+`)
)

// ofGroup is the beginning of the variant's name that has a number.
const ofGroup = "group="

var variants = []variant{
	{name: "proto=ll", summary: "protocol LL", settings: []string{"NCCL_PROTO=LL"}, protocol: "LL", limit: severalProtocols},
	{name: "proto=ll128", summary: "protocol LL128", settings: []string{"NCCL_PROTO=LL128"}, protocol: "LL128", limit: severalProtocols},
	{name: "proto=simple", summary: "protocol Simple", settings: []string{"NCCL_PROTO=Simple"}, protocol: "SIMPLE", limit: anyProtocol},
	{name: "gdr=off", summary: "without GPUDirect RDMA", settings: []string{"NCCL_NET_GDR_LEVEL=LOC"}, unseen: direct},
	{name: "nic=only", summary: "without NVLink, PCI peer-to-peer and shared memory", limit: withoutNVLink, unseen: withoutNIC,
		settings: []string{"NCCL_P2P_DISABLE=1", "NCCL_SHM_DISABLE=1", "NCCL_NVLS_ENABLE=0"}},
	{name: "memory=nccl", summary: "buffers of ncclMemAlloc, not registered", since: v2_19, allocated: true, limit: privateBuffers},
	{name: "windows", summary: "buffers are symmetric windows; algorithm symmetric has them too", since: v2_27, windows: true, limit: privateBuffers},
	{name: "graph", summary: "each operation is launched as a CUDA graph", graph: true},
	{name: ofGroup + "N", summary: "so many operations in a group; with timing batch", limit: grouped},
	{name: "clock=host", summary: "timed by the host's clock instead of CUDA events", hostClock: true},
}

// findVariants reads a variant's text.
func findVariants(text string) (list []variant, err error) {
	var names []string
	for _, v := range variants {
		names = append(names, v.name)
	}
	for name := range strings.SplitSeq(text, ";") {
		if name == "" {
			continue
		}
		listed := name
		number, group := strings.CutPrefix(name, ofGroup)
		if group {
			listed = ofGroup + "N"
		}
		i := slices.Index(names, listed)
		if i < 0 {
			return nil, fmt.Errorf("the nccl backend has no variant %q: want default, %s, or settings such as NCCL_MAX_CTAS=8", name, strings.Join(names, ", "))
		}
		v := variants[i]
		if group {
			if v.group, err = strconv.Atoi(number); err != nil || v.group < 2 || v.group > maxGroup {
				return nil, fmt.Errorf("%s: want 2 … %d operations in a group", name, maxGroup)
			}
		}
		list = append(list, v)
	}
	return list, nil
}

// maxGroup bounds the operations of a group, whose kernel's arguments NCCL keeps in memory.
const maxGroup = 1024

// settle joins what the case asks for: its algorithm's settings, if it is not left to NCCL, and its variants'. The error says
// what cannot be.
func settle(c bench.Case, version nccl.Version) (joined variant, err error) {
	list, err := findVariants(c.How.Variant)
	if err != nil {
		return joined, err
	}
	if c.What.Algorithm != bench.Auto {
		a, err := find(c, version)
		if err != nil {
			return joined, err
		}
		joined.settings, joined.windows = a.environment(c.What.Collective, version), a.windows
	}
	for _, v := range list {
		if version < v.since {
			return joined, fmt.Errorf("%s came with NCCL %s; this is %s", v.name, v.since.Release(), version)
		}
		if v.limit != nil {
			if err := v.limit(c); err != nil {
				return joined, err
			}
		}
		switch {
		case v.protocol != "" && joined.protocol != "":
			return joined, errors.New("two protocols at once")
		case v.windows && joined.allocated || v.allocated && joined.windows:
			return joined, errors.New("windows lie in memory of ncclMemAlloc anyway: want one of memory=nccl and windows")
		case v.group > 0 && joined.graph || v.graph && joined.group > 0:
			return joined, errors.New("a graph launches one operation: want one of graph and group")
		}
		joined.join(v)
	}
	return joined, nil
}

// join adds what another variant asks for.
func (v *variant) join(other variant) {
	v.settings = append(v.settings, other.settings...)
	v.protocol += other.protocol
	v.group += other.group
	if other.unseen != nil {
		v.unseen = other.unseen
	}
	v.graph, v.hostClock = v.graph || other.graph, v.hostClock || other.hostClock
	v.allocated, v.windows = v.allocated || other.allocated, v.windows || other.windows
}

// contrary is what shows that the variant was not done: by the records of the profiler plugin, or in NCCL's log.
func (v variant) contrary(c bench.Case, count int, records []nccl.Record, log string) error {
	if ran := wrongProtocol(v.protocol, c, count, records); ran != "" {
		return fmt.Errorf("asked for protocol %s, but %s ran (profiler)", v.protocol, ran)
	}
	for _, ch := range readDebugLog(log).choices {
		if v.protocol != "" && ch.of(c, count) && ch.protocol != "" && ch.protocol != v.protocol {
			return fmt.Errorf("asked for protocol %s, but %s ran (debug log)", v.protocol, ch.protocol)
		}
	}
	if v.unseen == nil {
		return nil
	}
	if line := v.unseen.FindString(log); line != "" {
		return fmt.Errorf("asked for %s, but NCCL's log says %q", c.How.Variant, line)
	}
	return nil
}

func severalProtocols(c bench.Case) error {
	if onlySimple[c.What.Algorithm] {
		return fmt.Errorf("%s has the protocol Simple alone", c.What.Algorithm)
	}
	return anyProtocol(c)
}

func anyProtocol(c bench.Case) error {
	switch {
	case c.What.Algorithm == symmetricKernels:
		return errors.New("symmetric kernels have no protocol to choose")
	case c.What.Operation != "" || functions[c.What.Collective] == "":
		return fmt.Errorf("%s is made of sends and receives, whose protocol NCCL chooses", c.What.Name())
	}
	return nil
}

// onlySimple are algorithms that have one protocol (src/graph/tuning.cc).
var onlySimple = map[string]bool{"nvls": true, "nvlstree": true, "sharp": true, "collnetdirect": true, "collnetchain": true, "nvls+sharp": true, "pat": true}

func withoutNVLink(c bench.Case) error {
	if a := c.What.Algorithm; strings.HasPrefix(a, "nvls") || a == symmetricKernels {
		return fmt.Errorf("%s goes over NVLink, which nic=only has switched off", a)
	}
	return nil
}

func privateBuffers(c bench.Case) error {
	if c.How.Buffers != private {
		return fmt.Errorf("buffers %s lie in memory of ncclMemAlloc and are known to NCCL already: want buffers %s with this variant", c.How.Buffers, private)
	}
	return nil
}

func grouped(c bench.Case) error {
	switch {
	case c.What.Operation != "":
		return fmt.Errorf("%s in groups: one message waits for another", c.What.Operation)
	case c.How.Timing != bench.TimingBatch:
		return fmt.Errorf("operations in groups are timed together: want timing %s", bench.TimingBatch)
	}
	return nil
}
