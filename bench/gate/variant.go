package gate

import (
	"fmt"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/unit"
)

// Speedup asks that one algorithm or variant is so many times as fast as another.
type Speedup struct {
	Name         string
	Selector     Selector
	Faster, Than Contender
	By           float64 // time of Than ÷ time of Faster, at least
}

// Contender is an algorithm, with a variant of its settings or without.
type Contender struct{ Algorithm, Variant string }

// judgeVariants compares in each launch the two times that stand beside each other.
func judgeVariants(in *input) (findings []Finding) {
	for _, rule := range in.policy.Variants {
		var bounds []bound
		found := false
		for _, c := range rule.Selector.matching(in.changed.cases()) {
			if c.What.Algorithm != rule.Faster.Algorithm || c.How.Variant != rule.Faster.Variant {
				continue
			}
			found = true
			other, ok := in.changed.counterpart(c, rule.Than)
			if !ok {
				findings = append(findings, finding(rule.Name, KindMissing, Inconclusive, c).say("the run has no %s to hold it against", rule.Than))
				continue
			}
			var times, others, ratios []float64
			for _, l := range in.changed.launches {
				a, okA := l.measured(c)
				b, okB := l.measured(other)
				if okA && okB {
					times, others, ratios = append(times, a), append(others, b), append(ratios, b/a/rule.By)
				}
			}
			if len(times) == 0 {
				findings = append(findings, finding(rule.Name, KindMissing, Inconclusive, c).say("no launch has figures of it and of %s: %s", rule.Than, in.changed.whyMissing(c)))
				continue
			}
			a, b := stat.Median(times), stat.Median(others)
			bounds = append(bounds, bound{rule.Name, KindVariant, c, ratios, a, b / rule.By, "s",
				fmt.Sprintf("%.3g × as fast as %s (%s against %s), want %.3g × or more", b/a, rule.Than, unit.Seconds(a), unit.Seconds(b), rule.By)})
		}
		if !found {
			findings = append(findings, noMatch(rule.Name, KindVariant, rule.Selector))
		}
		findings = append(findings, judgeBounds(bounds, in.levels)...)
	}
	return findings
}

// counterpart is the same case by another contender.
func (s side) counterpart(c bench.Case, by Contender) (bench.Case, bool) {
	c.What.Algorithm, c.How.Variant = by.Algorithm, by.Variant
	for _, l := range s.launches {
		if _, ok := l.results[c]; ok {
			return c, true
		}
	}
	return c, false
}

// String names the contender: "ring proto=simple".
func (c Contender) String() string {
	if c.Variant == "" {
		return c.Algorithm
	}
	return c.Algorithm + " " + c.Variant
}
