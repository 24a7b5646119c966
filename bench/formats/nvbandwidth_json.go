package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"collbench/bench"
)

var nvbandwidthJSON = Format{
	Name: "nvbandwidth-json", Family: "nvbandwidth",
	Summary: "NVIDIA nvbandwidth with --json",
	Detect: func(t *Text) Confidence {
		if t.isJSON("nvbandwidth") {
			return Sure
		}
		return 0
	},
	Read: readNVBandwidthJSON,
}

// nvReport is the document that nvbandwidth writes.
type nvReport struct {
	Body struct {
		Version   string `json:"version"`
		Error     string `json:"error"`
		Warning   string `json:"warning"`
		Testcases []struct {
			Name        string       `json:"name"`
			Status      string       `json:"status"`
			Error       string       `json:"error"`
			Description string       `json:"bandwidth_description"`
			Matrix      [][]jsonCell `json:"bandwidth_matrix"`
		} `json:"testcases"`
	} `json:"nvbandwidth"`
}

// jsonCell is a figure, written as a string in one version and as a number in another.
type jsonCell string

// UnmarshalJSON takes a string, a number or null.
func (c *jsonCell) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*c = jsonCell(text)
		return nil
	}
	*c = jsonCell(b)
	return nil
}

func readNVBandwidthJSON(t *Text, log *Log) {
	d := json.NewDecoder(bytes.NewReader(t.Data))
	for run := 1; ; run++ {
		var doc nvReport
		start := skipSpace(t.Data, d.InputOffset())
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		base := Measurement{Run: run, Line: t.lineAt(start), Tool: "nvbandwidth", Version: strings.TrimPrefix(doc.Body.Version, "v")}
		if err != nil {
			base.Status, base.Error = bench.Failed, "the JSON is damaged or cut: "+err.Error()
			log.add(base)
			return
		}
		doc.report(base, t, start, log)
	}
}

func (doc *nvReport) report(base Measurement, t *Text, at int64, log *Log) {
	if doc.Body.Warning != "" {
		log.warn(base.Line, "nvbandwidth warns: %s", excerpt(doc.Body.Warning))
	}
	if doc.Body.Error != "" {
		m := base
		m.Status, m.Error = bench.Failed, oneSpace(doc.Body.Error)
		log.add(m)
	}
	line := base.Line
	for _, c := range doc.Body.Testcases {
		if i := bytes.Index(t.Data[at:], []byte(`"`+c.Name+`"`)); i >= 0 {
			found := t.Data[at : at+int64(i)]
			line += bytes.Count(found, []byte("\n"))
			at += int64(i)
		}
		test := nvTest{base: base}
		test.base.Line, test.base.Operation = line, c.Name
		m := test.base
		switch {
		case c.Status == "Waived" || c.Status == "Not Found":
			m.Status, m.Error = bench.Skipped, c.Status
		case c.Error != "" || c.Status != "Passed":
			m.Status, m.Error = bench.Failed, oneSpace(c.Status+" "+c.Error)
		case !test.describe(oneSpace(c.Description)):
			log.warn(line, "%s: the description %q does not say what the figures are", excerpt(c.Name), excerpt(c.Description))
			continue
		default:
			rows := make([][]string, len(c.Matrix))
			for i, row := range c.Matrix {
				for _, cell := range row {
					rows[i] = append(rows[i], string(cell))
				}
			}
			if test.matrix(line, rows, log); test.cells > 0 {
				continue
			}
			m.Status, m.Error = bench.Failed, "passed, but its matrix is empty"
		}
		log.add(m)
	}
}
