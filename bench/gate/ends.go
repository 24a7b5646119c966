package gate

import (
	"fmt"

	"collbench/bench"
)

// judgeEnds fails every case that did not end in a launch of the changed side, and says which were interrupted.
func judgeEnds(in *input) (findings []Finding) {
	for _, c := range in.changed.cases() {
		failed, interrupted, first := 0, 0, ""
		for _, l := range in.changed.launches {
			switch r := l.results[c]; r.Status {
			case bench.Failed:
				failed++
				if first == "" {
					first = r.Error
				}
			case bench.Interrupted:
				interrupted++
			}
		}
		n := plural(len(in.changed.launches), "launch")
		switch {
		case failed > 0:
			findings = append(findings, finding("ends", KindFailed, Fail, c).say("failed in %d of %s: %s", failed, n, first))
		case interrupted > 0:
			findings = append(findings, finding("ends", KindFailed, Inconclusive, c).say("interrupted in %d of %s", interrupted, n))
		}
	}
	return findings
}

// judgeWrong fails every case whose result was wrong, and says of which nobody knows where the policy asks that.
func judgeWrong(in *input) (findings []Finding) {
	for _, c := range in.changed.cases() {
		var most int64
		wrong, unknown, verified := 0, 0, 0
		for _, l := range in.changed.launches {
			r, ok := l.results[c]
			switch {
			case !ok || r.Status == bench.Skipped || r.Status == bench.Failed || r.Status == bench.Interrupted:
			case r.Wrong != nil && *r.Wrong > 0:
				wrong++
				most = max(most, *r.Wrong)
			case r.Status == bench.Wrong:
				wrong++
			case r.Wrong == nil:
				unknown++
			default:
				verified++
			}
		}
		switch {
		case wrong > 0:
			f := finding("wrong", KindWrong, Fail, c)
			f.Measured, f.Reference, f.Unit = pointer(float64(most)), pointer(0.0), "elements"
			findings = append(findings, f.say("wrong in %d of %s: up to %d elements", wrong, plural(len(in.changed.launches), "launch"), most))
		case unknown > 0 && in.policy.Verified:
			findings = append(findings, finding("wrong", KindWrong, Inconclusive, c).say("not verified in %d of %s", unknown, plural(len(in.changed.launches), "launch")))
		case verified > 0 && in.policy.Verified:
			f := finding("wrong", KindWrong, Pass, c)
			f.Measured, f.Reference, f.Unit = pointer(0.0), pointer(0.0), "elements"
			findings = append(findings, f.say("right in all of %s that verified it", plural(verified, "launch")))
		}
	}
	return findings
}

// noMatch is the finding of a rule that found no case to judge.
func noMatch(rule string, kind Kind, selector Selector) Finding {
	return Finding{Rule: rule, Kind: KindMissing, Outcome: Inconclusive,
		Message: fmt.Sprintf("rule %s (%s): no case of the run matches %s: nothing was compared", rule, kind, selector)}
}
