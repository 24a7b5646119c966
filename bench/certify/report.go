package certify

import "time"

// ReportSchema is the name of what a Report is as JSON.
const ReportSchema = "collbench.acceptance/1"

// Outcome is what becomes of a step or of the whole.
type Outcome string

// The outcomes. Inconclusive: measured or looked at, but nothing can be said for sure; it is never a pass. NotRun: an
// optional step of which the machine lacks something.
const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
	NotRun       Outcome = "not run"
)

// Report is the end of an acceptance.
type Report struct {
	Schema   string       `json:"schema"`
	Profile  string       `json:"profile"`
	Summary  string       `json:"summary,omitempty"`
	Started  time.Time    `json:"started"`
	Start    string       `json:"start,omitempty"`     // how the steps' ranks were started
	Virtual  bool         `json:"virtual,omitempty"`   // on a virtual cluster inside one machine
	LineRate float64      `json:"line_rate,omitempty"` // bytes per second
	Outcome  Outcome      `json:"outcome"`
	Steps    []StepReport `json:"steps"`
	NotRun   []string     `json:"not_run"`
}

// StepReport is what came of a step.
type StepReport struct {
	Name     string    `json:"name"`
	Command  []string  `json:"command"` // begins with a launcher, or with a command of collbench
	Outcome  Outcome   `json:"outcome"`
	Findings []Finding `json:"findings"`
	Figures  []Figure  `json:"figures,omitempty"`
	Folder   string    `json:"folder"` // in the folder of the acceptance
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
}

// Finding is one sentence and what it means.
type Finding struct {
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"`
}

// Figure is a case of a step over all its launches. What is not known is absent.
type Figure struct {
	Case       string   `json:"case"`
	Launches   int      `json:"launches"`               // that have a figure
	Seconds    *float64 `json:"seconds,omitempty"`      // median of the launches' medians
	BusBW      *float64 `json:"busbw,omitempty"`        // likewise, bytes per second
	AlgBW      *float64 `json:"algbw,omitempty"`        // likewise
	OfModel    *float64 `json:"of_model,omitempty"`     // fraction of the bandwidth that the model predicts
	OfLineRate *float64 `json:"of_line_rate,omitempty"` // fraction of the line rate that crosses a host's link, without headers
	Spread     *float64 `json:"spread,omitempty"`       // largest difference between launches ÷ median
}

// severity orders the outcomes.
var severity = map[Outcome]int{NotRun: 0, Pass: 1, Inconclusive: 2, Fail: 3}

// worst is the most serious of outcomes; of none, NotRun.
func worst(outcomes []Outcome) Outcome {
	w := NotRun
	for _, o := range outcomes {
		if severity[o] > severity[w] {
			w = o
		}
	}
	return w
}

// conclude gives the whole its outcome: what ran none of its steps is inconclusive.
func (r *Report) conclude() {
	var all []Outcome
	for _, s := range r.Steps {
		all = append(all, s.Outcome)
	}
	if r.Outcome = worst(all); r.Outcome == NotRun {
		r.Outcome = Inconclusive
	}
}
