package gate

import (
	"fmt"
	"math"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/unit"
)

// leastForBound is the least number of launches for which an absolute bound is judged: fewer tell no spread.
const leastForBound = 3

// bound is one figure against one reference that it has to reach.
type bound struct {
	rule      string
	kind      Kind
	c         bench.Case
	ratios    []float64 // of each launch: measured ÷ reference, at least 1 if the reference is reached
	measured  float64   // the median over the launches, in unit
	reference float64   // in unit
	unit      string
	what      string // "busbw 412.3 GB/s, want 480.0 GB/s or more"
}

// judgeBounds judges the bounds of one rule, adjusted for their number by Holm. A bound fails if its launches are
// surely short of it, passes if they surely reach it, and is inconclusive between. The interval is Student's for the
// mean of logarithms.
func judgeBounds(bounds []bound, levels Levels) (findings []Finding) {
	p := make([]float64, len(bounds))
	for i, b := range bounds {
		_, p[i], _ = stat.MeanInterval(logarithms(b.ratios), 0.025)
	}
	adjusted := stat.Holm(p)
	for i, b := range bounds {
		f := finding(b.rule, b.kind, Inconclusive, b.c)
		f.Measured, f.Reference, f.Unit = pointer(b.measured), pointer(b.reference), b.unit
		both, _, ok := stat.MeanInterval(logarithms(b.ratios), 0.025)
		if !ok {
			findings = append(findings, f.say("%s: %s, want %d or more", b.what, plural(len(b.ratios), "launch"), leastForBound))
			continue
		}
		one, _, _ := stat.MeanInterval(logarithms(b.ratios), levels.Pass)
		f.P = pointer(adjusted[i])
		f.Ratio, f.Low, f.High = pointer(math.Exp(both.Estimate)), pointer(math.Exp(both.Low)), pointer(math.Exp(both.High))
		least := math.Expm1(stat.Detectable(detectablePower, (both.Estimate-one.Low)/stat.NormalQuantile(1-levels.Pass), stat.NormalQuantile(1-levels.Fail/float64(len(bounds)))))
		f.Detectable = pointer(least)
		switch {
		case adjusted[i] <= levels.Fail:
			f.Outcome = Fail
		case one.Low >= 0:
			f.Outcome = Pass
		}
		findings = append(findings, f.say("%s: %s of it (95 %%: %s … %s, %s, p = %s); %s below it would have been failed in 95 %% of gates", b.what, unit.Percent(*f.Ratio),
			unit.Percent(*f.Low), unit.Percent(*f.High), plural(len(b.ratios), "launch"), probability(adjusted[i]), unit.Percent(least)))
	}
	return findings
}

func logarithms(ratios []float64) []float64 {
	l := make([]float64, len(ratios))
	for i, r := range ratios {
		l[i] = math.Log(r)
	}
	return l
}

// probability writes a p-value.
func probability(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("%.2g", p)
}
