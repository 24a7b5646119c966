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
	ratios    []float64 // of each launch: how much of the reference is reached, 1 or more if it is
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
		reached := stat.Interval{Estimate: math.Exp(both.Estimate), Low: math.Exp(both.Low), High: math.Exp(both.High)}
		f.Ratio, f.Low, f.High = pointer(reached.Estimate), pointer(reached.Low), pointer(reached.High)
		if b.unit == "s" { // a time reaches its bound by being smaller
			f.Ratio, f.Low, f.High = pointer(1/reached.Estimate), pointer(1/reached.High), pointer(1/reached.Low)
		}
		standardError := (both.Estimate - one.Low) / stat.NormalQuantile(1-levels.Pass)
		least := math.Expm1(stat.Detectable(detectablePower, standardError, stat.NormalQuantile(1-levels.Fail/float64(len(bounds)))))
		f.Detectable = pointer(least)
		switch {
		case adjusted[i] <= levels.Fail:
			f.Outcome = Fail
		case one.Low >= 0:
			f.Outcome = Pass
		}
		findings = append(findings, f.say("%s: at %s of the bound (95 %%: %s … %s, %s, p = %s); %s short of it would have been failed in 95 %% of gates", b.what, unit.Percent(reached.Estimate),
			unit.Percent(reached.Low), unit.Percent(reached.High), plural(len(b.ratios), "launch"), probability(adjusted[i]), unit.Percent(least)))
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
