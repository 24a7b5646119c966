package reports

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/pairs"
	"collbench/bench/unit"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// PairsFormats lists the formats of a test of pairs.
var PairsFormats = []string{"table", "json", "csv"}

// PairsOf are a test of pairs: what it has measured and what that shows.
type PairsOf struct {
	Info     bench.RunInfo
	Matrices []*pairs.Matrix
	Verdict  pairs.Verdict
}

// ReadPairs makes what is reported of a run's results; ok is false where none of them is of pairs.
func ReadPairs(info bench.RunInfo, results []bench.Result) (p PairsOf, ok bool) {
	m := pairs.Read(info, results)
	return PairsOf{info, m, pairs.Judge(m, pairs.OptionsOf(info))}, len(m) > 0
}

// Pairs writes a test of pairs in one of PairsFormats.
func Pairs(w io.Writer, format string, p PairsOf) error {
	switch format {
	case "json":
		return pairsJSON(w, p)
	case "csv":
		return pairsCSV(w, p)
	}
	return pairsTable(w, p)
}

// pairsJSON writes the verdict with the matrices' values.
func pairsJSON(w io.Writer, p PairsOf) error {
	type cell struct {
		From  int       `json:"from"`
		To    int       `json:"to"`
		Value float64   `json:"value,omitempty"`
		Again []float64 `json:"again,omitempty"`
	}
	type values struct {
		Test  string        `json:"test"`
		Ranks []pairs.Place `json:"ranks"`
		Pairs []cell        `json:"pairs"`
	}
	doc := struct {
		pairs.Verdict
		Run    string   `json:"run"`
		Values []values `json:"values"`
	}{Verdict: p.Verdict, Run: p.Info.ID}
	for _, m := range p.Matrices {
		v := values{Test: m.Name(), Ranks: m.Places}
		for _, c := range m.Cells {
			v.Pairs = append(v.Pairs, cell{c.From, c.To, c.Value, c.Again})
		}
		doc.Values = append(doc.Values, v)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return out.Encode(doc)
}

// pairsColumns are those of the CSV, a row a pair and test.
var pairsColumns = []string{"run", "operation", "bytes", "scope", "from", "to", "from_host", "to_host", "from_gpu", "to_gpu", "from_nic", "to_nic", "kind", "unit", "value",
	"share", "again", "simulated"}

func pairsCSV(w io.Writer, p PairsOf) error {
	out := csv.NewWriter(w)
	if err := out.Write(pairsColumns); err != nil {
		return err
	}
	number := func(v float64) string {
		if v == 0 || math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	for i, m := range p.Matrices {
		t := p.Verdict.Tables[i]
		shares := m.Shares(t.References)
		for k, c := range m.Cells {
			var again []string
			for _, v := range c.Again {
				again = append(again, number(v))
			}
			from, to := m.Places[c.From], m.Places[c.To]
			if err := out.Write([]string{p.Info.ID, m.Case.What.Operation, strconv.FormatInt(m.Case.What.Bytes, 10), m.Scope, strconv.Itoa(c.From), strconv.Itoa(c.To),
				from.Host, to.Host, from.GPU, to.GPU, from.NIC, to.NIC, string(c.Kind), t.Unit, number(c.Value), number(shares[k]), strings.Join(again, " "),
				strconv.FormatBool(m.Simulated)}); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// What a table of pairs shows at most: a matrix of so many ranks or hosts, and so many of the worst pairs.
const (
	tableSide  = 16
	tableWorst = 10
)

// pairsTable writes the verdict first, then of each test its references, its matrix if it is small, and its worst pairs.
func pairsTable(w io.Writer, p PairsOf) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(p.Verdict.Outcome)), oneLine(p.Verdict.Statement))
	if p.Verdict.Simulated {
		b.WriteString("Simulated: these figures were computed, not measured.\n")
	}
	for i, m := range p.Matrices {
		t := p.Verdict.Tables[i]
		fmt.Fprintf(&b, "\n%s, %s: %d of %d pairs\n", m.Name(), pairsUnit(t), t.Measured, t.Possible)
		for _, r := range t.References {
			fmt.Fprintf(&b, "  %s: %d pairs, reference %s, %s … %s\n", r.Kind, r.Pairs, pairsValue(t, r.Value), pairsValue(t, r.Least), pairsValue(t, r.Most))
		}
		if grid := pairsGrid(m, t); grid != "" {
			b.WriteString(grid + "\n")
		}
		if worst := m.Worst(t.References, tableWorst); len(worst) > 0 {
			b.WriteString(pairsWorst(m, t, worst) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pairsUnit(t pairs.Table) string {
	if t.Unit == "B/s" {
		return "bandwidth"
	}
	return "time of a message"
}

func pairsValue(t pairs.Table, v float64) string {
	switch {
	case v == 0 || math.IsNaN(v):
		return ""
	case t.Unit == "B/s":
		return unit.Bandwidth(v)
	}
	return unit.Seconds(v)
}

// pairsGrid is the matrix by ranks or, where those are too many, by hosts; "" if those are too many as well.
func pairsGrid(m *pairs.Matrix, t pairs.Table) string {
	names := make([]string, len(m.Places))
	values := make([][]float64, len(m.Places))
	for r := range names {
		names[r], values[r] = m.RankName(r), make([]float64, len(m.Places))
	}
	for _, c := range m.Cells {
		values[c.From][c.To] = c.Value
		if !m.Directed() {
			values[c.To][c.From] = c.Value
		}
	}
	if len(names) > tableSide {
		names, values = m.ByHost()
	}
	if len(names) > tableSide {
		return ""
	}
	grid := pairsWriter()
	head := table.Row{"from \\ to"}
	for _, n := range names {
		head = append(head, oneLine(n))
	}
	grid.AppendHeader(head)
	for i, n := range names {
		row := table.Row{oneLine(n)}
		for _, v := range values[i] {
			row = append(row, pairsValue(t, v))
		}
		grid.AppendRow(row)
	}
	return grid.Render()
}

func pairsWorst(m *pairs.Matrix, t pairs.Table, worst []pairs.Ranked) string {
	list := pairsWriter()
	list.AppendHeader(table.Row{"worst pairs", "", "kind", "value", "of its peers", "again"})
	for _, r := range worst {
		var again []string
		for _, v := range r.Again {
			again = append(again, pairsValue(t, v))
		}
		list.AppendRow(table.Row{oneLine(m.RankName(r.From)), oneLine(m.RankName(r.To)), r.Kind, pairsValue(t, r.Value), unit.Percent(math.Round(100*r.Share) / 100), strings.Join(again, ", ")})
	}
	return list.Render()
}

func pairsWriter() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	return t
}
