package gate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/stat"
)

// relativeRule is the rule's name in findings.
const relativeRule = "relative"

// family is the cases that the same launches of both sides have measured, so that one test can look at all of them.
type family struct {
	cases         []bench.Case
	base, changed []launch
}

// judgeRelative compares the changed side with the baseline.
func judgeRelative(in *input) (findings []Finding) {
	switch {
	case in.base == nil && in.policy.Relative.Required:
		return []Finding{{Rule: relativeRule, Kind: KindMissing, Outcome: Inconclusive, Message: "the policy asks for a comparison, and there is no baseline"}}
	case in.base == nil:
		return nil
	}
	if id := in.onBothSides(); id != "" {
		findings = append(findings, Finding{Rule: relativeRule, Kind: KindEnvironment, Outcome: Inconclusive,
			Message: fmt.Sprintf("run %s stands on both sides: a run held against itself shows nothing", id)})
	}
	if len(in.unlike) > 0 {
		findings = append(findings, Finding{Rule: relativeRule, Kind: KindEnvironment, Outcome: Inconclusive,
			Message: fmt.Sprintf("the baseline is of another environment (%s): nothing can be held against it", strings.Join(in.unlike, ", "))})
	}
	families, missing := in.families()
	findings = append(findings, missing...)
	total := 0
	for _, f := range families {
		total += len(f.cases)
	}
	summary := relativeSummary{}
	for _, f := range families {
		findings = append(findings, in.compare(f, float64(len(f.cases))/float64(total), &summary)...)
	}
	in.statement, in.largest = summary.statement(total), summary.detectable
	return findings
}

// onBothSides is the first run that is part of both sides; "" if there is none.
func (in *input) onBothSides() string {
	for _, a := range in.base.runs {
		if slices.ContainsFunc(in.changed.runs, func(b Run) bool { return a.Info.ID == b.Info.ID }) {
			return a.Info.ID
		}
	}
	return ""
}

// families groups the cases that both sides have by the launches that measured them; the others are missing.
func (in *input) families() (all []family, missing []Finding) {
	byLaunches := map[string]int{}
	for _, c := range sortedCases(union(in.base.cases(), in.changed.cases())) {
		f := family{cases: []bench.Case{c}}
		key := ""
		for i, l := range in.base.launches {
			if _, ok := l.measured(c); ok {
				f.base = append(f.base, l)
				key += fmt.Sprintf(" %d", i)
			}
		}
		key += " /"
		for i, l := range in.changed.launches {
			if _, ok := l.measured(c); ok {
				f.changed = append(f.changed, l)
				key += fmt.Sprintf(" %d", i)
			}
		}
		before, now := in.base.whyMissing(c), in.changed.whyMissing(c)
		switch {
		case len(f.base) == 0 && len(f.changed) == 0 && before == string(bench.Skipped) && now == before:
			continue // neither side can carry it out
		case len(f.changed) == 0:
			missing = append(missing, finding(relativeRule, KindMissing, Inconclusive, c).say("no figure to compare: %s", now))
			continue
		case len(f.base) == 0:
			missing = append(missing, finding(relativeRule, KindMissing, Inconclusive, c).say("the baseline has no figure: %s", before))
			continue
		}
		if at, ok := byLaunches[key]; ok {
			all[at].cases = append(all[at].cases, c)
			continue
		}
		byLaunches[key] = len(all)
		all = append(all, f)
	}
	return all, missing
}

func union(a, b []bench.Case) []bench.Case {
	seen := map[bench.Case]bool{}
	var all []bench.Case
	for _, c := range slices.Concat(a, b) {
		if !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}

// sample makes the matrix of a family.
func (in *input) sample(f family) Sample {
	var s Sample
	rows := func(launches []launch) (rows [][]float64) {
		for _, l := range launches {
			row := make([]float64, len(f.cases))
			for k, c := range f.cases {
				t, _ := l.measured(c)
				row[k] = math.Log(t)
			}
			rows = append(rows, row)
		}
		return rows
	}
	s.Base, s.New = rows(f.base), rows(f.changed)
	for k, c := range f.cases {
		if k > 0 && but(c) == but(f.cases[k-1]) {
			s.Groups[len(s.Groups)-1]++
		} else {
			s.Groups = append(s.Groups, 1)
		}
	}
	if order, ok := interleaved(f.base, f.changed); ok {
		s.Order = order
	} else {
		s.Between = Sessions(in.policy.Relative.Between, in.base.sessions(), in.changed.sessions())
	}
	return s
}

// compare judges one family with its share of the chance of a wrong fail.
func (in *input) compare(f family, share float64, total *relativeSummary) (findings []Finding) {
	if least := min(len(f.base), len(f.changed)); least < in.policy.Relative.Launches {
		for _, c := range f.cases {
			findings = append(findings, in.tooFew(f, c))
		}
		return findings
	}
	levels := Levels{Fail: in.levels.Fail * share, Pass: in.levels.Pass}
	s := in.sample(f)
	r := result{family: f, sample: s, Comparison: in.policy.Relative.Compare(s, levels, false), levels: levels, share: share, in: in}
	total.add(r)
	for k := range f.cases {
		findings = append(findings, r.single(k))
	}
	return append(findings, r.together()...)
}

// tooFew says what there is of a case, and that it is not enough.
func (in *input) tooFew(f family, c bench.Case) Finding {
	var sides [2][]float64
	for i, launches := range [][]launch{f.base, f.changed} {
		for _, l := range launches {
			t, _ := l.measured(c)
			sides[i] = append(sides[i], t)
		}
	}
	ratio, _ := stat.RatioInterval(sides[0], sides[1], 0.025)
	g := finding(relativeRule, KindBaseline, Inconclusive, c)
	g.Measured, g.Reference, g.Unit, g.Ratio = pointer(stat.Median(sides[1])), pointer(stat.Median(sides[0])), "s", &ratio.Estimate
	if !math.IsInf(ratio.High, 0) {
		g.Low, g.High = &ratio.Low, &ratio.High
	}
	return g.say("%s of time with too few launches to judge: %d of the baseline and %d now, want %d or more a side: no loss is detectable", percent(ratio.Estimate-1), len(f.base), len(f.changed), in.policy.Relative.Launches)
}
