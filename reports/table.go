package reports

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"collbench/bench/summary"
	"collbench/bench/unit"
)

// field is a column of the table on the terminal.
type field struct {
	title string
	align text.Align
	value func(summary.Row) string
}

const (
	alignLeft  = text.AlignLeft
	alignRight = text.AlignRight
)

// identity are the properties of a case that go into the line above the table when all rows share them, and else
// into a column.
var identity = []field{
	{"collective", alignLeft, summary.Row.Name},
	{"between", alignLeft, func(r summary.Row) string {
		if r.From == nil || r.To == nil {
			return ""
		}
		return fmt.Sprintf("rank %d to rank %d", *r.From, *r.To)
	}},
	{"window", alignLeft, func(r summary.Row) string {
		if r.Window == 0 {
			return ""
		}
		return "window of " + strconv.Itoa(r.Window)
	}},
	{"type", alignLeft, func(r summary.Row) string {
		if r.Reduction == "none" {
			return r.DataType
		}
		return r.DataType + " " + r.Reduction
	}},
	{"placement", alignLeft, func(r summary.Row) string {
		switch {
		case r.Operation != "":
			return ""
		case r.InPlace:
			return "in place"
		}
		return "out of place"
	}},
	{"ranks", alignLeft, func(r summary.Row) string {
		return plural(r.Ranks, "rank", "ranks") + " on " + plural(r.Hosts, "host", "hosts")
	}},
	{"backend", alignLeft, func(r summary.Row) string { return "backend " + strings.TrimSpace(r.Backend+" "+r.Variant) }},
	{"transport", alignLeft, func(r summary.Row) string { return r.Transport }},
	{"buffers", alignLeft, func(r summary.Row) string { return r.Buffers + " buffers" }},
	{"timing", alignLeft, func(r summary.Row) string { return string(r.Timing) + " timing" }},
	{"launch", alignRight, func(r summary.Row) string { return "launch " + strconv.Itoa(r.Launch) }},
}

var figures = []field{
	{"size", alignRight, func(r summary.Row) string { return unit.Bytes(r.Bytes) }},
	{"algorithm", alignLeft, ranAs},
	{"time", alignRight, func(r summary.Row) string {
		if r.Seconds == nil {
			return ""
		}
		return unit.Seconds(r.Seconds.Median)
	}},
	{"± 95 %", alignRight, func(r summary.Row) string {
		if w, ok := halfWidth(r); ok {
			return percent(w)
		}
		return ""
	}},
	{"algbw", alignRight, func(r summary.Row) string { return rate(r.AlgBW) }},
	{"busbw", alignRight, func(r summary.Row) string { return rate(r.BusBW) }},
	{"wirebw", alignRight, func(r summary.Row) string { return rate(r.WireBW) }},
	{"sent", alignRight, func(r summary.Row) string {
		if r.Operations == nil {
			return ""
		}
		return unit.BytesAbout(float64(r.Operations.BytesSent))
	}},
	{"counted", alignRight, func(r summary.Row) string {
		if r.Counted == nil {
			return ""
		}
		return unit.BytesAbout(r.Counted.BytesSent)
	}},
	{"model", alignRight, func(r summary.Row) string {
		if r.Model == nil {
			return ""
		}
		return unit.Seconds(r.Model.Seconds)
	}},
	{"Δ model", alignRight, func(r summary.Row) string {
		if d, ok := offModel(r); ok {
			return signed(d)
		}
		return ""
	}},
	{"wrong", alignRight, func(r summary.Row) string {
		if r.Wrong == nil {
			return ""
		}
		return strconv.FormatInt(*r.Wrong, 10)
	}},
	{"status", alignLeft, func(r summary.Row) string { return string(r.Status) }},
}

// Table writes the rows for a terminal. What all rows share stands above the table; errors, notes and what
// readers tend to get wrong stand below it.
func Table(w io.Writer, rows []summary.Row) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no results")
		return err
	}
	rows = sorted(rows)
	shared, differing := layout(rows)
	columns := append(differing, figures...)

	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = " ", " "
	t.Style().Format.Header = text.FormatDefault
	header := make(table.Row, len(columns))
	var configs []table.ColumnConfig
	for i, c := range columns {
		header[i] = c.title
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: c.align, AlignHeader: c.align})
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, r := range rows {
		line := make(table.Row, len(columns))
		for i, c := range columns {
			line[i] = oneLine(c.value(r))
		}
		t.AppendRow(line)
	}
	t.SuppressEmptyColumns()
	t.SuppressTrailingSpaces()
	out := strings.Join(shared, " · ") + "\n\n" + t.Render() + "\n" + footer(rows)
	if _, err := io.WriteString(w, out); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// layout parts the properties of cases into those that all rows share, as text, and the others, which need columns.
func layout(rows []summary.Row) (shared []string, differing []field) {
	if len(rows) == 0 {
		return nil, nil
	}
	for _, f := range identity {
		same := true
		for _, r := range rows {
			same = same && f.value(r) == f.value(rows[0])
		}
		switch v := f.value(rows[0]); {
		case !same:
			differing = append(differing, f)
		case v != "launch 0" && v != "":
			shared = append(shared, oneLine(v))
		}
	}
	return shared, differing
}

// fullName names a row among others: by operation, size and algorithm, and by what else differs between them.
func fullName(r summary.Row, differing []field) string {
	parts := []string{r.Name(), unit.Bytes(r.Bytes), r.Algorithm}
	for _, f := range differing {
		if v := f.value(r); v != "" && v != r.Name() {
			parts = append(parts, v)
		}
	}
	return strings.TrimSpace(oneLine(strings.Join(parts, " ")))
}

// footer lists errors and notes, each said once with the cases it is about, and explains what is in the table.
func footer(rows []summary.Row) string {
	counted, switched, simulated, windowed := false, false, false, false
	for _, r := range rows {
		counted = counted || r.Counted != nil
		switched = switched || reducesInSwitch(r)
		simulated = simulated || r.Simulated
		windowed = windowed || r.Window > 0
	}
	var b strings.Builder
	for _, k := range remarks(rows) {
		fmt.Fprintf(&b, "\n%s: %s", k.Cases, k.Text)
	}
	if simulated {
		b.WriteString("\nsimulated: a stand-in ran, not the hardware.")
	}
	if windowed {
		b.WriteString("\nwindow: the time is that of all its messages, and algbw what all pairs send in it.")
	}
	if counted {
		b.WriteString("\nsent: bytes of one rank by the algorithm's program; counted: by its link's own counters, headers included.")
	}
	if switched {
		b.WriteString("\nbusbw is all-reduce arithmetic; where a switch reduces it may exceed the link. wirebw is what crosses the link.")
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + "\n"
}

// ranAs names the algorithm, and after an arrow the one that ran when it has another name.
func ranAs(r summary.Row) string {
	if r.Operation != "" {
		return "" // a point-to-point test has none
	}
	if r.Observed != "" && r.Observed != r.Algorithm {
		return r.Algorithm + " → " + r.Observed
	}
	return r.Algorithm
}

// reducesInSwitch says whether a rank puts fewer bytes on the wire than the bus bandwidth assumes.
func reducesInSwitch(r summary.Row) bool {
	return r.BusBW != nil && r.WireBW != nil && *r.BusBW > 1.001**r.WireBW && r.Collective == "all_reduce"
}

// halfWidth is the larger side of the median's interval as a fraction of the median.
func halfWidth(r summary.Row) (float64, bool) {
	if r.Seconds == nil || r.Seconds.Low == nil || r.Seconds.High == nil || r.Seconds.Median <= 0 {
		return 0, false
	}
	s := r.Seconds
	return max(*s.High-s.Median, s.Median-*s.Low) / s.Median, true
}

// offModel is how much longer than predicted the case took, as a fraction of the prediction.
func offModel(r summary.Row) (float64, bool) {
	if r.Seconds == nil || r.Model == nil || r.Model.Seconds <= 0 {
		return 0, false
	}
	return r.Seconds.Median/r.Model.Seconds - 1, true
}

func rate(v *float64) string {
	if v == nil {
		return ""
	}
	return unit.Bandwidth(*v)
}

// percent writes a small fraction with one decimal: "0.4 %".
func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

// signed writes a deviation: "+3.1 %", "−0.4 %"; beyond tenfold as a factor.
func signed(v float64) string {
	switch {
	case v >= 9:
		return fmt.Sprintf("%.3g×", v+1)
	case math.Abs(v) < 0.0005:
		return "0.0 %"
	case v < 0:
		return fmt.Sprintf("−%.1f %%", -100*v)
	}
	return fmt.Sprintf("+%.1f %%", 100*v)
}
