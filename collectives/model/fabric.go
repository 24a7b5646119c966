package model

import (
	"fmt"
	"math"

	"collbench/collectives"
)

// picos is the unit of times inside a price: 64-bit sums come out the same in any order, so that what was added can
// be taken away again.
const picos = 1e12

// fabric is a machine laid out for one shape: numbered links, and the place of every node.
//
// Links, in this order: ranks out of their domain port, ranks into it, NICs transmit, NICs receive, ranks combining,
// switches up, switches down, then the trunks tier by tier, up and down.
type fabric struct {
	machine  Machine
	ranks    int
	domain   int // ranks of a domain
	nics     int
	switches int
	anchor   []int32 // per switch: the first rank below it
	level    []int8  // per switch
	spans    []int   // per tier: NICs (with rails: domains) below one unit; the last covers all
	units    []int   // per tier: units of it
	trunks   []int   // per tier: its first trunk link, or 0 where the trunk is never the limit
	cost     []float64
	// acksAlong charges acknowledgements in the direction of the data, as if as much came back. In a replay a share of
	// a link held back by acknowledgements alone would hold back the data.
	acksAlong bool
	direct    float64 // cost factor on a domain port of traffic with the domain's switch
}

// hop is a link on a message's way; a byte costs share times the link's cost.
type hop struct {
	link  int32
	share float64
}

const unplaced = -1

// newFabric lays out the links for a shape. The switches' anchors are set by whoever has read their programs.
func newFabric(a collectives.Algorithm, s collectives.Shape, m Machine) (*fabric, error) {
	top, err := collectives.Placement(a, s)
	if err != nil {
		return nil, err
	}
	f := &fabric{machine: m, ranks: s.Ranks, switches: a.Nodes(s) - s.Ranks, direct: 1}
	f.anchor, f.level = make([]int32, f.switches), make([]int8, f.switches)
	inDomains := false
	for w := range f.switches {
		level, _ := a.Place(s, collectives.Node(s.Ranks+w))
		f.level[w], f.anchor[w] = int8(level), unplaced
		inDomains = inDomains || level == 0 && !m.CentralSwitches
	}
	f.domain = domainRanks(m, s, inDomains)
	f.nics = s.Ranks
	if m.NIC.PerDomain {
		f.nics = (s.Ranks-1)/f.domain + 1
	}
	if w := m.Domain.SwitchBandwidth.Value; w > 0 {
		f.direct = m.Domain.Bandwidth.Value / w
	}
	if err := f.stackTiers(top); err != nil {
		return nil, err
	}
	f.setCosts()
	return f, nil
}

// domainRanks is the size of a domain as Domain.Ranks explains it.
func domainRanks(m Machine, s collectives.Shape, switchInside bool) int {
	ranks, largest := int(m.Domain.Ranks.Value), int(m.Domain.Largest.Value)
	if largest > 0 && (s.Local <= largest || switchInside) {
		return s.Local
	}
	return ranks
}

// stackTiers finds how many tiers the ranks need and how many units each has.
func (f *fabric) stackTiers(top int) error {
	m := f.machine
	if len(m.Tiers) == 0 || m.CentralSwitches {
		return nil // one switch joins all
	}
	members := f.nics
	if m.Rails {
		members = (f.ranks-1)/f.domain + 1
	}
	for t, span := 0, 1; t == 0 || span < members || t < top || t == 1 && m.Rails && f.domain > 1 && f.ranks > 1; t++ {
		if t >= len(m.Tiers) && !m.Endless {
			return fmt.Errorf("machine %s: its %d tiers of switches do not suffice for %d ranks and %d levels of aggregation", m.Name, len(m.Tiers), f.ranks, max(top, 0))
		}
		span = min(span*int(f.tier(t).Ports.Value), math.MaxInt32)
		f.spans = append(f.spans, span)
		units := (members-1)/span + 1
		if t == 0 && m.Rails {
			units *= f.domain
		}
		f.units = append(f.units, units)
	}
	return nil
}

func (f *fabric) tier(t int) Tier { return f.machine.Tiers[min(t, len(f.machine.Tiers)-1)] }

// setCosts fills in what a byte costs on each link, in picoseconds.
func (f *fabric) setCosts() {
	n := f.ranks
	f.cost = make([]float64, 3*n+2*f.nics+2*f.switches)
	m := f.machine
	fill := func(from, count int, rate float64) {
		for i := range count {
			f.cost[from+i] = picos / rate
		}
	}
	fill(0, 2*n, m.Domain.Bandwidth.Value)
	fill(2*n, 2*f.nics, m.NIC.Bandwidth.Value)
	for _, l := range m.NIC.Links {
		if l.Index < f.nics && l.Transmit.Value > 0 {
			f.cost[2*n+l.Index] = picos / l.Transmit.Value
		}
		if l.Index < f.nics && l.Receive.Value > 0 {
			f.cost[2*n+f.nics+l.Index] = picos / l.Receive.Value
		}
	}
	if m.Reduction.Value > 0 {
		fill(2*n+2*f.nics, n, m.Reduction.Value)
	}
	fill(3*n+2*f.nics, 2*f.switches, m.NIC.Bandwidth.Value) // a switch's port is as fast as a NIC
	f.trunks = make([]int, len(f.spans))
	for t := range max(0, len(f.spans)-1) {
		over := f.tier(t).Oversubscription.Value
		if over <= 1 {
			continue
		}
		nics := f.spans[t]
		if m.Rails && t > 0 {
			nics *= f.domain
		}
		f.trunks[t] = len(f.cost)
		f.cost = append(f.cost, make([]float64, 2*f.units[t])...)
		fill(f.trunks[t], 2*f.units[t], m.NIC.Bandwidth.Value*float64(nics)/over)
	}
}

// nic is the number of a rank's NIC.
func (f *fabric) nic(rank int) int {
	if f.machine.NIC.PerDomain {
		return rank / f.domain
	}
	return rank
}

// unit is the unit of a tier that a rank hangs below.
func (f *fabric) unit(rank, tier int) int {
	if !f.machine.Rails {
		return f.nic(rank) / f.spans[tier]
	}
	d := rank / f.domain
	if tier == 0 {
		return d/f.spans[0]*f.domain + rank%f.domain
	}
	return d / f.spans[tier]
}

// end is one end of a message.
type end struct {
	rank  int // the rank itself, or the first rank below the switch
	level int // −1 a rank, else the switch's
	sw    int // the switch's number
}

func (f *fabric) end(v int32) end {
	if int(v) < f.ranks {
		return end{rank: int(v), level: -1}
	}
	w := int(v) - f.ranks
	return end{rank: int(f.anchor[w]), level: int(f.level[w]), sw: w}
}

// route appends the links that a message loads and returns its latency in picoseconds.
func (f *fabric) route(hops []hop, from, to int32) ([]hop, int64) {
	if from == to {
		return append(hops, hop{int32(2*f.ranks + 2*f.nics + int(from)), 1}), 0
	}
	a, b := f.end(from), f.end(to)
	d, nic := f.machine.Domain, f.machine.NIC
	if f.machine.CentralSwitches && (a.level >= 0 || b.level >= 0) {
		return f.atNICs(hops, a, b), int64(picos * nic.Latency.Value)
	}
	switch {
	case a.level == 0:
		return append(hops, hop{int32(f.ranks + b.rank), f.direct}), int64(picos * d.Latency.Value / 2)
	case b.level == 0:
		return append(hops, hop{int32(a.rank), f.direct}), int64(picos * d.Latency.Value / 2)
	case a.level < 0 && b.level < 0 && a.rank/f.domain == b.rank/f.domain:
		return append(hops, hop{int32(a.rank), 1}, hop{int32(f.ranks + b.rank), 1}), int64(picos * d.Latency.Value)
	}
	return f.across(hops, a, b)
}

// atNICs is the load of a message on the NICs of its ends, headers and acknowledgements included.
func (f *fabric) atNICs(hops []hop, a, b end) []hop {
	nic := f.machine.NIC
	there, back := 1+nic.Headers.Value, nic.Acks.Value
	if f.acksAlong {
		there, back = there+back, 0
	}
	transmit, receive := 2*f.ranks, 2*f.ranks+f.nics
	if a.level < 0 {
		hops = append(hops, hop{int32(transmit + f.nic(a.rank)), there})
		if back > 0 {
			hops = append(hops, hop{int32(receive + f.nic(a.rank)), back})
		}
	}
	if b.level < 0 {
		hops = append(hops, hop{int32(receive + f.nic(b.rank)), there})
		if back > 0 {
			hops = append(hops, hop{int32(transmit + f.nic(b.rank)), back})
		}
	}
	return hops
}

// across is the way through the tiers: up to the lowest unit that both ends hang below, and down again.
func (f *fabric) across(hops []hop, a, b end) ([]hop, int64) {
	nic := f.machine.NIC
	hops = f.atNICs(hops, a, b)
	seconds := 0.0
	if a.level < 0 {
		seconds += nic.Latency.Value / 2
	}
	if b.level < 0 {
		seconds += nic.Latency.Value / 2
	}
	ports := 3*f.ranks + 2*f.nics
	switch {
	case a.level > 0 && b.level > a.level:
		hops = append(hops, hop{int32(ports + a.sw), 1})
	case b.level > 0 && a.level > b.level:
		hops = append(hops, hop{int32(ports + f.switches + b.sw), 1})
	}
	if len(f.spans) == 0 {
		return hops, int64(picos * seconds)
	}
	// A rank is below tier 0; a switch of level l is in tier l−1.
	above := func(e end) int { return max(e.level, 0) }
	up, down := above(a), above(b)
	meet := max(up, down, 1) - 1
	for meet+1 < len(f.spans) && f.unit(a.rank, meet) != f.unit(b.rank, meet) {
		meet++
	}
	for t := up; t <= meet; t++ {
		seconds += f.tier(t).Latency.Value
	}
	for t := meet - 1; t >= max(down-1, 0); t-- {
		seconds += f.tier(t).Latency.Value
	}
	for t := max(up-1, 0); t < meet; t++ {
		if f.trunks[t] > 0 {
			hops = append(hops, hop{int32(f.trunks[t] + f.unit(a.rank, t)), 1})
		}
	}
	for t := meet - 1; t >= max(down-1, 0); t-- {
		if f.trunks[t] > 0 {
			hops = append(hops, hop{int32(f.trunks[t] + f.units[t] + f.unit(b.rank, t)), 1})
		}
	}
	return hops, int64(picos * seconds)
}

// name says which link it is, in words.
func (f *fabric) name(link int) string {
	n, k := f.ranks, f.nics
	owner := "rank"
	if f.machine.NIC.PerDomain {
		owner = "domain"
	}
	switch {
	case link < n:
		return fmt.Sprintf("port of rank %d in its domain, transmit", link)
	case link < 2*n:
		return fmt.Sprintf("port of rank %d in its domain, receive", link-n)
	case link < 2*n+k:
		return fmt.Sprintf("NIC of %s %d, transmit", owner, link-2*n)
	case link < 2*n+2*k:
		return fmt.Sprintf("NIC of %s %d, receive", owner, link-2*n-k)
	case link < 3*n+2*k:
		return fmt.Sprintf("reduction on rank %d", link-2*n-2*k)
	case link < 3*n+2*k+f.switches:
		return fmt.Sprintf("switch %d, up", link-3*n-2*k)
	case link < 3*n+2*k+2*f.switches:
		return fmt.Sprintf("switch %d, down", link-3*n-2*k-f.switches)
	}
	return "trunk of a tier of switches"
}
