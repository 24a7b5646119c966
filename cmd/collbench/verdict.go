package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"collbench/bench/gate"
	"collbench/bench/unit"
	"collbench/reports"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// writeVerdict writes a verdict as JSON, Markdown or a table: first what differs around the two sides, then the figures,
// then what is not a pass in words, at the end the whole in one sentence.
func writeVerdict(w io.Writer, format string, v gate.Verdict) error {
	switch format {
	case "json":
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return out.Encode(v)
	case "markdown":
		return reports.VerdictMarkdown(w, v)
	}
	var b strings.Builder
	for _, d := range v.Differences {
		fmt.Fprintf(&b, "differs: %s\n", printable(d))
	}
	if len(v.Differences) > 0 {
		b.WriteString("\n")
	}
	if rendered := verdictTable(v); rendered != "" {
		b.WriteString(rendered + "\n\n")
	}
	for _, f := range v.Findings {
		if f.Outcome != gate.Pass {
			fmt.Fprintf(&b, "%s: %s: %s\n", f.Outcome, printable(f.Rule), printable(f.Message))
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(v.Outcome)), printable(v.Statement))
	_, err := io.WriteString(w, b.String())
	return err
}

// verdictColumns are those of a verdict's table; one that is empty in every row is not shown.
var verdictColumns = []struct {
	title string
	right bool
	value func(gate.Finding) string
}{
	{"outcome", false, func(f gate.Finding) string { return string(f.Outcome) }},
	{"rule", false, func(f gate.Finding) string { return f.Rule }},
	{"case", false, gate.Finding.What},
	{"where", false, gate.Finding.Where},
	{"measured", true, func(f gate.Finding) string { return figure(f.Measured, f.Unit) }},
	{"reference", true, func(f gate.Finding) string { return figure(f.Reference, f.Unit) }},
	{"change", true, func(f gate.Finding) string { return change(f.Ratio) }},
	{"95 %", true, func(f gate.Finding) string {
		if f.Low == nil || f.High == nil || math.IsInf(*f.High, 0) {
			return ""
		}
		return change(f.Low) + " … " + change(f.High)
	}},
	{"p", true, func(f gate.Finding) string {
		if f.P == nil {
			return ""
		}
		return fmt.Sprintf("%.2g", *f.P)
	}},
	{"detectable", true, func(f gate.Finding) string { return change(f.Detectable, 0) }},
}

// change writes a ratio as the change that it is; with a base of 0 it is one already.
func change(v *float64, base ...float64) string {
	if v == nil {
		return ""
	}
	from := 1.0
	if len(base) > 0 {
		from = base[0]
	}
	return fmt.Sprintf("%+.1f %%", 100*(*v-from))
}

func figure(v *float64, in string) string {
	switch {
	case v == nil:
		return ""
	case in == "s":
		return unit.Seconds(*v)
	case in == "B/s":
		return unit.Bandwidth(*v)
	}
	return strings.TrimSpace(fmt.Sprintf("%g %s", *v, in))
}

// verdictTable is a table of what was judged of single cases; "" if that is nothing.
func verdictTable(v gate.Verdict) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	var head table.Row
	var configs []table.ColumnConfig
	for i, c := range verdictColumns {
		align := pretty.AlignLeft
		if c.right {
			align = pretty.AlignRight
		}
		head = append(head, c.title)
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, WidthMax: 60})
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(configs)
	rows := 0
	for _, f := range v.Findings {
		if len(f.Cases) == 0 || f.Measured == nil && f.Ratio == nil {
			continue
		}
		var row table.Row
		for _, c := range verdictColumns {
			row = append(row, printable(c.value(f)))
		}
		t.AppendRow(row)
		rows++
	}
	t.SuppressEmptyColumns()
	if rows == 0 {
		return ""
	}
	return t.Render()
}
