package formats

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"collbench/bench"
)

var nvbandwidth = Format{
	Name: "nvbandwidth", Family: "nvbandwidth",
	Summary: "NVIDIA nvbandwidth, text",
	Detect: func(t *Text) Confidence {
		if t.has("nvbandwidth", nvVersion) || t.has("(row)", nvMatrix) {
			return Sure
		}
		return 0
	},
	Read: readNVBandwidth,
}

var (
	nvVersion = regexp.MustCompile(`^nvbandwidth Version: v?(\S+)`)
	nvRunning = regexp.MustCompile(`^Running (\w+)\.`)
	nvMatrix  = regexp.MustCompile(`(\w+)\(row\) +(->|<-|<->) +(\w+)\(column\).*\((GB/s|ns|us)\)`)
	nvSingle  = regexp.MustCompile(`(?:\b(\w+)\(column\).*)?\b(?:bandwidth|latency)\b.*\((GB/s|ns|us)\)$`)
	nvWaived  = regexp.MustCompile(`^Waived:?\s*(.*)`)
	nvSum     = regexp.MustCompile(`^SUM (\S+) (\S+)`)
)

// nvTest is one test of a log while it is read.
type nvTest struct {
	base    Measurement
	line    int
	row     string // "CPU", of which the row's number follows
	column  string
	arrow   string
	unit    string
	columns []string
	sum     float64
	cells   int
	lines   []Line
}

func readNVBandwidth(t *Text, log *Log) {
	version, runs := "", 1
	var test *nvTest
	var waived []int
	end := func() {
		if test != nil && test.cells == 0 {
			log.fail(test.base, test.lines, 0)
		}
		test = nil
	}
	for _, line := range t.Lines {
		if m := nvVersion.FindStringSubmatch(line.Text); m != nil {
			end()
			if version != "" {
				runs++
			}
			version = m[1]
		}
		if m := nvRunning.FindStringSubmatch(line.Text); m != nil {
			end()
			test = &nvTest{line: line.Number, base: Measurement{Run: runs, Line: line.Number, Tool: "nvbandwidth", Version: version, Operation: m[1]}}
		}
		if m := nvWaived.FindStringSubmatch(line.Text); m != nil {
			if test == nil || test.cells > 0 {
				waived = append(waived, line.Number)
				end()
				continue
			}
			s := test.base
			s.Line, s.Status, s.Error = line.Number, bench.Skipped, strings.TrimSpace("waived "+m[1])
			log.add(s)
			test = nil
		}
		if test != nil {
			test.lines = append(test.lines, line)
			test.take(line, log)
		}
	}
	end()
	if len(waived) > 0 {
		log.warn(waived[0], "%d tests were waived; their names are not printed", len(waived))
	}
	if _, _, failed := cause(t.Lines, 0); failed && len(log.Measurements) == 0 {
		log.fail(Measurement{Run: 1, Tool: "nvbandwidth", Version: version}, t.Lines, 0)
	}
}

func (n *nvTest) take(line Line, log *Log) {
	if n.describe(line.Text) {
		return
	}
	if m := nvSum.FindStringSubmatch(line.Text); m != nil {
		if f, ok := parseFigure(m[2]); ok && n.cells > 0 && math.Abs(f.value-n.sum) > 0.005*float64(n.cells+1) {
			log.warn(line.Number, "the sum is %g, but that of the cells is %.2f: cells are missing", f.value, n.sum)
		}
		return
	}
	tokens := strings.Fields(line.Text)
	if n.unit == "" || len(tokens) == 0 {
		return
	}
	for _, word := range tokens {
		if !isNumber(word) && !absent(word) {
			return
		}
	}
	if n.columns == nil {
		n.columns = tokens
		return
	}
	if len(tokens) != len(n.columns)+1 {
		log.warn(line.Number, "a row with %d of %d columns: %q", len(tokens)-1, len(n.columns), excerpt(line.Text))
	}
	for i, word := range tokens[1:min(len(tokens), len(n.columns)+1)] {
		n.cell(line.Number, tokens[0], n.columns[i], word, log)
	}
}

// describe reads the line that says what rows, columns and figures are. False says that it is another line.
func (n *nvTest) describe(text string) bool {
	if m := nvMatrix.FindStringSubmatch(text); m != nil {
		n.row, n.arrow, n.column, n.unit, n.columns = m[1], m[2], m[3], m[4], nil
		if n.arrow == "<->" {
			n.base.Variant = "bidirectional"
		}
		return true
	}
	if m := nvSingle.FindStringSubmatch(text); m != nil && n.unit == "" {
		n.row, n.column, n.arrow, n.unit = "", m[1], "", m[2]
		return true
	}
	return false
}

// cell takes one figure of the matrix. An arrow to the left means that the column is where the data come from.
func (n *nvTest) cell(line int, row, column, word string, log *Log) {
	f, ok := parseFigure(word)
	if !ok || f.value < 0 {
		return
	}
	n.sum += f.value
	n.cells++
	m := n.base
	m.Line = line
	m.From, m.To = strings.TrimSpace(n.row+" "+row), strings.TrimSpace(n.column+" "+column)
	switch n.arrow {
	case "<-":
		m.From, m.To = m.To, m.From
	case "": // within one device
		m.From = ""
	}
	switch n.unit {
	case "ns":
		m.Seconds = scaled(word, 1e-9)
	case "us":
		m.Seconds = scaled(word, 1e-6)
	default:
		m.AlgBW = scaled(word, 1e9)
	}
	log.add(m)
}

// matrix takes the rows of a JSON document, which number rows and columns from 0.
func (n *nvTest) matrix(line int, rows [][]string, log *Log) {
	for i, row := range rows {
		for j, word := range row {
			n.cell(line, strconv.Itoa(i), strconv.Itoa(j), word, log)
		}
	}
}
