package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/formats"
	"collbench/bench/unit"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// importColumn is a column of the table of imported figures. One that is empty in every row is not shown.
type importColumn struct {
	title string
	left  bool
	value func(formats.Measurement) string
}

var importColumns = []importColumn{
	{"line", false, func(m formats.Measurement) string { return strconv.Itoa(m.Line) }},
	{"operation", true, func(m formats.Measurement) string {
		if m.Collective != "" {
			return m.Collective
		}
		return m.Operation
	}},
	{"variant", true, func(m formats.Measurement) string { return strings.TrimSpace(m.Algorithm + " " + m.Variant) }},
	{"from", true, func(m formats.Measurement) string { return m.From }},
	{"to", true, func(m formats.Measurement) string { return m.To }},
	{"ranks", false, func(m formats.Measurement) string { return positive(m.Ranks) }},
	{"size", false, func(m formats.Measurement) string {
		if m.Bytes == nil {
			return ""
		}
		return unit.Bytes(*m.Bytes)
	}},
	{"type", true, func(m formats.Measurement) string { return strings.TrimSpace(m.DataType + " " + m.Reduction) }},
	{"placement", true, func(m formats.Measurement) string {
		switch {
		case m.InPlace == nil:
			return ""
		case *m.InPlace:
			return "in place"
		}
		return "out of place"
	}},
	{"time", false, func(m formats.Measurement) string {
		switch {
		case m.Seconds != nil:
			return unit.Seconds(*m.Seconds)
		case m.SecondsP50 != nil:
			return unit.Seconds(*m.SecondsP50)
		}
		return ""
	}},
	{"algbw", false, func(m formats.Measurement) string { return bandwidth(m.AlgBW) }},
	{"busbw", false, func(m formats.Measurement) string { return bandwidth(m.BusBW) }},
	{"wrong", false, func(m formats.Measurement) string {
		if m.Wrong == nil {
			return ""
		}
		return strconv.FormatInt(*m.Wrong, 10)
	}},
	{"", true, func(m formats.Measurement) string {
		if m.Status == bench.OK {
			return ""
		}
		return printable(fmt.Sprintf("%s: %s", m.Status, m.Error))
	}},
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// printable takes out of a log's text what would steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// writeImportTable writes a table for each run of each file.
func writeImportTable(w io.Writer, logs []formats.Log) error {
	for _, log := range logs {
		for at := 0; at < len(log.Measurements); {
			first, end := log.Measurements[at], at
			for end < len(log.Measurements) && log.Measurements[end].Run == first.Run {
				end++
			}
			title := fmt.Sprintf("%s, run %d: %s %s", log.File, first.Run, first.Tool, first.Version)
			if first.Library != "" {
				title += ", " + first.Library
			}
			if _, err := fmt.Fprintf(w, "%s\n%s\n\n", printable(strings.TrimSpace(title)), importTable(log.Measurements[at:end])); err != nil {
				return err
			}
			at = end
		}
	}
	return nil
}

func importTable(rows []formats.Measurement) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	var head table.Row
	var configs []table.ColumnConfig
	for i, c := range importColumns {
		align := pretty.AlignRight
		if c.left {
			align = pretty.AlignLeft
		}
		head = append(head, c.title)
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, WidthMax: 100})
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(configs)
	for _, m := range rows {
		var cells table.Row
		for _, c := range importColumns {
			cells = append(cells, printable(c.value(m)))
		}
		t.AppendRow(cells)
	}
	t.SuppressEmptyColumns()
	return t.Render()
}
