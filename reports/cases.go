package reports

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
)

// point is one case, all its launches together.
type point struct {
	Case      bench.Case
	Row       summary.Row // of the launch in the middle
	Result    bench.Result
	Low, High float64 // seconds: from the lowest to the highest end of the launches' intervals; 0 where there is none
	Launches  int
}

// line is a series: the cases that differ in nothing but the size.
type line struct {
	Label  string
	Colour int
	Points []point // by size
}

// panel is what belongs into the same charts: one collective.
type panel struct {
	Collective string
	Lines      []line
	Sizes      []int64 // of the measured points, ascending
}

// panels groups the results that have a time. rows[i] is the summary of results[i].
func panels(results []bench.Result, rows []summary.Row) []panel {
	byCase := map[bench.Case][]int{}
	var cases []bench.Case
	for i, r := range rows {
		if r.Seconds == nil || r.Seconds.Median <= 0 || r.BusBW == nil || r.Status == bench.Wrong || r.Status == bench.Failed {
			continue
		}
		if byCase[results[i].Case] == nil {
			cases = append(cases, results[i].Case)
		}
		byCase[results[i].Case] = append(byCase[results[i].Case], i)
	}
	var all []panel
	for _, c := range cases {
		p := find(&all, func(p panel) bool { return p.Collective == c.What.Collective.String() }, panel{Collective: c.What.Collective.String()})
		key := c
		key.What.Bytes = 0
		l := find(&p.Lines, func(l line) bool { k := l.Points[0].Case; k.What.Bytes = 0; return k == key }, line{})
		l.Points = append(l.Points, merge(c, byCase[c], results, rows))
		p.Sizes = append(p.Sizes, c.What.Bytes)
	}
	slices.SortFunc(all, func(a, b panel) int {
		return cmp.Compare(a.Lines[0].Points[0].Case.What.Collective, b.Lines[0].Points[0].Case.What.Collective)
	})
	for i := range all {
		p := &all[i]
		slices.Sort(p.Sizes)
		p.Sizes = slices.Compact(p.Sizes)
		slices.SortStableFunc(p.Lines, func(a, b line) int { return cmp.Compare(order(a), order(b)) })
		for j := range p.Lines {
			l := &p.Lines[j]
			slices.SortFunc(l.Points, func(a, b point) int { return cmp.Compare(a.Case.What.Bytes, b.Case.What.Bytes) })
			l.Colour = j
		}
		label(p.Lines)
	}
	return all
}

// find returns the element that matches, or appends one.
func find[T any](list *[]T, match func(T) bool, fresh T) *T {
	for i := range *list {
		if l := &(*list)[i]; match(*l) {
			return l
		}
	}
	*list = append(*list, fresh)
	return &(*list)[len(*list)-1]
}

// order puts ring, with which the others are compared, first; the rest follow the list of all algorithms.
func order(l line) int {
	name := l.Points[0].Case.What.Algorithm
	if name == "ring" {
		return -2
	}
	return rank(name)
}

// merge makes one point of a case's launches: the row of the launch whose median is in the middle, and the range
// of all their intervals.
func merge(c bench.Case, at []int, results []bench.Result, rows []summary.Row) point {
	at = slices.Clone(at)
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(rows[a].Seconds.Median, rows[b].Seconds.Median) })
	middle := at[(len(at)-1)/2]
	p := point{Case: c, Row: rows[middle], Result: results[middle], Launches: len(at), Low: math.Inf(1)}
	for _, i := range at {
		if s := rows[i].Seconds; s.Low != nil && s.High != nil {
			p.Low, p.High = min(p.Low, *s.Low), max(p.High, *s.High)
		}
	}
	if p.High == 0 {
		p.Low = 0
	}
	return p
}

// label names the lines by their algorithm and whatever else differs between lines.
func label(lines []line) {
	differs := make([]bool, len(identity))
	for i, f := range identity {
		for _, l := range lines {
			differs[i] = differs[i] || f.value(l.Points[0].Row) != f.value(lines[0].Points[0].Row)
		}
	}
	for i := range lines {
		l := &lines[i]
		r := l.Points[0].Row
		parts := []string{l.Points[0].Case.What.Algorithm}
		observed := r.Observed
		for _, p := range l.Points {
			if p.Row.Observed != observed {
				observed = ""
			}
		}
		if observed != "" && observed != r.Algorithm {
			parts[0] += " → " + observed
		}
		for j, f := range identity {
			if differs[j] && f.title != "launch" {
				parts = append(parts, f.value(r))
			}
		}
		l.Label = oneLine(strings.Join(parts, ", "))
	}
}

// ring finds the line that another is compared with: ring, else alike.
func (p panel) ring(l line) *line {
	want := l.Points[0].Case
	want.What.Bytes, want.What.Algorithm = 0, "ring"
	for i := range p.Lines {
		k := p.Lines[i].Points[0].Case
		k.What.Bytes = 0
		if k == want {
			return &p.Lines[i]
		}
	}
	return nil
}

// modelled says whether a point has a price to compare with.
func (p panel) modelled() bool {
	return slices.ContainsFunc(p.Lines, func(l line) bool {
		return slices.ContainsFunc(l.Points, func(at point) bool { return at.Row.Model != nil })
	})
}

// sameRanks says whether all lines have the same number of ranks.
func (p panel) sameRanks() bool {
	return !slices.ContainsFunc(p.Lines, func(l line) bool {
		return l.Points[0].Case.Where.Ranks != p.Lines[0].Points[0].Case.Where.Ranks
	})
}

// at is the line's point of that size, or nil.
func (l *line) at(size int64) *point {
	for i := range l.Points {
		if l.Points[i].Case.What.Bytes == size {
			return &l.Points[i]
		}
	}
	return nil
}

// largest is the last point, of the largest size.
func (l line) largest() point { return l.Points[len(l.Points)-1] }

// value is one figure of a point with its interval; ok is false where it is not known.
type value struct{ mid, low, high float64 }

// quantity is what a chart shows of points.
type quantity struct {
	name, formatter string
	of              func(point) (value, bool)
	model           func(point) (float64, bool)
	text            func(float64) string
	units           []scaleUnit // largest first
}

// scaleUnit is a unit of an axis.
type scaleUnit struct {
	name string
	size float64
}
