package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"collbench/bench/summary"
)

// Markdown writes the rows as a table of GitHub Flavored Markdown, which GitHub's step summary, GitLab and merge
// requests show. What all rows share stands above it, errors and notes below it.
func Markdown(w io.Writer, rows []summary.Row) error {
	var b strings.Builder
	if len(rows) == 0 {
		b.WriteString("No results.\n")
	} else {
		rows = sorted(rows)
		shared, differing := layout(rows)
		fmt.Fprintf(&b, "**collbench** %s\n\n", markdownText(strings.Join(shared, " · ")))
		markdownTable(&b, append(differing, figures...), rows)
		for i, k := range remarks(rows) {
			if i == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "- **%s** %s: %s\n", markdownText(k.Status), markdownText(k.Cases), markdownText(k.Text))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write rows as Markdown: %w", err)
	}
	return nil
}

// markdownTable writes the columns that are not empty in all rows.
func markdownTable(b *strings.Builder, columns []field, rows []summary.Row) {
	titles, rules := "|", "|"
	lines := make([]string, len(rows))
	for _, c := range columns {
		empty := true
		for _, r := range rows {
			empty = empty && c.value(r) == ""
		}
		if empty {
			continue
		}
		titles += " " + markdownText(c.title) + " |"
		rules += map[bool]string{true: "---:|", false: ":---|"}[c.align == text.AlignRight]
		for i, r := range rows {
			lines[i] += " " + markdownText(c.value(r)) + " |"
		}
	}
	fmt.Fprintf(b, "%s\n%s\n", titles, rules)
	for _, line := range lines {
		fmt.Fprintf(b, "|%s\n", line)
	}
}

// markdownEscapes keeps foreign text from being formatting, a link, an image, HTML or a cell's end. A backslash works
// before any ASCII punctuation (CommonMark 0.31, section 2.4).
var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`, "!", `\!`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "://", "&#58;//")

func markdownText(s string) string { return markdownEscapes.Replace(oneLine(s)) }
