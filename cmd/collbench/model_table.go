package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"collbench/bench/unit"
	"collbench/collectives/model"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// modelColumn is a column of the model's table.
type modelColumn struct {
	title string
	left  bool
	value func(modelRow) string
}

var modelColumns = []modelColumn{
	{"ranks", false, func(r modelRow) string { return strconv.Itoa(r.Ranks) }},
	{"size", false, func(r modelRow) string { return unit.Bytes(r.Bytes) }},
	{"algorithm", true, func(r modelRow) string { return r.Algorithm }},
	{"domain", false, func(r modelRow) string { return strconv.Itoa(r.Domain) }},
	{"chunks", false, func(r modelRow) string { return strconv.Itoa(r.Chunks) }},
	{"sends", false, func(r modelRow) string { return decimal(r.Operations.Sends, 2) }},
	{"receives", false, func(r modelRow) string { return decimal(r.Operations.Receives, 2) }},
	{"total", false, func(r modelRow) string { return decimal(r.Operations.Total, 2) }},
	{"4N÷total", false, func(r modelRow) string { return ratio(r.Operations.SlideRatio) }},
	{"4(N−1)÷total", false, func(r modelRow) string { return ratio(r.Operations.ExactRatio) }},
	{"sent", false, func(r modelRow) string { return unit.BytesAbout(float64(r.Operations.BytesSent)) }},
	{"time", false, func(r modelRow) string { return unit.Seconds(r.Seconds) }},
	{"busbw", false, func(r modelRow) string { return bandwidth(r.BusBW) }},
	{"wirebw", false, func(r modelRow) string { return bandwidth(r.WireBW) }},
}

// writeModelTable writes a table for each collective, and below what the columns and reservations mean.
func writeModelTable(w io.Writer, m model.Machine, rows []modelRow) error {
	var notes []string
	for len(rows) > 0 {
		name := rows[0].Collective
		end := slices.IndexFunc(rows, func(r modelRow) bool { return r.Collective != name })
		if end < 0 {
			end = len(rows)
		}
		if _, err := fmt.Fprintf(w, "%s, %s, machine %s (a prediction, nothing is measured)\n%s\n\n", name, rows[0].DataType, m.Name, modelTable(rows[:end], &notes)); err != nil {
			return err
		}
		rows = rows[end:]
	}
	_, err := fmt.Fprint(w, "sends, receives: slices of S/N across the busiest rank's interface; 4N is the count of NVIDIA's slide for a ring, 4(N−1) a ring's own.\n",
		"sent: bytes of the busiest rank; busbw: as nccl-tests; wirebw: sent ÷ time.\n")
	for i, n := range notes {
		if err == nil {
			_, err = fmt.Fprintf(w, "[%d] %s.\n", i+1, n)
		}
	}
	return err
}

// modelTable draws rows of one collective and numbers their notes.
func modelTable(rows []modelRow, notes *[]string) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	var head table.Row
	var configs []table.ColumnConfig
	for i, c := range modelColumns {
		head = append(head, c.title)
		align := pretty.AlignRight
		if c.left {
			align = pretty.AlignLeft
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
	}
	t.AppendHeader(append(head, ""))
	t.SetColumnConfigs(configs)
	ranks := rows[0].Ranks
	for _, r := range rows {
		if r.Ranks != ranks {
			t.AppendSeparator()
			ranks = r.Ranks
		}
		var cells table.Row
		for _, c := range modelColumns {
			cells = append(cells, c.value(r))
		}
		t.AppendRow(append(cells, noteMark(r.Note, notes)))
	}
	t.SuppressEmptyColumns()
	return t.Render()
}

// noteMark is the mark of a note, which is added to the list if it is new.
func noteMark(note string, notes *[]string) string {
	if note == "" {
		return ""
	}
	i := slices.Index(*notes, note)
	if i < 0 {
		i = len(*notes)
		*notes = append(*notes, note)
	}
	return fmt.Sprintf("[%d]", i+1)
}

// decimal writes a number with at most so many decimals.
func decimal(v float64, places int) string {
	text := strconv.FormatFloat(v, 'f', places, 64)
	if whole := strconv.FormatFloat(v, 'f', 0, 64); v == float64(int64(v)) {
		return whole
	}
	return text
}

func ratio(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', 3, 64)
}

func bandwidth(v *float64) string {
	if v == nil {
		return ""
	}
	return unit.Bandwidth(*v)
}
