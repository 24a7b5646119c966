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

// maxPairs and partPairs say how many single pairs are named: see mostPairs.
const (
	maxPairs  = 3
	partPairs = 0.05
)

// judged is what the first look at a matrix has found.
type judged struct {
	references []Reference
	suspects   []suspect // hosts, interfaces and ranks; then pairs, the slowest first
	others     int       // slow pairs besides, which are too many to be tested again
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
	slices.SortStableFunc(pairs, func(a, b suspect) int { return cmp.Compare(a.share(), b.share()) })
	tested := min(len(pairs), maxRetests)
	j.suspects, j.others = append(merged(j.suspects), pairs[:tested]...), len(pairs)-tested
	return j
}

// mostPairs is how many single pairs of a matrix are named: more than that have something in common that is no rank.
func mostPairs(m *Matrix) int {
	pairs := len(m.Cells)
	if m.Directed() {
		pairs /= 2
	}
	return max(maxPairs, int(partPairs*float64(pairs)))
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
func subjects(m *Matrix, seen []*sight) (list []*suspect) {
	n := len(m.Places)
	hosts, nics := numbered(m.Places, func(p Place) string { return p.Host }), numbered(m.Places, func(p Place) string { return p.Host + "\x00" + p.NIC })
	index := make([]*suspect, len(levels)*n*2*len(ways))
	add := func(level, number, rank int, within bool, way int, s *sight) {
		at := (level*n+number)*2*len(ways) + way
		if within {
			at += len(ways)
		}
		if index[at] == nil {
			p := m.Places[rank]
			index[at] = &suspect{level: levels[level], host: p.Host, rank: -1, within: within, direction: ways[way]}
			switch levels[level] {
			case LevelRank:
				index[at].rank, index[at].nic = rank, p.NIC
			case LevelNIC:
				index[at].nic = p.NIC
			}
		}
		x := index[at]
		x.cells = append(x.cells, s)
		if nic := m.Places[rank].NIC; x.level == LevelHost && !slices.Contains(x.interfaces, nic) {
			x.interfaces = append(x.interfaces, nic)
		}
	}
	for _, s := range seen {
		within := s.Kind == SameHost
		for way, rank := range [2]int{s.From, s.To} {
			if !m.Directed() {
				way = wayBoth
			}
			add(2, rank, rank, within, way, s)
			switch {
			case within && rank == s.From: // once
				add(0, hosts[rank], rank, true, wayBoth, s)
			case !within:
				add(0, hosts[rank], rank, false, way, s)
				if m.Places[rank].NIC != "" {
					add(1, nics[rank], rank, false, way, s)
				}
			}
		}
	}
	return slices.DeleteFunc(index, func(s *suspect) bool { return s == nil })
}

// levels are those of subjects, the wider ones first; ways the directions in which a sight's first and second rank are seen, and
// the one of a test without a direction.
var (
	levels = []Level{LevelHost, LevelNIC, LevelRank}
	ways   = []Direction{Sends, Receives, Both}
)

const wayBoth = 2

// numbered gives each rank the number of its group.
func numbered(places []Place, key func(Place) string) []int {
	numbers := make([]int, len(places))
	for i, group := range grouped(places, key) {
		for _, r := range group {
			numbers[r] = i
		}
	}
	return numbers
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
