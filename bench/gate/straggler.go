package gate

import (
	"fmt"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/unit"
)

// Straggler limits how much longer a rank may take than the others do.
type Straggler struct {
	Name     string
	Selector Selector
	Most     float64 // fraction by which a rank's median time may lie above the middle of the other ranks'
}

// judgeStragglers compares each rank's median time with the median of the others', launch by launch. Only collectives
// in which all ranks do the same are looked at. A finding is made for the ranks that are not sure to be within the
// limit, and one for a case where all are.
func judgeStragglers(in *input) (findings []Finding) {
	for _, rule := range in.policy.Stragglers {
		found := false
		for _, c := range rule.Selector.matching(in.changed.cases()) {
			if c.What.Operation != "" || c.What.Collective.Rooted() || c.Where.Ranks < 3 {
				continue
			}
			found = true
			findings = append(findings, in.stragglers(rule, c)...)
		}
		if !found {
			f := noMatch(rule.Name, KindStraggler, rule.Selector)
			f.Message += ": it takes a collective without a root and 3 ranks or more"
			findings = append(findings, f)
		}
	}
	return findings
}

func (in *input) stragglers(rule Straggler, c bench.Case) (findings []Finding) {
	times, others := make([][]float64, c.Where.Ranks), make([][]float64, c.Where.Ranks)
	for _, l := range in.changed.launches {
		r := l.results[c]
		if _, ok := l.measured(c); !ok || alike(r.Seconds) {
			continue
		}
		medians := make([]float64, len(r.Seconds))
		for rank, samples := range r.Seconds {
			medians[rank] = stat.Median(samples)
		}
		for rank, t := range medians {
			rest := append(append([]float64{}, medians[:rank]...), medians[rank+1:]...)
			if m := stat.Median(rest); t > 0 && m > 0 {
				times[rank], others[rank] = append(times[rank], t), append(others[rank], m)
			}
		}
	}
	if len(times[0]) == 0 {
		return []Finding{finding(rule.Name, KindMissing, Inconclusive, c).say("no times of single ranks to compare")}
	}
	var bounds []bound
	for rank := range times {
		var ratios []float64
		for i, t := range times[rank] {
			ratios = append(ratios, others[rank][i]*(1+rule.Most)/t)
		}
		t, o := stat.Median(times[rank]), stat.Median(others[rank])
		bounds = append(bounds, bound{rule.Name, KindStraggler, c, ratios, t, o * (1 + rule.Most), "s",
			fmt.Sprintf("rank %d takes %s, the others %s (%s), want %s or less", rank, unit.Seconds(t), unit.Seconds(o), percent(t/o-1), percent(rule.Most))})
	}
	slowest := Finding{}
	for i, f := range judgeBounds(bounds, in.levels) {
		if f.Outcome != Pass {
			findings = append(findings, f)
		}
		if i == 0 || *f.Measured > *slowest.Measured {
			slowest = f
		}
	}
	if len(findings) == 0 {
		findings = append(findings, slowest)
	}
	return findings
}

// alike says whether all ranks have the same samples: one figure that stands for all of them, as imports have.
func alike(ranks [][]float64) bool {
	for _, samples := range ranks[1:] {
		for i, v := range samples {
			if v != ranks[0][i] {
				return false
			}
		}
	}
	return true
}
