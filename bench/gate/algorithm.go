package gate

import "strings"

// Proof asks that an algorithm is shown to have carried out the cases that it selects.
type Proof struct {
	Name      string
	Selector  Selector
	Algorithm string
}

// judgeAlgorithms fails a case that another algorithm carried out; where nothing shows which, it is inconclusive.
func judgeAlgorithms(in *input) (findings []Finding) {
	for _, rule := range in.policy.Algorithms {
		cases := rule.Selector.matching(in.changed.cases())
		if len(cases) == 0 {
			findings = append(findings, noMatch(rule.Name, KindAlgorithm, rule.Selector))
		}
		for _, c := range cases {
			f := finding(rule.Name, KindAlgorithm, Pass, c)
			seen, proved := in.changed.observed(c), 0
			for _, l := range in.changed.launches {
				if l.results[c].Evidence.Observed == rule.Algorithm {
					proved++
				}
			}
			switch {
			case len(seen) > 0 && (len(seen) > 1 || seen[0] != rule.Algorithm):
				f.Outcome = Fail
				f = f.say("ran as %s in %d of %s, want %s", strings.Join(seen, " and "), len(in.changed.launches)-proved, plural(len(in.changed.launches), "launch"), rule.Algorithm)
			case proved < len(in.changed.launches):
				f.Outcome = Inconclusive
				f = f.say("nothing shows in %d of %s that %s ran", len(in.changed.launches)-proved, plural(len(in.changed.launches), "launch"), rule.Algorithm)
			default:
				f = f.say("%s ran in all of %s", rule.Algorithm, plural(proved, "launch"))
			}
			findings = append(findings, f)
		}
	}
	return findings
}
