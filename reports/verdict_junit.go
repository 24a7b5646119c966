package reports

import (
	"fmt"
	"io"
	"strings"

	"collbench/bench"
	"collbench/bench/gate"
	"collbench/bench/unit"
)

// VerdictJUnit writes a test case for each finding of a gate: for each operation and size, by the rule that judged
// it. What failed is a failure, a case that did not end an error, and what is inconclusive is skipped: never a pass.
// The gate as a whole is a test case where no finding has its outcome, as when nothing was compared.
func VerdictJUnit(w io.Writer, v gate.Verdict) error {
	suite := newJUnitSuite("collbench gate", bench.RunInfo{})
	suite.property("run", v.NewRun)
	suite.property("baseline", v.BaseRun)
	suite.property("environment", strings.Join(v.Differences, "; "))
	said := false
	for _, f := range v.Findings {
		said = said || f.Outcome == v.Outcome
		suite.add(junitFinding(f))
	}
	if !said {
		suite.add(junitFinding(gate.Finding{Rule: "gate", Kind: gate.KindMissing, Outcome: v.Outcome, Message: v.Statement}))
	}
	return writeJUnit(w, suite)
}

func junitFinding(f gate.Finding) junitCase {
	c := junitCase{Name: oneLine(f.What()), Class: "collbench." + oneLine(f.Rule), Out: oneLine(findingFigures(f))}
	if where := f.Where(); where != "" {
		c.Name += " (" + oneLine(where) + ")"
	}
	outcome := &junitOutcome{Type: string(f.Kind), Message: oneLine(f.Message)}
	switch {
	case f.Outcome == gate.Pass:
	case f.Outcome == gate.Fail && f.Kind == gate.KindFailed:
		c.Error = outcome
	case f.Outcome == gate.Fail:
		c.Failure = outcome
	default:
		c.Skipped = outcome
	}
	return c
}

// findingFigures are the numbers of a finding, as far as it has them: "measured 1.20 ms, reference 1.00 ms, …".
func findingFigures(f gate.Finding) string {
	var parts []string
	add := func(what string, v *float64, text func(float64) string) {
		if v != nil {
			parts = append(parts, what+" "+text(*v))
		}
	}
	in := func(v float64) string {
		switch f.Unit {
		case "s":
			return unit.Seconds(v)
		case "B/s":
			return unit.Bandwidth(v)
		}
		return strings.TrimSpace(fmt.Sprintf("%g %s", v, f.Unit))
	}
	plain := func(v float64) string { return fmt.Sprintf("%.4g", v) }
	add("measured", f.Measured, in)
	add("reference", f.Reference, in)
	add("ratio", f.Ratio, plain)
	add("from", f.Low, plain)
	add("to", f.High, plain)
	add("p", f.P, plain)
	add("detectable", f.Detectable, percent)
	return strings.Join(parts, ", ")
}
