package pairs

import (
	"cmp"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
)

// Level says what a finding is about.
type Level string

// The levels, the wider ones first: what explains as much as something else and is wider is named.
const (
	LevelHost Level = "host"
	LevelNIC  Level = "nic"
	LevelRank Level = "rank"
	LevelPair Level = "pair"
)

// Direction is which way a finding goes.
type Direction string

// The directions. Both is also that of a test that knows no direction.
const (
	Sends    Direction = "sends"
	Receives Direction = "receives"
	Both     Direction = "both"
)

// suspect is a host, an interface, a rank or a pair that explains why pairs are slow.
type suspect struct {
	level     Level
	host, nic string
	rank      int
	within    bool // within its host
	direction Direction
	cells     []*sight // all that it has to do with
	low       []*sight // those that are slow
	// interfaces are the network interfaces of the ranks by which the cells of a host go; "" where one is not known.
	interfaces []string
}

// sight is a cell as the judge sees it.
type sight struct {
	*Cell
	share     float64 // of the reference of its kind
	low       bool
	explained bool
}

// A host, an interface or a rank is named when so many of its pairs, and this part of them, are slow. A good one has slow pairs
// too, with those that are bad.
const (
	leastLow = 2
	partLow  = 0.75
)

// maxPairs and partPairs bound how many single pairs are named: more than either have something in common that is not a rank.
const (
	maxPairs  = 3
	partPairs = 0.05
)

// judged is what the first look at a matrix has found.
type judged struct {
	references []Reference
	suspects   []suspect
	spread     []*sight // slow pairs that are too many to be named one by one; nil: none
}

// judge looks for what stands out in a matrix without a fan.
func judge(m *Matrix, tolerance float64) judged {
	j := judged{references: references(m, tolerance)}
	seen := sights(m, j.references)
	all := subjects(m, seen)
	for {
		best := widest(all)
		if best == nil {
			break
		}
		for _, s := range best.cells {
			s.explained = true
		}
		j.suspects = append(j.suspects, *best)
	}
	var rest []*sight
	for _, s := range seen {
		if s.low && !s.explained {
			rest = append(rest, s)
		}
	}
	pairs := pairSuspects(rest)
	possible := float64(len(m.Cells))
	if m.Directed() {
		possible /= 2
	}
	if len(pairs) > max(maxPairs, int(partPairs*possible)) {
		j.spread = rest
		return j
	}
	j.suspects = append(merged(j.suspects), pairs...)
	return j
}

// sights are the cells of the first test whose kind has enough others.
func sights(m *Matrix, refs []Reference) (list []*sight) {
	for i := range m.Cells {
		c := &m.Cells[i]
		at := slices.IndexFunc(refs, func(r Reference) bool { return r.Kind == c.Kind })
		if c.Value == 0 || at < 0 || refs[at].Pairs < leastCompared {
			continue
		}
		share := refs[at].share(c.Value, m.Rate())
		list = append(list, &sight{Cell: c, share: share, low: share < refs[at].Limit})
	}
	return list
}

// subjects are all that might explain slow pairs, the wider ones first.
func subjects(m *Matrix, seen []*sight) []*suspect {
	type key struct {
		level     Level
		host, nic string
		rank      int
		within    bool
		direction Direction
	}
	index := map[key]*suspect{}
	var list []*suspect
	add := func(k key, s *sight) {
		if index[k] == nil {
			index[k] = &suspect{level: k.level, host: k.host, nic: k.nic, rank: k.rank, within: k.within, direction: k.direction}
			list = append(list, index[k])
		}
		index[k].cells = append(index[k].cells, s)
	}
	for _, s := range seen {
		within := s.Kind == SameHost
		for _, end := range []struct {
			rank      int
			direction Direction
		}{{s.From, Sends}, {s.To, Receives}} {
			p, direction := m.Places[end.rank], end.direction
			if !m.Directed() {
				direction = Both
			}
			add(key{LevelRank, p.Host, p.NIC, end.rank, within, direction}, s)
			if within {
				if end.direction == Sends { // once
					add(key{LevelHost, p.Host, "", -1, true, Both}, s)
				}
				continue
			}
			host := key{LevelHost, p.Host, "", -1, false, direction}
			add(host, s)
			if h := index[host]; !slices.Contains(h.interfaces, p.NIC) {
				h.interfaces = append(h.interfaces, p.NIC)
			}
			if p.NIC != "" {
				add(key{LevelNIC, p.Host, p.NIC, -1, false, direction}, s)
			}
		}
	}
	levels := []Level{LevelHost, LevelNIC, LevelRank}
	slices.SortStableFunc(list, func(a, b *suspect) int {
		return cmp.Compare(slices.Index(levels, a.level), slices.Index(levels, b.level))
	})
	return list
}

// widest is the subject that explains most of what is slow and not yet explained, if most of its pairs are; nil: there is none.
func widest(all []*suspect) (best *suspect) {
	for _, s := range all {
		open := 0
		s.low = s.low[:0]
		for _, c := range s.cells {
			if c.explained {
				continue
			}
			open++
			if c.low {
				s.low = append(s.low, c)
			}
		}
		if n := len(s.low); n >= leastLow && float64(n) >= partLow*float64(open) && (best == nil || n > len(best.low)) {
			best = s
		}
	}
	return best
}

// merged puts what is slow both ways together.
func merged(list []suspect) (out []suspect) {
	for _, s := range list {
		i := slices.IndexFunc(out, func(o suspect) bool {
			return o.level == s.level && o.host == s.host && o.nic == s.nic && o.rank == s.rank && o.within == s.within
		})
		if i < 0 {
			out = append(out, s)
			continue
		}
		out[i].direction = Both
		out[i].cells = slices.Concat(out[i].cells, s.cells)
		out[i].low = slices.Concat(out[i].low, s.low)
	}
	return out
}

// pairSuspects makes a suspect of each pair; both directions of one are one.
func pairSuspects(low []*sight) (list []suspect) {
	for _, s := range low {
		i := slices.IndexFunc(list, func(o suspect) bool { return o.low[0].From == s.To && o.low[0].To == s.From })
		if i < 0 {
			list = append(list, suspect{level: LevelPair, rank: -1, direction: Sends, cells: []*sight{s}, low: []*sight{s}})
			continue
		}
		list[i].direction = Both
		list[i].cells, list[i].low = append(list[i].cells, s), append(list[i].low, s)
	}
	return list
}

// share is how much of its peers' figure the suspect reaches.
func (s suspect) share() float64 {
	var shares []float64
	for _, c := range s.low {
		shares = append(shares, c.share)
	}
	return stat.Median(shares)
}

// ranks are those of the suspect: of a pair the two, sender first.
func (s suspect) ranks(places []Place) (list []int) {
	switch s.level {
	case LevelPair:
		return []int{s.low[0].From, s.low[0].To}
	case LevelRank:
		return []int{s.rank}
	}
	for _, p := range places {
		if p.Host == s.host && (s.level == LevelHost || p.NIC == s.nic) {
			list = append(list, p.Rank)
		}
	}
	return list
}

// kind is the one of most of the suspect's slow pairs.
func (s suspect) kind() (most Kind) {
	count := map[Kind]int{}
	for _, c := range s.low {
		count[c.Kind]++
	}
	for _, k := range Kinds {
		if count[k] > count[most] {
			most = k
		}
	}
	return most
}

// pairs are the suspect's slow ones.
func (s suspect) pairs() (list []bench.Pair) {
	for _, c := range s.low {
		list = append(list, c.Pair)
	}
	return list
}
