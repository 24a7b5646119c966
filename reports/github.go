package reports

import (
	"fmt"
	"io"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
)

// annotation is one message that GitHub Actions shows at the head of a run.
type annotation struct{ level, title, text string }

// mostAnnotations is how many of a level GitHub shows for a step
// (https://docs.github.com/en/rest/checks/runs: 10 warnings and 10 errors).
const mostAnnotations = 10

// GitHub writes annotations for GitHub Actions: an error for each wrong or failed row, a warning for each that was
// interrupted or has no figure. What was skipped on purpose is none.
func GitHub(w io.Writer, rows []summary.Row) error {
	rows = sorted(rows)
	_, differing := layout(rows)
	var list []annotation
	for _, r := range rows {
		level := ""
		switch {
		case r.Status == bench.Wrong || r.Status == bench.Failed:
			level = "error"
		case r.Status == bench.Interrupted || r.Status == bench.Unproven && r.Seconds == nil:
			level = "warning"
		default:
			continue
		}
		text := r.Error
		if text == "" {
			text = "no reason is known"
		}
		list = append(list, annotation{level, "collbench: " + string(r.Status), fullName(r, differing) + ": " + text})
	}
	if len(rows) == 0 {
		list = append(list, annotation{"warning", "collbench", "nothing was measured"})
	}
	return writeAnnotations(w, list)
}

// writeAnnotations writes workflow commands. The last one of a level that has too many says how many there are.
func writeAnnotations(w io.Writer, list []annotation) error {
	total, written := map[string]int{}, map[string]int{}
	for _, a := range list {
		total[a.level]++
	}
	var b strings.Builder
	for _, a := range list {
		if written[a.level]++; written[a.level] > mostAnnotations {
			continue
		}
		if more := total[a.level] - mostAnnotations; written[a.level] == mostAnnotations && more > 0 {
			a.text += fmt.Sprintf(" (and %d more)", more)
		}
		fmt.Fprintf(&b, "::%s title=%s::%s\n", a.level, annotationProperty.Replace(oneLine(a.title)), annotationText.Replace(oneLine(a.text)))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

// The escapes of workflow commands, as actions/toolkit has them (packages/core/src/command.ts).
var (
	annotationText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	annotationProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
