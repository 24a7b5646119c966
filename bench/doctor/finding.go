package doctor

import (
	"fmt"
	"slices"
)

// Status is how a finding is to be taken.
type Status int

// The statuses, from harmless to serious.
const (
	Pass    Status = iota // looked at and right
	Info                  // nothing wrong: absent, not asked for, or good to know
	Unknown               // could not be seen
	Warn                  // costs speed, or may
	Fail                  // does not work, or silently at a fraction of the speed
)

var statusNames = []string{"pass", "info", "unknown", "warn", "fail"}

func (s Status) String() string { return statusNames[s] }

// MarshalText writes the name.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name.
func (s *Status) UnmarshalText(text []byte) error {
	i := slices.Index(statusNames, string(text))
	if i < 0 {
		return fmt.Errorf("unknown status %q: want one of %q", text, statusNames)
	}
	*s = Status(i)
	return nil
}

// Evidence is one thing that was seen, and where.
type Evidence struct {
	Path  string `json:"path"`            // a file, or a command line
	Field string `json:"field,omitempty"` // within it
	Value string `json:"value"`
}

// Finding is what a check says of a machine, or Compare of several.
type Finding struct {
	Check   string     `json:"check"` // id
	Status  Status     `json:"status"`
	Hosts   []string   `json:"hosts,omitempty"` // that differ from the others: of Compare only
	Seen    string     `json:"seen"`            // in a sentence
	Where   []Evidence `json:"where,omitempty"`
	Why     string     `json:"why"` // it matters for collectives
	Advice  string     `json:"advice,omitempty"`
	Sources []string   `json:"sources,omitempty"`

	outcome *Outcome
}

// Outcome is one of the ways in which a check can end.
type Outcome struct {
	Status Status
	When   string // in words, for the docs
	Advice string
	// Absent says that what the check is about is not there: a profile may require it.
	Absent bool
}

// found is a finding with this outcome.
func (o *Outcome) found(where []Evidence, format string, args ...any) Finding {
	return Finding{Status: o.Status, Seen: fmt.Sprintf(format, args...), Where: where, Advice: o.Advice, outcome: o}
}

// Check is one thing that is looked at.
type Check struct {
	ID       string
	What     string     // is checked, in a sentence
	Why      string     // it matters for collectives
	How      string     // it is seen: files, fields, commands
	Outcomes []*Outcome // all that it can end with
	Sources  []string   // URLs or documents
	Look     func(*View) []Finding
}

// Report is what came of one host.
type Report struct {
	Schema   string    `json:"schema"`
	Profile  string    `json:"profile"`
	Host     string    `json:"host,omitempty"` // absent in the replay of a redacted recording
	Findings []Finding `json:"findings"`
	Facts    Facts     `json:"facts"`
}

// ReportSchema is the name of what a Report is as JSON.
const ReportSchema = "collbench.doctor/1"

// Worst is the most serious status of the findings; Pass if there are none.
func Worst(findings []Finding) Status {
	worst := Pass
	for _, f := range findings {
		worst = max(worst, f.Status)
	}
	return worst
}

// worst gives, of findings of one check on several things, the most serious: one for each outcome, with the evidence
// of all.
func worst(found []Finding) []Finding {
	var kept []Finding
	more := map[*Outcome]int{}
	for _, f := range found {
		if f.Status != Worst(found) {
			continue
		}
		i := slices.IndexFunc(kept, func(k Finding) bool { return k.outcome == f.outcome })
		if i < 0 {
			kept = append(kept, f)
			continue
		}
		kept[i].Where = append(kept[i].Where, f.Where...)
		if f.Seen != kept[i].Seen {
			more[f.outcome]++
		}
	}
	for i, f := range kept {
		if n := more[f.outcome]; n > 0 {
			kept[i].Seen += fmt.Sprintf(" (and %d more likewise)", n)
		}
	}
	return kept
}
