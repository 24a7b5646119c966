package nccl

import (
	"slices"

	"collbench/collectives"
)

// Estimate is what NCCL believes of one algorithm and protocol.
type Estimate struct {
	Algorithm Algorithm
	Protocol  Protocol
	Latency   float64 // seconds, whatever the size
	Bandwidth float64 // bytes/s of the whole buffer, at this size
	Seconds   float64 // Latency + bytes ÷ Bandwidth
}

// treeCorrection is by what the bandwidth of a tree is multiplied from 64 bytes on, for each power of two: NCCL's
// treeCorrectionFactor, the same in all versions, up to 256 MiB.
var treeCorrection = [3][24]float64{
	LL:     {1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1, 1},
	LL128:  {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1, 1},
	Simple: {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9, .9},
}

// correctedTo is the largest power of two, counted from 64 bytes, at which an algorithm's bandwidth is corrected;
// −1: never.
func (t Tuning) correctedTo(a Algorithm) int {
	switch {
	case a == Tree:
		return 22
	case a == NVLSTree && t.minor >= 29 && t.Topology.Architecture == Blackwell && t.Topology.CPU != Other:
		return 23
	}
	return -1
}

// Estimates are the times of all algorithms and protocols that NCCL considers for a buffer of so many bytes (1 or
// more), in NCCL's order, or of the given algorithms alone, as with NCCL_ALGO. The collective is one that Supports
// accepts.
func (t Tuning) Estimates(c collectives.Collective, bytes int64, only ...Algorithm) (all []Estimate) {
	for _, a := range Algorithms {
		if len(only) > 0 && !slices.Contains(only, a) {
			continue
		}
		for _, p := range Protocols {
			if t.offers(c, a, p) {
				all = append(all, t.estimate(c, a, p, bytes))
			}
		}
	}
	return slices.DeleteFunc(all, func(e Estimate) bool { return e.Bandwidth == 0 })
}

// estimate is the time of one algorithm and protocol, as ncclTopoGetAlgoTime computes it.
func (t Tuning) estimate(c collectives.Collective, a Algorithm, p Protocol, bytes int64) Estimate {
	latency, bandwidth := t.latency(c, a, p)/1e6, t.bandwidth(c, a, p)*1e9
	if power := log2(bytes >> 6); power <= t.correctedTo(a) {
		bandwidth *= treeCorrection[p][power]
	}
	if a == Ring && p == Simple && t.Nodes > 1 && c == collectives.AllReduce && bytes >= t.plateau() {
		if t.Topology.Architecture == Volta {
			latency *= 1.9
		} else {
			latency *= 1.4
		}
	}
	return Estimate{a, p, latency, bandwidth, latency + float64(bytes)/bandwidth}
}

// plateau is the size from which a ring between nodes has a larger latency: 64 bytes for each rank and channel. A
// communicator has two channels for each of its ring's graph.
func (t Tuning) plateau() int64 { return 64 * int64(2*t.Graphs.Ring.Channels) * int64(t.Ranks) }

// Choice is the place of the estimate that NCCL chooses, the first of the fastest; −1 if there is none.
func Choice(all []Estimate) int {
	best := -1
	for i, e := range all {
		if best < 0 || e.Seconds < all[best].Seconds {
			best = i
		}
	}
	return best
}

// Chosen is what NCCL chooses from a size on.
type Chosen struct {
	From      int64 // bytes
	Algorithm Algorithm
	Protocol  Protocol
}

// Choices lists, from one size to another (both in bytes, from 1 on), where NCCL's choice changes; only is as in
// Estimates. It is empty where nothing is on offer.
func (t Tuning) Choices(c collectives.Collective, from, to int64, only ...Algorithm) (all []Chosen) {
	at := func(bytes int64) (chosen Chosen, ok bool) {
		estimates := t.Estimates(c, bytes, only...)
		i := Choice(estimates)
		if i < 0 {
			return Chosen{}, false
		}
		return Chosen{bytes, estimates[i].Algorithm, estimates[i].Protocol}, true
	}
	first, ok := at(from)
	if !ok {
		return nil
	}
	all = []Chosen{first}
	note := func(chosen Chosen) {
		if last := all[len(all)-1]; last.Algorithm != chosen.Algorithm || last.Protocol != chosen.Protocol {
			all = append(all, chosen)
		}
	}
	// search notes the changes between two sizes: between two edges every time is a straight line over the size, so that
	// what is fastest at both ends is fastest between them.
	var search func(low, high Chosen)
	search = func(low, high Chosen) {
		switch {
		case low.Algorithm == high.Algorithm && low.Protocol == high.Protocol:
		case high.From-low.From == 1:
			note(high)
		default:
			middle, _ := at(low.From + (high.From-low.From)/2)
			search(low, middle)
			search(middle, high)
		}
	}
	low := first
	for _, edge := range t.edges(from, to) {
		before, _ := at(edge - 1)
		search(low, before)
		low, _ = at(edge)
		note(low)
	}
	high, _ := at(to)
	search(low, high)
	return all
}

// edges are the sizes between two at which a time jumps, in rising order.
func (t Tuning) edges(from, to int64) (edges []int64) {
	for edge := int64(64); edge <= to; edge *= 2 {
		edges = append(edges, edge)
	}
	edges = append(edges, t.plateau())
	slices.Sort(edges)
	edges = slices.Compact(edges)
	return slices.DeleteFunc(edges, func(edge int64) bool { return edge <= from || edge > to })
}
