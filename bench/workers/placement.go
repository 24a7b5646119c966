package workers

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// Place is where a rank is.
type Place struct {
	Host      string
	LocalRank int // among the ranks of the host: the launcher's, or else by rank
	Address   string
	CPUs      []int // it is bound to; nil: to none
}

// Places are where the ranks are.
func (f *Fleet) Places() []Place {
	places := make([]Place, len(f.members))
	for i, m := range f.members {
		places[i] = Place{Host: m.name, LocalRank: m.LocalRank, Address: f.address(m), CPUs: m.CPUs}
	}
	for _, mates := range f.hosts() {
		if told := localRanks(mates); !told {
			for local, m := range mates {
				places[m.rank].LocalRank = local
			}
		}
	}
	return places
}

// hosts groups the members by host, in the order of their first ranks.
func (f *Fleet) hosts() [][]*member {
	var list [][]*member
	place := map[string]int{}
	for _, m := range f.members {
		i, known := place[m.Identity]
		if !known {
			i = len(list)
			place[m.Identity] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], m)
	}
	return list
}

// localRanks says whether the launcher has told the local ranks of a host: 0 … n−1 in any order.
func localRanks(mates []*member) bool {
	var told []int
	for _, m := range mates {
		told = append(told, m.LocalRank)
	}
	slices.Sort(told)
	for i, local := range told {
		if local != i {
			return false
		}
	}
	return true
}

// nameHosts names the hosts, and tells those of the same name apart: containers may well be all "localhost".
func (f *Fleet) nameHosts() {
	taken := map[string]bool{}
	for _, mates := range f.hosts() {
		name := mates[0].Host
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s#%d", mates[0].Host, n)
		}
		taken[name] = true
		for _, m := range mates {
			m.name = name
		}
	}
}

// ends are the two ends of a connection with rank 0.
type ends struct{ remote, local net.IP }

var loopback = net.IPv4(127, 0, 0, 1)

// address is where the others reach a rank's data connections: what it said itself; on a single host loopback; else
// the address that it came from when it joined, or for rank 0's own host that to which the others came.
func (f *Fleet) address(m *member) string {
	if m.Address != "" {
		return m.Address
	}
	if len(f.hosts()) == 1 {
		return "127.0.0.1"
	}
	first := f.members[0].Identity
	if from := m.ends.remote; m.Identity != first && !from.IsLoopback() {
		return from.String()
	}
	for _, other := range f.members {
		if at := other.ends.local; other.Identity != first && !at.IsLoopback() {
			return at.String()
		}
	}
	return "127.0.0.1" // all of them are in one network namespace
}

func ip(a net.Addr) net.IP { return a.(*net.TCPAddr).IP }

// Domain is the number of ranks in a row that share a host, wherever one begins: the largest such divisor of the
// number of ranks.
func Domain(places []Place) int {
	for d := len(places); d > 1; d-- {
		if len(places)%d == 0 && blocks(places, d) {
			return d
		}
	}
	return 1
}

func blocks(places []Place, d int) bool {
	for i, p := range places {
		if p.Host != places[i-i%d].Host {
			return false
		}
	}
	return true
}

// Crowded names the hosts on which ranks share CPUs that they are bound to: as many or fewer CPUs than ranks.
func (f *Fleet) Crowded() []string {
	var list []string
	for _, mates := range f.hosts() {
		all := map[int]bool{}
		bound := true
		same := map[string][]string{} // ranks by the CPUs that they are bound to
		var order []string
		for _, m := range mates {
			bound = bound && len(m.CPUs) > 0
			for _, cpu := range m.CPUs {
				all[cpu] = true
			}
			if key := fmt.Sprint(m.CPUs); len(m.CPUs) > 0 {
				if same[key] == nil {
					order = append(order, key)
				}
				same[key] = append(same[key], fmt.Sprint(m.rank))
			}
		}
		if bound && len(all) < len(mates) {
			list = append(list, fmt.Sprintf("%s: %d ranks are bound to %d CPUs", mates[0].name, len(mates), len(all)))
			continue
		}
		for _, key := range order {
			if ranks := same[key]; len(ranks) > len(strings.Fields(key)) {
				list = append(list, fmt.Sprintf("%s: ranks %s are bound to the same CPUs %s", mates[0].name, strings.Join(ranks, ", "), key))
			}
		}
	}
	return list
}
