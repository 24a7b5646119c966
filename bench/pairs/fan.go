package pairs

import (
	"fmt"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
)

// judgeFan looks for ranks that stand out in an incast or an outcast: what they take in from all others at once, or send to
// all, beside what the others do. enough says whether there were enough ranks to compare.
func judgeFan(m *Matrix, tolerance float64) (found []Finding, list []Score, enough bool) {
	sums, again := fanSums(m)
	ref, enough := fanReference(sums, tolerance)
	if !enough {
		return nil, nil, false
	}
	verb, direction := "sends", Sends
	from := "to all others at once"
	if m.Scope == ScopeIncast {
		verb, direction, from = "receives", Receives, "from all others at once"
	}
	for r, v := range sums {
		if v == 0 {
			list = append(list, Score{Rank: r})
			continue
		}
		share := ref.share(v, true)
		score := Score{Rank: r, Sends: &share}
		if direction == Receives {
			score = Score{Rank: r, Receives: &share}
		}
		list = append(list, score)
		if share >= ref.Limit {
			continue
		}
		f := Finding{Test: m.Name(), Level: LevelRank, Host: m.Places[r].Host, NIC: m.Places[r].NIC, Rank: &m.Places[r].Rank, Direction: direction,
			Share: share, Value: v, Reference: ref.Value, Limit: ref.Limit}
		f.Message = fmt.Sprintf("%s %s at %s of its peers (%s) %s", name(m.Places, r), verb, percent(share), figures(m, f), from)
		if again[r] > 0 {
			share := ref.share(again[r], true)
			f.Again = &share
		}
		found = append(found, f)
	}
	return found, list, true
}

// fanReference is what the ranks' sums are held against.
func fanReference(sums []float64, tolerance float64) (ref Reference, enough bool) {
	values := slices.DeleteFunc(slices.Clone(sums), func(v float64) bool { return v == 0 })
	if len(values) < leastCompared {
		return ref, false
	}
	return reference("", values, true, tolerance), true
}

// fanSums are what each rank takes in, or sends, in bytes/s of all its pairs together: the first time and when it was tested
// again; 0: it was not.
func fanSums(m *Matrix) (first, again []float64) {
	first, again = make([]float64, len(m.Places)), make([]float64, len(m.Places))
	for _, c := range m.Cells {
		r := c.From
		if m.Scope == ScopeIncast {
			r = c.To
		}
		first[r] += c.Value
		if len(c.Again) > 0 {
			again[r] += stat.Median(c.Again)
		}
	}
	return first, again
}

// fanAgain lists the cases by which ranks that stand out are tested again.
func fanAgain(m *Matrix, o Options) (cases []bench.Case) {
	found, _, _ := judgeFan(m, o.Tolerance)
	for _, f := range found[:min(len(found), maxRetests)] {
		var pairs []bench.Pair
		for _, c := range m.Cells {
			if c.From == *f.Rank && m.Scope == ScopeOutcast || c.To == *f.Rank && m.Scope == ScopeIncast {
				pairs = append(pairs, c.Pair)
			}
		}
		c := m.Case
		c.Where.Pairs, c.Where.Again = bench.PairList(pairs), 1
		cases = append(cases, c)
	}
	return cases
}
