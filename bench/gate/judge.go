package gate

import (
	"fmt"
	"slices"

	"collbench/bench"
	"collbench/bench/unit"
)

// Rule is one kind of rule of a policy.
type Rule struct {
	Name  string // its key in a policy file; "" for what always holds
	judge func(in *input) []Finding
}

// All lists the kinds of rules in the order in which they are judged.
var All = []Rule{
	{"", judgeEnds},
	{"wrong", judgeWrong},
	{"relative", judgeRelative},
	{"floors", judgeFloors},
	{"model", judgeModel},
	{"algorithms", judgeAlgorithms},
	{"variants", judgeVariants},
	{"stragglers", judgeStragglers},
}

// input is what the rules look at.
type input struct {
	policy    Policy
	base      *side // nil: there is no baseline
	changed   side
	levels    Levels
	unlike    []string // what of the environments differs and must not
	statement string   // set by judgeRelative
	largest   *float64 // likewise: what was detectable at the case where it is largest
}

// Judge holds the runs of the changed side against the policy, and against the baseline's runs if there are any. The
// levels are Fixed for a gate that looks once, or those of a look of many.
func Judge(p Policy, base, changed []Run, levels Levels) Verdict {
	in := &input{policy: p, changed: newSide(changed), levels: levels}
	v := Verdict{Schema: VerdictSchema, NewRun: in.changed.ids(), Findings: []Finding{}, Differences: []string{}}
	v.Launches[1] = len(in.changed.launches)
	if len(base) > 0 {
		b := newSide(base)
		in.base = &b
		v.BaseRun, v.Launches[0] = b.ids(), len(b.launches)
		v.Differences, in.unlike = differences(base, changed, p.Relative.Same)
	}
	for _, rule := range All {
		v.Findings = append(v.Findings, rule.judge(in)...)
	}
	v.Compared = compared(v.Findings)
	if v.Compared == 0 {
		v.Findings = append(v.Findings, Finding{Rule: "nothing compared", Kind: KindMissing, Outcome: Inconclusive, Message: "nothing was compared: no rule found a figure to judge"})
	}
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return severity(b.Outcome) - severity(a.Outcome) })
	v.Outcome, v.Detectable = v.Findings[0].Outcome, in.largest
	v.Statement = in.statement
	if v.Statement == "" {
		v.Statement = fmt.Sprintf("%s judged by absolute rules alone: without a baseline no loss is detectable", plural(v.Compared, "case"))
	}
	return v
}

// severity orders the outcomes.
func severity(o Outcome) int { return slices.Index([]Outcome{Pass, Inconclusive, Fail}, o) }

// compared counts the cases on which a rule came to a figure.
func compared(findings []Finding) int {
	cases := map[bench.Case]bool{}
	for _, f := range findings {
		if f.Kind == KindMissing || f.Kind == KindFailed || f.Kind == KindEnvironment || f.Measured == nil && f.Kind != KindAlgorithm {
			continue
		}
		for _, c := range f.Cases {
			cases[c] = true
		}
	}
	return len(cases)
}

// finding begins a finding about cases.
func finding(rule string, kind Kind, outcome Outcome, cases ...bench.Case) Finding {
	return Finding{Rule: rule, Kind: kind, Outcome: outcome, Cases: cases}
}

// say sets the message, behind what and where it is about.
func (f Finding) say(format string, args ...any) Finding {
	f.Message = f.What()
	if where := f.Where(); where != "" {
		f.Message += " (" + where + ")"
	}
	f.Message += ": " + fmt.Sprintf(format, args...)
	return f
}

func pointer[T any](v T) *T { return &v }

// percent writes a fraction with its sign: "+11.2 %".
func percent(fraction float64) string {
	if fraction >= 0 {
		return "+" + unit.Percent(fraction)
	}
	return "−" + unit.Percent(-fraction)
}

// quantity writes a figure in its unit.
func quantity(v float64, in string) string {
	if in == "s" {
		return unit.Seconds(v)
	}
	return unit.Bandwidth(v)
}
