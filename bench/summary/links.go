package summary

import (
	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// LinkTraffic is what one rank's share of its host's link carries in one iteration by the program, in bytes and
// without headers: the largest over the ranks, ranks of a host sharing evenly, as bench.LinkBytes does.
type LinkTraffic struct{ Sent, Received float64 }

// OnLinks counts from the program what crosses from host to host, or what crosses NVLinks where these were counted. In the
// virtual cluster switches are at home by themselves. ok is false where the algorithm that ran or the hosts of the ranks are not known.
func OnLinks(info bench.RunInfo, r bench.Result) (busiest LinkTraffic, ok bool) {
	a, s, ok := program(r)
	if !ok || len(info.Ranks) != s.Ranks {
		return busiest, false
	}
	if r.CountedOn == bench.OnNVLink {
		o := collectives.Busiest(a, s)
		size := float64(r.Case.What.DataType.Size())
		return LinkTraffic{Sent: size * float64(o.Sent), Received: size * float64(o.Received)}, true
	}
	if r.CountedOn == bench.OnInfiniBand {
		return mean(r, a.Name)
	}
	hosts := map[string]int{}
	at := make([]int, s.Ranks)
	for _, rank := range info.Ranks {
		if rank.Rank < 0 || rank.Rank >= s.Ranks {
			return busiest, false
		}
		if _, seen := hosts[rank.Host]; !seen {
			hosts[rank.Host] = len(hosts)
		}
		at[rank.Rank] = hosts[rank.Host]
	}
	home := func(v collectives.Node) int {
		if int(v) < s.Ranks {
			return at[v]
		}
		return s.Ranks + int(v)
	}
	total := make([]collectives.Traffic, len(hosts))
	ranks := make([]int, len(hosts))
	for v := range s.Ranks {
		t := collectives.CountAcross(a, s, collectives.Node(v), home)
		total[at[v]].Sent += t.Sent
		total[at[v]].Received += t.Received
		ranks[at[v]]++
	}
	size := float64(r.Case.What.DataType.Size())
	for h, t := range total {
		n := float64(ranks[h])
		busiest.Sent = max(busiest.Sent, size*float64(t.Sent)/n)
		busiest.Received = max(busiest.Received, size*float64(t.Received)/n)
	}
	return busiest, true
}

// program is the algorithm that ran, or else that was asked for, and its shape.
func program(r bench.Result) (a collectives.Algorithm, s collectives.Shape, ok bool) {
	name := r.Evidence.Observed
	if name == "" {
		name = r.Case.What.Algorithm
	}
	a, err := algorithms.Find(name)
	if err != nil {
		return a, s, false
	}
	c := r.Case
	if r.Chunks > 0 {
		c.Where.Chunks = r.Chunks
	}
	s, err = c.Shape(a)
	return a, s, err == nil
}
