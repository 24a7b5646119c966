package certify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/gate"
	"collbench/bench/stat"
	"collbench/bench/store"
	"collbench/bench/unit"
)

// judge holds the launches of a step against its criteria. The rules with statistics are the gate's.
func judge(p Profile, s Step, runs []store.Run) (findings []Finding, figures []Figure, err error) {
	if runs, err = onLineRate(p.LineRate, runs); err != nil {
		return nil, nil, err
	}
	right := 0
	cases := casesOf(runs)
	for i, c := range cases {
		if why, skipped := skippedIn(runs, c); skipped {
			findings = append(findings, Finding{Inconclusive, fmt.Sprintf("%s: skipped: %s", named(c), why)})
			continue
		}
		largest := i == len(cases)-1 || !alike(c, cases[i+1])
		own, ok := judgeCase(p, s, runs, c, largest)
		findings = append(findings, own...)
		if ok {
			right++
		}
		figures = append(figures, figureOf(p, runs, c, largest))
	}
	findings = append(findings, judgeFaster(s.Accept.Faster, runs)...)
	if s.Kind == Train {
		findings = append(findings, judgeOverlap(s.Accept.Overlap, runs, cases)...)
	}
	switch {
	case len(cases) == 0:
		findings = append(findings, Finding{Inconclusive, "nothing was measured"})
	case right > 0:
		findings = append(findings, Finding{Pass, fmt.Sprintf("every element right in %s, in all of %s", plural(right, "case"), plural(len(runs), "launch"))})
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return severity[b.Outcome] - severity[a.Outcome] })
	return findings, figures, nil
}

// judgeCase judges one case over the launches. right: it was verified in all of them.
func judgeCase(p Profile, s Step, runs []store.Run, c bench.Case, largest bool) (findings []Finding, right bool) {
	policy := gate.DefaultPolicy()
	policy.Verified = true
	if largest {
		rules(&policy, p, s, runs, c)
	}
	right = true
	for _, f := range gate.Judge(policy, nil, only(runs, func(o bench.Case) bool { return o == c }), gate.Fixed).Findings {
		switch {
		case f.Kind == gate.KindWrong && f.Outcome == gate.Pass:
			continue // said once for all cases
		case f.Kind == gate.KindWrong || f.Kind == gate.KindFailed:
			right = false
		case f.Kind == gate.KindMissing && len(f.Cases) == 0:
			continue // that no rule was there is no finding
		}
		findings = append(findings, Finding{Outcome(f.Outcome), sentence(p, s, runs, f)})
	}
	if n := launchesWith(runs, c); n < len(runs) {
		right = false
		findings = append(findings, Finding{Inconclusive, fmt.Sprintf("%s: measured in %d of %s", named(c), n, plural(len(runs), "launch"))})
	}
	if why := withheld(runs, c); why != "" {
		findings = append(findings, Finding{Inconclusive, named(c) + ": " + why})
	}
	if largest && s.Accept.LineRate > 0 && linkBytes(runs, c) == 0 {
		findings = append(findings, Finding{Inconclusive, named(c) + ": not held against the line rate: nothing that is known of it crosses a link between hosts"})
	}
	if largest && s.Accept.Repeatability > 0 {
		findings = append(findings, judgeRepeatability(s.Accept.Repeatability, runs, c))
	}
	return findings, right
}

// Names of the rules among the gate's findings.
const (
	ruleLine  = "line rate"
	ruleModel = "model"
)

// rules are the gate's rules for one case.
func rules(policy *gate.Policy, p Profile, s Step, runs []store.Run, c bench.Case) {
	floor := func(metric string, bound float64) {
		if bound > 0 {
			policy.Floors = append(policy.Floors, gate.Floor{Name: metric, Metric: metric, Bound: bound})
		}
	}
	floor("busbw", s.Accept.BusBW)
	floor("algbw", s.Accept.AlgBW)
	floor("time", s.Accept.Time)
	if s.Accept.Model > 0 {
		policy.Models = append(policy.Models, gate.ModelShare{Name: ruleModel, AtLeast: s.Accept.Model})
	}
	if bytes := linkBytes(runs, c); s.Accept.LineRate > 0 && bytes > 0 {
		policy.Floors = append(policy.Floors, gate.Floor{Name: ruleLine, Metric: "time", Bound: bytes / (s.Accept.LineRate * p.LineRate)})
	}
}

// sentence is what a finding of the gate says, of the line rate and the model in their own terms.
func sentence(p Profile, s Step, runs []store.Run, f gate.Finding) (text string) {
	if f.Measured == nil || f.Reference == nil || f.Rule != ruleLine && f.Rule != ruleModel {
		return f.Message
	}
	reached := *f.Reference / *f.Measured
	if f.Rule == ruleLine {
		text = fmt.Sprintf("%s (%s): the links between hosts reach %s of their line rate of %s, want %s or more (%s)", f.What(), f.Where(),
			unit.Percent(reached*s.Accept.LineRate), unit.BitRate(p.LineRate), unit.Percent(s.Accept.LineRate), unit.Seconds(*f.Measured))
	} else {
		text = fmt.Sprintf("%s (%s): %s of the bandwidth that the model predicts for links of %s, want %s or more (%s)", f.What(), f.Where(),
			unit.Percent(reached*s.Accept.Model), unit.BitRate(p.LineRate), unit.Percent(s.Accept.Model), unit.Seconds(*f.Measured))
	}
	if f.Outcome == gate.Inconclusive && f.Low != nil && f.High != nil {
		text += fmt.Sprintf("; the launches leave open which: from %s to %s of the time that is wanted", unit.Percent(*f.Low), unit.Percent(*f.High))
	}
	if slow := slower(p.LineRate, runs); slow != "" {
		text += "; " + slow
	}
	return text
}

// slower names the links of a virtual cluster that are set to less than the line rate.
func slower(rate float64, runs []store.Run) string {
	var list []string
	for _, l := range runs[0].Info.Links {
		if least := min(l.Transmit, l.Receive); least < rate {
			list = append(list, fmt.Sprintf("the link of %s is set to %s", l.Host, unit.BitRate(least)))
		}
	}
	return strings.Join(list, ", ")
}

// judgeRepeatability holds the launches against each other.
func judgeRepeatability(most float64, runs []store.Run, c bench.Case) Finding {
	times := timesOf(runs, c)
	if len(times) < 2 {
		return Finding{Inconclusive, fmt.Sprintf("%s: repeatability: %s with a figure, want 2 or more", named(c), plural(len(times), "launch"))}
	}
	f := Finding{Pass, fmt.Sprintf("%s: launches differ by up to %s (%s … %s), want %s or less", named(c), unit.Percent(spread(times)),
		unit.Seconds(slices.Min(times)), unit.Seconds(slices.Max(times)), unit.Percent(most))}
	if spread(times) > most {
		f.Outcome = Fail
	}
	return f
}

// judgeFaster compares two algorithms, or variants of one, at the largest size.
func judgeFaster(rule *Faster, runs []store.Run) (findings []Finding) {
	if rule == nil {
		return nil
	}
	var largest int64
	for _, c := range casesOf(runs) {
		largest = max(largest, c.What.Bytes)
	}
	policy := gate.DefaultPolicy()
	policy.Variants = []gate.Speedup{{Name: "faster", Faster: contender(rule.This), Than: contender(rule.Than), By: rule.By}}
	verdict := gate.Judge(policy, nil, only(runs, func(c bench.Case) bool { return c.What.Bytes == largest }), gate.Fixed)
	for _, f := range verdict.Findings {
		if f.Rule == "faster" {
			findings = append(findings, Finding{Outcome(f.Outcome), f.Message})
		}
	}
	return findings
}

func contender(word string) gate.Contender {
	algorithm, variant, _ := strings.Cut(word, " ")
	return gate.Contender{Algorithm: algorithm, Variant: variant}
}

// only leaves of the runs those results whose case is wanted.
func only(runs []store.Run, wanted func(bench.Case) bool) (list []gate.Run) {
	for _, r := range runs {
		one := gate.Run{Info: r.Info}
		for _, result := range r.Results {
			if wanted(result.Case) {
				one.Results = append(one.Results, result)
			}
		}
		list = append(list, one)
	}
	return list
}

// casesOf lists the cases of the runs, neighbours in size beside each other, the largest last.
func casesOf(runs []store.Run) (cases []bench.Case) {
	for _, run := range runs {
		for _, r := range run.Results {
			if !slices.Contains(cases, r.Case) {
				cases = append(cases, r.Case)
			}
		}
	}
	slices.SortStableFunc(cases, func(a, b bench.Case) int {
		return cmp.Or(cmp.Compare(a.What.Name(), b.What.Name()), cmp.Compare(fmt.Sprint(sizeless(a)), fmt.Sprint(sizeless(b))), cmp.Compare(a.What.Bytes, b.What.Bytes))
	})
	return cases
}

// sizeless is the case without its size, and alike says whether two cases differ in that alone.
func sizeless(c bench.Case) bench.Case {
	c.What.Bytes = 0
	return c
}

func alike(a, b bench.Case) bool { return sizeless(a) == sizeless(b) }

// named names a case among those of its step.
func named(c bench.Case) string {
	return strings.TrimSpace(c.String() + " " + c.How.Variant)
}

// skippedIn says why a case was skipped.
func skippedIn(runs []store.Run, c bench.Case) (why string, skipped bool) {
	for _, run := range runs {
		for _, r := range run.Results {
			if r.Case == c && r.Status == bench.Skipped {
				return r.Error, true
			}
		}
	}
	return "", false
}

// launchesWith counts the launches that have a result of the case.
func launchesWith(runs []store.Run, c bench.Case) (n int) {
	for _, run := range runs {
		if slices.ContainsFunc(run.Results, func(r bench.Result) bool { return r.Case == c }) {
			n++
		}
	}
	return n
}

// withheld says why a case has no figure, or no proof, in one of the launches.
func withheld(runs []store.Run, c bench.Case) string {
	for _, run := range runs {
		for _, r := range run.Results {
			switch {
			case r.Case != c || r.Status != bench.Unproven:
			case r.Error != "":
				return r.Error
			default:
				return "unproven: nothing shows which algorithm ran"
			}
		}
	}
	return ""
}

// spread is the largest difference between values as a fraction of the middle one.
func spread(values []float64) float64 {
	return (slices.Max(values) - slices.Min(values)) / stat.Median(values)
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "ch"):
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
