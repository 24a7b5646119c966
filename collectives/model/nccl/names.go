package nccl

import (
	"fmt"
	"slices"
	"strings"
)

// Algorithm is one of NCCL's algorithms. The names are those of the programs in collectives/algorithms.
type Algorithm uint8

// The algorithms in NCCL's order, in which the first of equals is chosen.
const (
	Tree Algorithm = iota
	Ring
	NVLS
	NVLSTree
	PAT
)

// Algorithms lists every algorithm in NCCL's order.
var Algorithms = []Algorithm{Tree, Ring, NVLS, NVLSTree, PAT}

var algorithmNames = []string{Tree: "tree", Ring: "ring", NVLS: "nvls", NVLSTree: "nvlstree", PAT: "pat"}

// String returns the name, such as "nvlstree".
func (a Algorithm) String() string { return algorithmNames[a] }

// MarshalText writes the name.
func (a Algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the name.
func (a *Algorithm) UnmarshalText(b []byte) error {
	i := slices.Index(algorithmNames, string(b))
	if i < 0 {
		return fmt.Errorf("unknown algorithm %q: NCCL's model has %s", b, strings.Join(algorithmNames, ", "))
	}
	*a = Algorithm(i)
	return nil
}

// Protocol is one of NCCL's ways to send a chunk.
type Protocol uint8

// The protocols in NCCL's order.
const (
	LL Protocol = iota
	LL128
	Simple
)

// Protocols lists every protocol in NCCL's order.
var Protocols = []Protocol{LL, LL128, Simple}

var protocolNames = []string{LL: "LL", LL128: "LL128", Simple: "Simple"}

// String returns NCCL's name, such as "LL128".
func (p Protocol) String() string { return protocolNames[p] }

// MarshalText writes the name.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the name.
func (p *Protocol) UnmarshalText(b []byte) error {
	i := slices.Index(protocolNames, string(b))
	if i < 0 {
		return fmt.Errorf("unknown protocol %q: want one of %s", b, strings.Join(protocolNames, ", "))
	}
	*p = Protocol(i)
	return nil
}

// Architecture is a generation of GPUs.
type Architecture string

// The architectures for which NCCL has constants: compute capability 7.x, 8.x, 9.x and from 10 on.
const (
	Volta     Architecture = "volta"
	Ampere    Architecture = "ampere"
	Hopper    Architecture = "hopper"
	Blackwell Architecture = "blackwell"
)

// Processor is the maker of a node's CPUs, on which the cost of a network's message depends.
type Processor string

// The processors between which NCCL tells.
const (
	Intel Processor = "intel"
	AMD   Processor = "amd"
	Other Processor = "other" // Arm, POWER
)
