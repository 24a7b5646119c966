package pairs

import (
	"cmp"
	"fmt"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
)

// Matrix is what one test, with one size of message, has found between pairs of ranks.
type Matrix struct {
	Case      bench.Case // of the test, without its pairs
	Scope     string     // ScopeIncast, ScopeOutcast, or "" where no rank was in two pairs at once
	Places    []Place
	Cells     []Cell // by From, then To; of a test without a direction From < To
	Simulated bool
	lost      map[bench.Pair]string
}

// Cell is one pair.
type Cell struct {
	bench.Pair
	Kind  Kind
	Value float64   // bytes/s, or seconds of a message; 0 where only Again has values
	Again []float64 // the same when it was tested once more
}

// Rate says whether the values are rates in bytes/s, of which more is better, and not times in seconds.
func (m *Matrix) Rate() bool { return m.Case.Moved() > 0 }

// Directed says whether a cell is of one direction; else it is of both, and there is one for a pair.
func (m *Matrix) Directed() bool { return directed(m.Case) }

// Possible is the number of cells that there are of the kinds that were measured.
func (m *Matrix) Possible() (cells int) {
	measured := map[Kind]bool{}
	for _, c := range m.Cells {
		measured[c.Kind] = true
	}
	count := map[Kind]int{} // ordered pairs
	for _, host := range grouped(m.Places, func(p Place) string { return p.Host }) {
		count[SameHost] += len(host) * (len(host) - 1)
		rails := map[string]int{}
		for _, r := range host {
			rails[m.Places[r].Rail()]++
		}
		for _, n := range rails {
			count[SameRail] -= n * (n - 1)
		}
	}
	for _, rail := range grouped(m.Places, Place.Rail) {
		count[SameRail] += len(rail) * (len(rail) - 1)
	}
	count[CrossRail] = len(m.Places)*(len(m.Places)-1) - count[SameHost] - count[SameRail]
	for kind := range measured {
		cells += count[kind]
	}
	if !m.Directed() {
		cells /= 2
	}
	return cells
}

// Name names the matrix: "bandwidth 1 MiB".
func (m *Matrix) Name() string {
	text := m.Case.String()
	if m.Scope != "" {
		text += ", " + m.Scope
	}
	return text
}

// Of says whether a result is one of pairs.
func Of(r bench.Result) bool { return r.Where.Pairs != "" }

// Read makes the matrices of a run's results, in the order of their first. Results that have no figure, and those that are not
// of pairs, leave nothing behind but the pairs that are lost.
func Read(info bench.RunInfo, results []bench.Result) []*Matrix {
	var list []*Matrix
	readers := map[string]*reader{}
	for _, r := range results {
		if !Of(r) {
			continue
		}
		pairs := r.Case.Pairs()
		key := r.Case
		key.Where.Pairs, key.Where.Again = "", 0
		scope := fan(pairs)
		id := fmt.Sprintf("%+v %s", key, scope)
		if readers[id] == nil {
			m := &Matrix{Case: key, Scope: scope, Places: Places(info, r.Where.Ranks), lost: map[bench.Pair]string{}}
			readers[id] = &reader{m, map[int]int{}}
			list = append(list, m)
		}
		readers[id].take(r, pairs)
	}
	for _, m := range list {
		slices.SortFunc(m.Cells, func(a, b Cell) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	}
	return list
}

// fan is the scope that pairs show which share a rank.
func fan(pairs []bench.Pair) string {
	switch {
	case bench.Disjoint(pairs):
		return ""
	case pairs[0].To == pairs[1].To:
		return ScopeIncast
	}
	return ScopeOutcast
}

// reader fills a matrix.
type reader struct {
	*Matrix
	index map[int]int // place in Cells by From × ranks + To
}

func (m *reader) take(r bench.Result, pairs []bench.Pair) {
	m.Simulated = m.Simulated || r.Simulated
	bytes := r.Case.Moved() / int64(len(pairs))
	for _, p := range pairs {
		if p.From >= len(m.Places) || p.To >= len(m.Places) {
			continue
		}
		c := m.cell(p)
		value := figure(r, p, float64(bytes))
		switch {
		case value == 0 && c.Value == 0 && r.Where.Again == 0:
			m.lost[c.Pair] = r.Error
		case value == 0:
		case r.Where.Again > 0:
			c.Again = append(c.Again, value)
		default:
			c.Value = value
			delete(m.lost, c.Pair)
		}
	}
}

// cell finds a pair's cell, or makes it.
func (m *reader) cell(p bench.Pair) *Cell {
	if !m.Directed() && p.From > p.To {
		p = bench.Pair{From: p.To, To: p.From}
	}
	key := p.From*len(m.Places) + p.To
	i, ok := m.index[key]
	if !ok {
		i = len(m.Cells)
		m.index[key] = i
		m.Cells = append(m.Cells, Cell{Pair: p, Kind: kindOf(m.Places[p.From], m.Places[p.To])})
	}
	return &m.Cells[i]
}

// figure is the median of what the pair has done; 0: nothing that stands.
func figure(r bench.Result, p bench.Pair, bytes float64) float64 {
	if r.Status != bench.OK && r.Status != bench.Unproven || p.From >= len(r.Seconds) || len(r.Seconds[p.From]) == 0 {
		return 0
	}
	seconds := stat.Median(r.Seconds[p.From])
	if bytes > 0 && seconds > 0 {
		return bytes / seconds
	}
	return seconds
}
