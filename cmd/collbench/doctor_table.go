package main

import (
	"fmt"
	"io"
	"strings"

	"collbench/bench/doctor"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// writeDoctorTables writes a table for each host and one of the comparison, and below each what to do.
func writeDoctorTables(w io.Writer, markdown bool, d doctor.Diagnosis) error {
	for i, r := range d.Reports {
		title := "doctor, profile " + r.Profile
		if r.Host != "" {
			title += ", host " + r.Host
		}
		if i > 0 {
			title = "\n" + title
		}
		if err := writeFindings(w, markdown, title, r.Findings); err != nil {
			return err
		}
	}
	if len(d.Compared) == 0 {
		return nil
	}
	return writeFindings(w, markdown, "\ncompared", d.Compared)
}

// writeFindings writes one table and what to do about what is not in order.
func writeFindings(w io.Writer, markdown bool, title string, findings []doctor.Finding) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	t.AppendHeader(table.Row{"status", "check", "seen"})
	if !markdown {
		t.SetColumnConfigs([]table.ColumnConfig{
			{Number: 2, WidthMax: 32, WidthMaxEnforcer: pretty.WrapSoft}, {Number: 3, WidthMax: 90, WidthMaxEnforcer: pretty.WrapSoft},
		})
	}
	for _, row := range doctorRows(findings) {
		t.AppendRow(table.Row{row.Status, row.Check, printable(row.Seen)})
	}
	text := t.Render
	if markdown {
		text = t.RenderMarkdown
		title = strings.Replace(title, "doctor", "## doctor", 1)
		title = strings.Replace(title, "compared", "## compared", 1) + "\n"
	}
	if _, err := fmt.Fprintf(w, "%s\n%s\n", title, text()); err != nil {
		return err
	}
	for _, f := range findings {
		if f.Advice == "" || f.Status != doctor.Unknown && f.Status != doctor.Warn && f.Status != doctor.Fail {
			continue
		}
		if _, err := fmt.Fprint(w, advice(markdown, f)); err != nil {
			return err
		}
	}
	return nil
}

// doctorRows are the findings, those that are harmless and say the same in one row.
func doctorRows(findings []doctor.Finding) []doctor.Finding {
	var rows []doctor.Finding
	first := map[string]int{}
	for _, f := range findings {
		if i, ok := first[f.Seen]; ok && f.Status == doctor.Info {
			rows[i].Check += ", " + f.Check
			continue
		}
		if f.Status == doctor.Info {
			first[f.Seen] = len(rows)
		}
		rows = append(rows, f)
	}
	return rows
}

// advice says of a finding why it matters, what to do, where it was seen and what to read.
func advice(markdown bool, f doctor.Finding) string {
	var b strings.Builder
	head, item := "\n%s %s: %s\n", "  %s: %s\n"
	if markdown {
		head, item = "\n### %s %s: %s\n\n", "- %s: %s\n"
	}
	fmt.Fprintf(&b, head, f.Status, f.Check, printable(f.Seen))
	fmt.Fprintf(&b, item, "why", f.Why)
	fmt.Fprintf(&b, item, "do", f.Advice)
	for _, e := range f.Where {
		place := e.Path
		if e.Field != "" {
			place += ", " + e.Field
		}
		fmt.Fprintf(&b, item, "seen", printable(place+": "+e.Value))
	}
	fmt.Fprintf(&b, item, "source", strings.Join(f.Sources, ", "))
	return b.String()
}
