package reports

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/gate"
)

// verdictOf is a verdict with a finding of each kind of outcome; all text in it is hostile.
func verdictOf(outcome gate.Outcome, findings ...gate.Finding) gate.Verdict {
	return gate.Verdict{Schema: gate.VerdictSchema, Outcome: outcome, Findings: findings, Differences: []string{hostile}, NewRun: hostile, BaseRun: hostile, Statement: hostile}
}

func finding(kind gate.Kind, outcome gate.Outcome) gate.Finding {
	v := 1.25e-3
	c := bench.Case{What: bench.What{Algorithm: "ring", Bytes: 4 << 20}, How: bench.How{Backend: hostile, Variant: hostile}, Where: bench.Where{Ranks: 8, Hosts: 8}}
	return gate.Finding{Rule: hostile, Kind: kind, Outcome: outcome, Cases: []bench.Case{c}, Message: hostile, Measured: &v, Unit: "s"}
}

func everyFinding() gate.Verdict {
	return verdictOf(gate.Fail, finding(gate.KindBaseline, gate.Fail), finding(gate.KindFailed, gate.Fail), finding(gate.KindMissing, gate.Inconclusive), finding(gate.KindFloor, gate.Pass))
}

func verdictText(t *testing.T, write func(io.Writer, gate.Verdict) error, v gate.Verdict) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A regression is a failure, a crash an error, an inconclusive finding skipped; comparing nothing is no pass.
func TestVerdictJUnit(t *testing.T) {
	for name, c := range map[string]struct {
		verdict                        gate.Verdict
		tests, failures, errors, skips int
	}{
		"every":       {everyFinding(), 4, 1, 1, 1},
		"nothing":     {verdictOf(gate.Inconclusive), 1, 0, 0, 1},
		"lost reason": {verdictOf(gate.Fail, finding(gate.KindFloor, gate.Pass)), 2, 1, 0, 0},
		"pass":        {verdictOf(gate.Pass, finding(gate.KindFloor, gate.Pass)), 1, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			text := verdictText(t, VerdictJUnit, c.verdict)
			var got junitSuites
			if err := xml.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if got.Tests != c.tests || got.Failures != c.failures || got.Errors != c.errors || got.Suites[0].Skipped != c.skips {
				t.Errorf("%d tests, %d failures, %d errors, %d skipped", got.Tests, got.Failures, got.Errors, got.Suites[0].Skipped)
			}
			validJUnit(t, name, text)
		})
	}
}

func TestVerdictGitHub(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(verdictText(t, VerdictGitHub, everyFinding())), "\n")
	var levels []string
	for _, line := range lines {
		m := command.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no annotation: %q", line)
		}
		levels = append(levels, m[1])
	}
	if got := strings.Join(levels, " "); got != "error error warning error" {
		t.Errorf("levels %s", got)
	}
	if text := verdictText(t, VerdictGitHub, verdictOf(gate.Inconclusive)); !strings.HasPrefix(text, "::warning title=collbench%3A inconclusive::") {
		t.Errorf("nothing compared: %s", text)
	}
}

func TestVerdictMarkdown(t *testing.T) {
	text := verdictText(t, VerdictMarkdown, everyFinding())
	rows := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			rows++
			if n := len(unescapedBar.FindAllString(line, -1)); n != 6 {
				t.Errorf("%d bars, want 6: %s", n, line)
			}
		}
	}
	if rows != 2+3 || !strings.Contains(text, "❌ collbench: FAIL") || !strings.Contains(text, "\n1 finding passed.\n") || strings.Contains(text, "<script") {
		t.Error(text)
	}
}
