package gate

import (
	"fmt"

	"collbench/bench/stat"
	"collbench/bench/summary"
)

// Floor is an absolute bound of the cases that it selects.
type Floor struct {
	Name     string
	Selector Selector
	Metric   string  // a key of floorMetrics
	Bound    float64 // bytes per second, or seconds
}

// metric reads one figure of a row; nil: not known.
type metric struct {
	name, unit string
	of         func(summary.Row) *float64
}

var floorMetrics = []metric{
	{"busbw", "B/s", func(r summary.Row) *float64 { return r.BusBW }},
	{"algbw", "B/s", func(r summary.Row) *float64 { return r.AlgBW }},
	{"wirebw", "B/s", func(r summary.Row) *float64 { return r.WireBW }},
	{"time", "s", func(r summary.Row) *float64 {
		if r.Seconds == nil {
			return nil
		}
		return &r.Seconds.Median
	}},
}

// judgeFloors holds bandwidths against floors and times against ceilings.
func judgeFloors(in *input) (findings []Finding) {
	for _, floor := range in.policy.Floors {
		var bounds []bound
		cases := floor.Selector.matching(in.changed.cases())
		for _, c := range cases {
			var of metric
			for _, m := range floorMetrics {
				if m.name == floor.Metric {
					of = m
				}
			}
			var figures, ratios []float64
			for _, row := range in.changed.rows(c) {
				v := of.of(row)
				switch {
				case v == nil || *v <= 0:
				case of.unit == "s":
					figures, ratios = append(figures, *v), append(ratios, floor.Bound / *v)
				default:
					figures, ratios = append(figures, *v), append(ratios, *v/floor.Bound)
				}
			}
			if len(figures) == 0 {
				findings = append(findings, finding(floor.Name, KindMissing, Inconclusive, c).say("no %s: %s", floor.Metric, in.changed.whyMissing(c)))
				continue
			}
			want := "or more"
			if of.unit == "s" {
				want = "or less"
			}
			middle := stat.Median(figures)
			bounds = append(bounds, bound{floor.Name, KindFloor, c, ratios, middle, floor.Bound, of.unit,
				fmt.Sprintf("%s %s, want %s %s", floor.Metric, quantity(middle, of.unit), quantity(floor.Bound, of.unit), want)})
		}
		if len(cases) == 0 {
			findings = append(findings, noMatch(floor.Name, KindFloor, floor.Selector))
		}
		findings = append(findings, judgeBounds(bounds, in.levels)...)
	}
	return findings
}
