package reports

import (
	"fmt"
	"io"
	"strings"

	"collbench/bench/gate"
)

// outcomeSigns stand before an outcome.
var outcomeSigns = map[gate.Outcome]string{gate.Pass: "✅", gate.Fail: "❌", gate.Inconclusive: "❔"}

// VerdictMarkdown writes a verdict for a step's summary or a merge request: first what differs between the two
// sides, then a table of the findings that are not a pass; those that are are counted.
func VerdictMarkdown(w io.Writer, v gate.Verdict) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s collbench: %s\n\n%s\n", outcomeSigns[v.Outcome], strings.ToUpper(string(v.Outcome)), markdownText(v.Statement))
	for i, d := range v.Differences {
		if i == 0 {
			b.WriteString("\nThe environments differ:\n\n")
		}
		fmt.Fprintf(&b, "- %s\n", markdownText(d))
	}
	passed, head := 0, false
	for _, f := range v.Findings {
		if f.Outcome == gate.Pass {
			passed++
			continue
		}
		if !head {
			b.WriteString("\n|  | rule | case | finding | figures |\n|:---|:---|:---|:---|:---|\n")
			head = true
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s |\n", outcomeSigns[f.Outcome], markdownText(string(f.Outcome)), markdownText(f.Rule),
			markdownText(f.What()), markdownText(f.Message), markdownText(findingFigures(f)))
	}
	if passed > 0 {
		fmt.Fprintf(&b, "\n%s passed.\n", plural(passed, "finding", "findings"))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the verdict as Markdown: %w", err)
	}
	return nil
}
