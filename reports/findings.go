package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"collbench/bench"
)

// FindingSchema is the name of a finding's line among the rows of JSON.
const FindingSchema = "collbench.finding/1"

// Findings writes, behind the rows of a format that has room for them, the failures and warnings that the run has kept
// beside its figures. They change no verdict on a figure: they say how far it can be trusted.
func Findings(w io.Writer, format string, info bench.RunInfo) error {
	list := troubles(info)
	if len(list) == 0 {
		return nil
	}
	var b strings.Builder
	switch format {
	case "table":
		b.WriteString("\n")
		for _, f := range list {
			fmt.Fprintf(&b, "%s %s: %s\n", f.Status, aboutWhom(f), sentence(f))
		}
	case "markdown":
		b.WriteString("\n")
		for _, f := range list {
			fmt.Fprintf(&b, "- **%s** %s: %s\n", markdownText(f.Status), markdownText(aboutWhom(f)), markdownText(sentence(f)))
		}
	case "json":
		lines := json.NewEncoder(&b)
		for _, f := range list {
			if err := lines.Encode(struct {
				Schema string `json:"schema"`
				Run    string `json:"run"`
				bench.Finding
			}{FindingSchema, info.ID, f}); err != nil {
				return fmt.Errorf("write a finding as JSON: %w", err)
			}
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	return nil
}

// troubles are the failures, then the warnings.
func troubles(info bench.RunInfo) (list []bench.Finding) {
	for _, status := range []string{"fail", "warn"} {
		for _, f := range info.Findings {
			if f.Status == status {
				list = append(list, f)
			}
		}
	}
	return list
}

// aboutWhom names a finding's check and hosts.
func aboutWhom(f bench.Finding) string {
	text := f.Check
	if n := len(f.Hosts); n > mostHosts {
		text += fmt.Sprintf(" on %s and %d more", strings.Join(f.Hosts[:mostHosts], ", "), n-mostHosts)
	} else if n > 0 {
		text += " on " + strings.Join(f.Hosts, ", ")
	}
	return oneLine(text)
}

// mostHosts is how many hosts are named.
const mostHosts = 8

// sentence is what was seen and what to do.
func sentence(f bench.Finding) string {
	text := f.Seen
	if f.Advice != "" {
		text += ". " + f.Advice
	}
	return oneLine(text)
}

// foundOf is what the HTML page shows below its verdict.
func foundOf(info bench.RunInfo) (list []found) {
	for _, f := range troubles(info) {
		list = append(list, found{f.Status, aboutWhom(f), oneLine(f.Seen), oneLine(f.Why), oneLine(f.Advice)})
	}
	return list
}
