package gate

import (
	"fmt"

	"collbench/bench/stat"
	"collbench/bench/unit"
)

// ModelShare asks for a share of the bandwidth that the model of the run's machine predicts.
type ModelShare struct {
	Name     string
	Selector Selector
	AtLeast  float64 // fraction
}

// judgeModel holds times against the model's.
func judgeModel(in *input) (findings []Finding) {
	for _, rule := range in.policy.Models {
		var bounds []bound
		cases := rule.Selector.matching(in.changed.cases())
		for _, c := range cases {
			var times, ratios []float64
			predicted := 0.0
			for _, row := range in.changed.rows(c) {
				if row.Model == nil || row.Seconds == nil {
					continue
				}
				predicted = row.Model.Seconds
				times = append(times, row.Seconds.Median)
				ratios = append(ratios, predicted/row.Seconds.Median/rule.AtLeast)
			}
			if len(times) == 0 {
				why := "the run has no model of its machine"
				if len(in.changed.times(c)) == 0 {
					why = in.changed.whyMissing(c)
				}
				findings = append(findings, finding(rule.Name, KindMissing, Inconclusive, c).say("not held against the model: %s", why))
				continue
			}
			middle := stat.Median(times)
			bounds = append(bounds, bound{rule.Name, KindModel, c, ratios, middle, predicted / rule.AtLeast, "s",
				fmt.Sprintf("%s of the model's bandwidth (%s against the model's %s), want %s or more", unit.Percent(predicted/middle), unit.Seconds(middle), unit.Seconds(predicted), unit.Percent(rule.AtLeast))})
		}
		if len(cases) == 0 {
			findings = append(findings, noMatch(rule.Name, KindModel, rule.Selector))
		}
		findings = append(findings, judgeBounds(bounds, in.levels)...)
	}
	return findings
}
