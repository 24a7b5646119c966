package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"collbench/bench/certify"
	"collbench/bench/unit"
	"collbench/reports"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// writeAcceptance writes the report of an acceptance: the outcome, a table of its steps, one of the figures, what was found
// in sentences, and what was not run.
func writeAcceptance(w io.Writer, format string, r certify.Report) error {
	if format == "json" {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		out.SetIndent("", " ")
		return out.Encode(r)
	}
	markdown := format == "markdown"
	var b strings.Builder
	heading(&b, markdown, 1, fmt.Sprintf("%s: acceptance by the profile %s", strings.ToUpper(string(r.Outcome)), printable(r.Profile)))
	for _, line := range preamble(r) {
		fmt.Fprintf(&b, "%s\n\n", line)
	}
	b.WriteString(rendered(markdown, table.Row{"outcome", "step", "took"}, func(add func(...any)) {
		for _, s := range r.Steps {
			add(s.Outcome, printable(s.Name), unit.Seconds(s.Seconds))
		}
	}))
	figures(&b, markdown, r)
	heading(&b, markdown, 2, "What was found")
	for _, s := range r.Steps {
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "- %s, %s: %s\n", f.Outcome, printable(s.Name), printable(f.Text))
		}
	}
	heading(&b, markdown, 2, "What was not run")
	for _, text := range r.NotRun {
		fmt.Fprintf(&b, "- %s\n", printable(text))
	}
	if len(r.NotRun) == 0 {
		b.WriteString("- nothing of the profile\n")
	}
	heading(&b, markdown, 2, "How")
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "- %s: %s (in %s)\n", printable(s.Name), code(markdown, commandLine(s.Command)), s.Folder)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// preamble says what the acceptance is, and what not.
func preamble(r certify.Report) []string {
	lines := []string{"This is a plan of tests modelled on what NVIDIA says that the tests of NVIDIA-Certified Systems cover. It is none of them and certifies nothing."}
	if r.Virtual {
		lines = append(lines, "Measured on a virtual cluster inside one machine: it shows that the profile can be carried out, and says nothing of real links.")
	}
	if r.Summary != "" {
		lines = append(lines, printable(r.Summary))
	}
	text := "Begun " + r.Started.Format("2006-01-02 15:04:05 UTC")
	if r.Start != "" {
		text += ", started by: " + printable(r.Start)
	}
	if r.LineRate > 0 {
		text += ", line rate " + unit.BitRate(r.LineRate)
	}
	return append(lines, text+".")
}

// figures is the table of what was measured.
func figures(b *strings.Builder, markdown bool, r certify.Report) {
	shown := false
	text := rendered(markdown, table.Row{"step", "case", "launches", "time", "algbw", "busbw", "of model", "of line rate", "spread"}, func(add func(...any)) {
		for _, s := range r.Steps {
			for _, f := range s.Figures {
				shown = true
				add(printable(s.Name), printable(f.Case), f.Launches, figure(f.Seconds, "s"), figure(f.AlgBW, "B/s"), figure(f.BusBW, "B/s"), share(f.OfModel), share(f.OfLineRate), share(f.Spread))
			}
		}
	})
	if shown {
		heading(b, markdown, 2, "Figures")
		b.WriteString(text)
	}
}

func share(v *float64) string {
	if v == nil {
		return ""
	}
	return unit.Percent(*v)
}

// commandLine is a step's command for a shell.
func commandLine(words []string) string {
	if ours(words[0]) {
		words = append([]string{"collbench"}, words...)
	}
	return printable(reports.ShellLine(words))
}

// code keeps a command from being formatting.
func code(markdown bool, text string) string {
	if markdown {
		return "`" + text + "`"
	}
	return text
}

func heading(b *strings.Builder, markdown bool, level int, text string) {
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	if markdown {
		text = strings.Repeat("#", level) + " " + text
	}
	fmt.Fprintf(b, "%s\n\n", text)
}

// rendered is a table, on a terminal or in Markdown.
func rendered(markdown bool, head table.Row, fill func(add func(...any))) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	t.AppendHeader(head)
	fill(func(cells ...any) { t.AppendRow(cells) })
	t.SuppressEmptyColumns()
	if markdown {
		return t.RenderMarkdown() + "\n"
	}
	return t.Render() + "\n"
}

// writeSteps prints what a profile would do: docs/certify.md has the keys.
func writeSteps(w io.Writer, p certify.Profile) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", printable(p.Summary))
	if p.LineRate > 0 {
		fmt.Fprintf(&b, "line rate %s\n", unit.BitRate(p.LineRate))
	}
	for i, s := range p.Steps {
		optional := ""
		if s.Optional {
			optional = ", if this machine can"
		}
		launches := ""
		if s.Launches > 1 {
			launches = fmt.Sprintf("%d × ", s.Launches)
		}
		fmt.Fprintf(&b, "%d. %s%s\n   %s%s\n", i+1, printable(s.Name), optional, launches, commandLine(p.Command(s)))
		if asked := s.Accept.String(); asked != "" {
			fmt.Fprintf(&b, "   accepted with %s\n", asked)
		}
	}
	for _, text := range p.NotRun {
		fmt.Fprintf(&b, "not run: %s\n", printable(text))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
