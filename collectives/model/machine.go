package model

import (
	"fmt"
	"math"
	"slices"

	"collbench/collectives"
)

// Machine is all that the price of a program depends on. Ranks fill one domain after the other; each rank, or each
// domain, has a NIC; the NICs are joined by tiers of switches, or by one switch where there are no tiers.
type Machine struct {
	Name      string   `json:"name"`
	About     string   `json:"about,omitempty"`
	Start     Constant `json:"start,omitzero"` // seconds before the first byte moves
	Domain    Domain   `json:"domain"`
	NIC       NIC      `json:"nic"`
	Tiers     []Tier   `json:"tiers,omitempty"`
	Endless   bool     `json:"endless,omitempty"`  // as many more tiers like the last as a number of ranks needs
	Rails     bool     `json:"rails,omitempty"`    // a leaf joins the ranks of the same number in Ports domains
	Reduction Constant `json:"reduction,omitzero"` // bytes/s that a rank combines; absent: never the limit
	// Chunk is the bytes that a pipeline on this machine streams at a time; absent: the algorithm's own default.
	Chunk Constant `json:"chunk,omitzero"`
	// CentralSwitches: the algorithms' switches of every level sit in the middle of the network and are reached
	// through the NIC, as processes at the bridge of a virtual cluster are.
	CentralSwitches bool `json:"central_switches,omitempty"`
	// FreeRunning: nobody keeps step: a node sends in the order of the rounds and waits for nobody else's, and what is
	// under way shares the links as TCP connections do.
	FreeRunning bool `json:"free_running,omitempty"`
}

// Constant is a figure and where it comes from. In a file it is {"value": …, "source": "…"} or the bare number.
type Constant struct {
	Value  float64 `json:"value"`
	Source string  `json:"source,omitempty"`
}

// Domain is an NVLink domain, or a host whose ranks share memory.
type Domain struct {
	// Ranks of a domain, 1 or more. Where Largest is given, domains of other sizes can be built: a shape's own
	// domain counts, up to Largest, beyond which the domain has Ranks again. An algorithm with a switch in its
	// domains gets the domain it asks for even beyond Largest: that price is an extrapolation.
	Ranks   Constant `json:"ranks"`
	Largest Constant `json:"largest,omitzero"`

	Latency   Constant `json:"latency"`   // seconds from rank to rank; half of it to or from the domain's switch
	Bandwidth Constant `json:"bandwidth"` // bytes/s of a rank, each direction
	// SwitchBandwidth is W, the bytes/s of a rank, each direction, to and from a switch that reduces and
	// multicasts; absent: Bandwidth.
	SwitchBandwidth Constant `json:"switch_bandwidth,omitzero"`
}

// NIC is what joins a rank or a domain to the network.
type NIC struct {
	PerDomain bool     `json:"per_domain,omitempty"` // the ranks of a domain share one
	Latency   Constant `json:"latency"`              // seconds from memory to memory without the switches between; half at each end
	Bandwidth Constant `json:"bandwidth"`            // bytes/s on the wire, each direction
	Headers   Constant `json:"headers,omitzero"`     // bytes of headers sent per byte of payload
	Acks      Constant `json:"acks,omitzero"`        // bytes sent back per byte of payload
	Links     []Link   `json:"links,omitempty"`      // those that differ
}

// Link is a NIC that differs from the others.
type Link struct {
	Index    int      `json:"index"` // the rank's number, or the domain's where NICs are per domain
	Transmit Constant `json:"transmit,omitzero"`
	Receive  Constant `json:"receive,omitzero"` // bytes/s on the wire; absent: NIC.Bandwidth
}

// Tier is a level of the network's switches, leaves first.
type Tier struct {
	Name  string   `json:"name"`
	Ports Constant `json:"ports"` // what one unit joins: NICs (with rails: domains), above that units of the tier below; 2 or more
	// Latency is the seconds that a message spends in one switch of the tier and on the cable to it.
	Latency Constant `json:"latency"`
	// Oversubscription is the rate of all NICs below a unit ÷ the rate of its trunk upwards; absent or 1: the trunk
	// is never the limit.
	Oversubscription Constant `json:"oversubscription,omitzero"`
}

// Chunks is the number of chunks in which a buffer of so many bytes is streamed on the machine where nobody asks for
// another: 1 unless the algorithm carries out the collective as a pipeline.
func (m Machine) Chunks(a collectives.Algorithm, c collectives.Collective, bytes int64) int {
	if m.Chunk.Value == 0 || !slices.Contains(a.Pipelined, c) {
		return a.DefaultChunks(c, bytes)
	}
	return int(max(1, min(bytes/int64(m.Chunk.Value), maxChunks)))
}

// maxChunks bounds the chunks that a machine's own chunk size may lead to.
const maxChunks = 1 << 16

// fault is an error at a place of the machine, such as "nic.bandwidth".
type fault struct {
	path string
	err  error
}

func (f fault) Error() string {
	if f.path == "" {
		return f.err.Error()
	}
	return f.path + ": " + f.err.Error()
}
func (f fault) Unwrap() error { return f.err }

// Validate says which constant is impossible, if any.
func (m Machine) Validate() error {
	for _, c := range m.bounds() {
		if err := c.check(); err != nil {
			return fault{c.path, err}
		}
	}
	if l, r := m.Domain.Largest.Value, m.Domain.Ranks.Value; l != 0 && l < r {
		return fault{"domain.largest.value", fmt.Errorf("%g is less than the %g ranks of a domain", l, r)}
	}
	for i, l := range m.NIC.Links {
		if l.Index < 0 {
			return fault{fmt.Sprintf("nic.links[%d].index", i), fmt.Errorf("%d is negative", l.Index)}
		}
	}
	if m.Endless && len(m.Tiers) == 0 {
		return fault{"endless", fmt.Errorf("there is no tier to repeat")}
	}
	if m.NIC.PerDomain && m.Rails {
		return fault{"rails", fmt.Errorf("rails need a NIC per rank")}
	}
	return nil
}

// bound is the range of one constant.
type bound struct {
	path     string
	value    float64
	optional bool // 0 stands for absent
	kind     boundKind
}

type boundKind uint8

const (
	atLeastZero boundKind = iota // times, shares
	rate                         // bytes/s
	whole                        // numbers of things
)

// The bounds keep sums of times in 64-bit picoseconds.
const (
	slowest = 1.0  // bytes/s
	longest = 1000 // seconds; header bytes per byte
	most    = 1 << 30
)

func (b bound) check() error {
	v := b.value
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%g is no number", v)
	case v < 0:
		return fmt.Errorf("%g is negative", v)
	case v == 0 && (b.optional || b.kind == atLeastZero):
		return nil
	case v == 0:
		return fmt.Errorf("missing or 0: want a value above 0")
	case b.kind == rate && v < slowest:
		return fmt.Errorf("%g bytes/s: want %g or more", v, slowest)
	case b.kind == atLeastZero && v > longest:
		return fmt.Errorf("%g: want %d or less", v, longest)
	case b.kind == whole && (v != math.Trunc(v) || v > most):
		return fmt.Errorf("%g: want a whole number up to %d", v, most)
	}
	return nil
}

func (m Machine) bounds() []bound {
	bs := []bound{
		{"start.value", m.Start.Value, true, atLeastZero},
		{"domain.ranks.value", m.Domain.Ranks.Value, false, whole},
		{"domain.largest.value", m.Domain.Largest.Value, true, whole},
		{"domain.latency.value", m.Domain.Latency.Value, false, atLeastZero},
		{"domain.bandwidth.value", m.Domain.Bandwidth.Value, false, rate},
		{"domain.switch_bandwidth.value", m.Domain.SwitchBandwidth.Value, true, rate},
		{"nic.latency.value", m.NIC.Latency.Value, false, atLeastZero},
		{"nic.bandwidth.value", m.NIC.Bandwidth.Value, false, rate},
		{"nic.headers.value", m.NIC.Headers.Value, true, atLeastZero},
		{"nic.acks.value", m.NIC.Acks.Value, true, atLeastZero},
		{"reduction.value", m.Reduction.Value, true, rate},
		{"chunk.value", m.Chunk.Value, true, whole},
	}
	for i, l := range m.NIC.Links {
		at := fmt.Sprintf("nic.links[%d].", i)
		bs = append(bs, bound{at + "transmit.value", l.Transmit.Value, true, rate}, bound{at + "receive.value", l.Receive.Value, true, rate})
	}
	for i, t := range m.Tiers {
		at := fmt.Sprintf("tiers[%d].", i)
		bs = append(bs, bound{at + "ports.value", t.Ports.Value, false, whole}, bound{at + "latency.value", t.Latency.Value, false, atLeastZero},
			bound{at + "oversubscription.value", t.Oversubscription.Value, true, atLeastZero})
	}
	return bs
}
