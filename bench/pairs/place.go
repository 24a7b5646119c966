package pairs

import (
	"fmt"
	"slices"

	"collbench/bench"
)

// Kind is what a pair's two ranks have in common. Only pairs of one kind are compared.
type Kind string

// The kinds. The rail of a rank is its network interface or, where that is not known, its place among the ranks of its host.
const (
	SameHost  Kind = "same host"
	SameRail  Kind = "same rail"
	CrossRail Kind = "cross rail"
)

// Kinds lists the kinds in the order in which they are shown.
var Kinds = []Kind{SameHost, SameRail, CrossRail}

// Place is where a rank sits.
type Place struct {
	Rank  int    `json:"rank"`
	Host  string `json:"host"`
	Local int    `json:"local"` // among the ranks of the host
	GPU   string `json:"gpu,omitempty"`
	NIC   string `json:"nic,omitempty"`
}

// Places says where each of the ranks of a run sits. A rank of which the run says nothing is on a host of its own.
func Places(info bench.RunInfo, ranks int) []Place {
	places := make([]Place, ranks)
	for r := range places {
		places[r] = Place{Rank: r, Host: fmt.Sprintf("rank%d", r)}
	}
	for _, r := range info.Ranks {
		if r.Rank >= 0 && r.Rank < ranks {
			places[r.Rank] = Place{Rank: r.Rank, Host: r.Host, Local: r.Local, GPU: r.GPU, NIC: r.NIC}
		}
	}
	return places
}

// Rail is what ranks of different hosts have in common that are joined by one rail.
func (p Place) Rail() string {
	if p.NIC != "" {
		return p.NIC
	}
	return fmt.Sprint(p.Local)
}

func kindOf(a, b Place) Kind {
	switch {
	case a.Host == b.Host:
		return SameHost
	case a.Rail() == b.Rail():
		return SameRail
	}
	return CrossRail
}

// grouped puts ranks together by a key, in the order of their first.
func grouped(places []Place, key func(Place) string) (groups [][]int) {
	index := map[string]int{}
	for _, p := range places {
		i, ok := index[key(p)]
		if !ok {
			i = len(groups)
			index[key(p)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], p.Rank)
	}
	return groups
}

// name is what messages call a rank: its host if it is alone there, else "rank 26 (vm3/gpu2)".
func name(places []Place, rank int) string {
	p := places[rank]
	alone := !slices.ContainsFunc(places, func(o Place) bool { return o.Host == p.Host && o.Rank != rank })
	switch {
	case alone:
		return p.Host
	case p.GPU != "":
		return fmt.Sprintf("rank %d (%s/%s)", rank, p.Host, p.GPU)
	}
	return fmt.Sprintf("rank %d (%s)", rank, p.Host)
}
