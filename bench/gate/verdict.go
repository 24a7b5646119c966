// Package gate holds runs against a policy and says pass, fail or inconclusive: against a baseline, floors, the
// model, other algorithms, and against results that are wrong or missing.
//
// It stands between the run folders and the reports: results of launches go in, a Verdict comes out, plain data that
// the reports print. The unit of replication is the launch, a fresh start of all ranks; docs/gating.md explains the
// statistics.
package gate

import (
	"fmt"
	"strings"

	"collbench/bench"
	"collbench/bench/unit"
)

// VerdictSchema is the name of what a verdict is as JSON.
const VerdictSchema = "collbench.verdict/1"

// Outcome is what becomes of a gate or of one of its findings.
type Outcome string

// The outcomes. Inconclusive: too little was measured, or not under like conditions; it is never a pass.
const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
)

// Kind says what a finding is about.
type Kind string

// The kinds.
const (
	KindFloor       Kind = "floor"       // against an absolute bound
	KindBaseline    Kind = "baseline"    // slower or not than the baseline, by the same algorithm
	KindFlipped     Kind = "flipped"     // another algorithm ran than in the baseline
	KindModel       Kind = "model"       // against what the model says it must cost
	KindAlgorithm   Kind = "algorithm"   // which algorithm must be shown to have run
	KindVariant     Kind = "variant"     // one algorithm or variant against another
	KindStraggler   Kind = "straggler"   // one rank against the others
	KindWrong       Kind = "wrong"       // elements of a result
	KindFailed      Kind = "failed"      // a case that did not end
	KindMissing     Kind = "missing"     // a case that one side lacks, or nothing to compare at all
	KindEnvironment Kind = "environment" // conditions that are not alike
)

// Finding is what one rule says of one case, of several neighbouring sizes together, or of the whole run.
type Finding struct {
	Rule    string       `json:"rule"` // its name in the policy
	Kind    Kind         `json:"kind"`
	Outcome Outcome      `json:"outcome"`
	Cases   []bench.Case `json:"cases,omitempty"` // one; neighbouring sizes by size; none: the whole run
	Message string       `json:"message"`         // one sentence: what, where, how much, how sure, what would have been detectable

	Measured   *float64 `json:"measured,omitempty"`   // in Unit
	Reference  *float64 `json:"reference,omitempty"`  // in Unit: of the baseline, floor, model or other algorithm
	Unit       string   `json:"unit,omitempty"`       // "s", "B/s" or "elements"
	Ratio      *float64 `json:"ratio,omitempty"`      // Measured ÷ Reference as estimated from the launches
	Low        *float64 `json:"low,omitempty"`        // of the 95 % interval of Ratio
	High       *float64 `json:"high,omitempty"`       // likewise
	P          *float64 `json:"p,omitempty"`          // adjusted for all that was tested; absent where nothing was tested
	Detectable *float64 `json:"detectable,omitempty"` // a loss, as a fraction, that would have been failed in 95 % of gates
}

// What names what was carried out: "all_reduce 4 MiB ring", "all_reduce 64 KiB … 4 MiB ring", or "the run".
func (f Finding) What() string {
	switch len(f.Cases) {
	case 0:
		return "the run"
	case 1:
		return withVariant(f.Cases[0].String(), f.Cases[0])
	}
	first, last := f.Cases[0], f.Cases[len(f.Cases)-1]
	name := fmt.Sprintf("%s %s … %s", first.What.Name(), unit.Bytes(first.What.Bytes), unit.Bytes(last.What.Bytes))
	if first.What.Operation == "" {
		name += " " + first.What.Algorithm
	}
	return withVariant(name, first)
}

func withVariant(name string, c bench.Case) string {
	if c.How.Variant != "" {
		name += " " + c.How.Variant
	}
	return name
}

// Where names where it was carried out: "4 ranks on 4 hosts, host over tcp"; empty for the whole run.
func (f Finding) Where() string {
	if len(f.Cases) == 0 {
		return ""
	}
	c := f.Cases[0]
	text := plural(c.Where.Ranks, "rank")
	if c.Where.Hosts > 0 {
		text += " on " + plural(c.Where.Hosts, "host")
	}
	text += ", " + c.How.Backend
	if c.How.Transport != "" {
		text += " over " + c.How.Transport
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Verdict is what a gate says: fail if a finding fails, else inconclusive if one is or nothing was compared, else
// pass.
type Verdict struct {
	Schema      string    `json:"schema"`
	Outcome     Outcome   `json:"outcome"`
	Findings    []Finding `json:"findings"`    // the failed ones first, then the inconclusive ones
	Differences []string  `json:"differences"` // of the environments of the two sides, one sentence each
	Compared    int       `json:"compared"`    // cases that a rule has judged
	Launches    [2]int    `json:"launches"`    // of the baseline and of the run; 0 without a baseline
	BaseRun     string    `json:"base_run,omitempty"`
	NewRun      string    `json:"run"`
	Statement   string    `json:"statement"`            // one sentence on the whole: what it says and what was detectable
	Detectable  *float64  `json:"detectable,omitempty"` // as a Finding's, at the case where it is largest
}
