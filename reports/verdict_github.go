package reports

import (
	"io"

	"collbench/bench/gate"
)

// VerdictGitHub writes annotations for GitHub Actions: an error for each finding that failed, a warning for each that
// is inconclusive, and a notice for a pass.
func VerdictGitHub(w io.Writer, v gate.Verdict) error {
	levels := map[gate.Outcome]string{gate.Fail: "error", gate.Inconclusive: "warning", gate.Pass: "notice"}
	var list []annotation
	for _, f := range v.Findings {
		if f.Outcome != gate.Pass {
			list = append(list, annotation{levels[f.Outcome], "collbench: " + f.Rule, f.What() + ": " + f.Message})
		}
	}
	// The last line is the whole: it is also what is left when there is no finding.
	list = append(list, annotation{levels[v.Outcome], "collbench: " + string(v.Outcome), v.Statement})
	return writeAnnotations(w, list)
}
