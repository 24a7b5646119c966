package pairs

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
)

// Plan is what a run of pairs keeps of its plan.
type Plan struct {
	bench.Plan
	Scope     string  `json:"scope"`
	Isolated  bool    `json:"isolated,omitempty"`
	Tolerance float64 `json:"tolerance"`
}

// OptionsOf are those by which a run was planned, or the defaults.
func OptionsOf(info bench.RunInfo) Options {
	p := Plan{Tolerance: DefaultTolerance}
	_ = json.Unmarshal(info.Plan, &p) // a run without such a plan has the defaults
	return Options{Tolerance: p.Tolerance, Seed: p.Seed}
}

// Shares are what the cells reach of the reference of their kind, in their order; NaN where there is no value.
func (m *Matrix) Shares(refs []Reference) []float64 {
	list := make([]float64, len(m.Cells))
	for i, c := range m.Cells {
		list[i] = math.NaN()
		for _, r := range refs {
			if r.Kind == c.Kind && c.Value > 0 {
				list[i] = r.share(c.Value, m.Rate())
			}
		}
	}
	return list
}

// Ranked is a cell with its share of its peers' figure.
type Ranked struct {
	Cell
	Share float64
}

// Worst are the so many pairs with the least share, the worst first.
func (m *Matrix) Worst(refs []Reference, n int) (list []Ranked) {
	for i, share := range m.Shares(refs) {
		if !math.IsNaN(share) {
			list = append(list, Ranked{m.Cells[i], share})
		}
	}
	slices.SortStableFunc(list, func(a, b Ranked) int { return cmp.Compare(a.Share, b.Share) })
	return list[:min(n, len(list))]
}

// ByHost puts the cells of each two hosts together: names, and from × to the median of the values, NaN where there is none.
func (m *Matrix) ByHost() (names []string, values [][]float64) {
	at := make([]int, len(m.Places))
	for i, group := range grouped(m.Places, func(p Place) string { return p.Host }) {
		names = append(names, m.Places[group[0]].Host)
		for _, r := range group {
			at[r] = i
		}
	}
	all := make([][][]float64, len(names))
	for i := range all {
		all[i] = make([][]float64, len(names))
	}
	for _, c := range m.Cells {
		if c.Value == 0 {
			continue
		}
		f, t := at[c.From], at[c.To]
		all[f][t] = append(all[f][t], c.Value)
		if !m.Directed() && f != t {
			all[t][f] = append(all[t][f], c.Value)
		}
	}
	values = make([][]float64, len(names))
	for f := range all {
		for _, list := range all[f] {
			values[f] = append(values[f], stat.Median(list))
		}
	}
	return names, values
}

// RankName is what messages call a rank of the matrix.
func (m *Matrix) RankName(rank int) string { return name(m.Places, rank) }
