package doctor

// Diagnosis is what doctor prints as JSON: the reports of hosts, and what comparing them gave where there are several.
type Diagnosis struct {
	Schema   string    `json:"schema"`
	Reports  []Report  `json:"reports"`
	Compared []Finding `json:"compared,omitempty"`
}

// DiagnosisSchema is the name of what a Diagnosis is as JSON.
const DiagnosisSchema = "collbench.diagnosis/1"

// Worst is the most serious status of all findings.
func (d Diagnosis) Worst() Status {
	worst := Worst(d.Compared)
	for _, r := range d.Reports {
		worst = max(worst, Worst(r.Findings))
	}
	return worst
}
