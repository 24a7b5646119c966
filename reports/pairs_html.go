package reports

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"collbench/bench/pairs"
	"collbench/bench/unit"
)

//go:embed assets/matrix.js
var matrixScript string

// pageWorst is how many of the worst pairs the page lists.
const pageWorst = 30

// PairsHTML writes the page of a test of pairs: one file that loads nothing. The same input gives the same bytes.
func PairsHTML(w io.Writer, p PairsOf) error {
	page := page{
		Title: pairsTitle(p), Subtitle: subtitle(p.Info), Run: oneLine(p.Info.ID), Version: oneLine(p.Info.Environment.Version),
		Style: template.CSS(pageStyle), Boot: template.JS(matrixScript),
		Verdict: pairsHeadline(p.Verdict), Banners: banners(p.Info, nil), Tiles: pairsTiles(p), Command: ShellLine(p.Info.Command),
		Plan: indented(p.Info.Plan), Method: pairsMethod, Facts: facts(p.Info), Links: links(p.Info), Seats: seats(p.Info), Variables: variables(p.Info),
	}
	if p.Verdict.Simulated {
		page.Banners = append(page.Banners, "Simulated: these figures were computed, not measured.")
	}
	for i, m := range p.Matrices {
		f, err := matrixFigure(fmt.Sprintf("m%d", i), m, p.Verdict.Tables[i])
		if err != nil {
			return err
		}
		page.Sections = append(page.Sections, section{Title: m.Name(), Text: pairsText(p.Verdict.Tables[i]), Figures: []figure{f}})
	}
	page.TableTitle = "The worst pairs"
	page.Head, page.Table = pairsRows(p)
	page.TableNote = "A pair's share is what it reaches of the reference of its kind: the better quartile of all pairs alike."
	var csv, document bytes.Buffer
	if err := pairsCSV(&csv, p); err != nil {
		return err
	}
	if err := pairsJSON(&document, p); err != nil {
		return err
	}
	if csv.Len()+document.Len() < mostDownload { // else they would be most of the page
		page.Downloads = []download{{"pairs.json", "JSON", dataURL("application/json", document.Bytes())}, {"pairs.csv", "CSV", dataURL("text/csv", csv.Bytes())}}
	}
	return page.write(w)
}

// mostDownload bounds the files inside the page, in bytes.
const mostDownload = 8 << 20

func pairsTitle(p PairsOf) string {
	if len(p.Matrices) == 0 {
		return "No pairs"
	}
	var hosts []string
	for _, at := range p.Matrices[0].Places {
		hosts = append(hosts, at.Host)
	}
	return fmt.Sprintf("Pairs of %s on %s", plural(len(hosts), "rank", "ranks"), plural(len(unique(hosts)), "host", "hosts"))
}

// pairsHeadline is the verdict in the page's words.
func pairsHeadline(v pairs.Verdict) verdict {
	h := verdict{Class: "pass", Sign: "✔", Word: "PASS"}
	switch v.Outcome {
	case pairs.Fail:
		h = verdict{Class: "fail", Sign: "✖", Word: "FAIL"}
	case pairs.Inconclusive:
		h = verdict{Class: "inconclusive", Sign: "?", Word: "INCONCLUSIVE"}
	}
	for _, s := range strings.Split(v.Statement, ". ") {
		h.Sentences = append(h.Sentences, oneLine(s)+".")
	}
	return h
}

func pairsTiles(p PairsOf) (list []tile) {
	for i, m := range p.Matrices {
		t := p.Verdict.Tables[i]
		note := fmt.Sprintf("%d of %d pairs", t.Measured, t.Possible)
		for _, r := range t.References {
			list = append(list, tile{m.Name() + ", " + string(r.Kind), pairsValue(t, r.Value), note})
		}
		if worst := m.Worst(t.References, 1); len(worst) > 0 {
			list = append(list, tile{"worst pair of " + m.Case.What.Name(), unit.Percent(math.Round(100*worst[0].Share) / 100),
				oneLine(m.RankName(worst[0].From) + " → " + m.RankName(worst[0].To))})
		}
	}
	return list
}

func pairsText(t pairs.Table) string {
	var parts []string
	for _, r := range t.References {
		parts = append(parts, fmt.Sprintf("%s: %d pairs, %s … %s; what is worse than %.0f %% of %s stands out.", r.Kind, r.Pairs, pairsValue(t, r.Least), pairsValue(t, r.Most),
			100*r.Limit, pairsValue(t, r.Value)))
	}
	if t.Power != nil {
		parts = append(parts, t.Power.String()+".")
	}
	return strings.Join(parts, " ")
}

var pairsMethod = []string{
	"Pairs of a round are at work at the same time and share no rank; in as many rounds as there are other ranks everybody meets everybody.",
	"A pair is compared with pairs of its kind alone: of one host, of one rail, across rails.",
	"What stands out was tested again, each pair by itself, with partners that are well and against others that are well; what was not slow again is not named.",
}

// matrixFigure is the heat map of a matrix: sender by receiver, each pair's share of the reference of its kind.
func matrixFigure(id string, m *pairs.Matrix, t pairs.Table) (figure, error) {
	f := figure{ID: id, Class: "c12", Matrix: true, Title: "From (down) to (across)",
		Note: "Red: slower than pairs of its kind. Blue: faster. Grey: not measured. Point at a pair for its figure.",
		Alt:  fmt.Sprintf("Heat map of %s between %d ranks", m.Name(), len(m.Places))}
	type rank struct {
		Host   int    `json:"host"`
		Rail   int    `json:"rail"`
		Device string `json:"device,omitempty"`
		NIC    string `json:"nic,omitempty"`
	}
	data := struct {
		Unit       string     `json:"unit"`
		Hosts      []string   `json:"hosts"`
		Ranks      []rank     `json:"ranks"`
		References [3]float64 `json:"references"` // by kind
		Shares     []byte     `json:"shares"`     // from × to, 16 bits each, little-endian, in 1/10000; 0: none
	}{Unit: t.Unit, Shares: packed(m, t)}
	hosts, rails := map[string]int{}, map[string]int{}
	for _, p := range m.Places {
		if _, ok := hosts[p.Host]; !ok {
			hosts[p.Host] = len(hosts)
			data.Hosts = append(data.Hosts, oneLine(p.Host))
		}
		if _, ok := rails[p.Rail()]; !ok {
			rails[p.Rail()] = len(rails)
		}
		data.Ranks = append(data.Ranks, rank{hosts[p.Host], rails[p.Rail()], oneLine(p.GPU), oneLine(p.NIC)})
	}
	for _, r := range t.References {
		data.References[slices.Index(pairs.Kinds, r.Kind)] = r.Value
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return f, fmt.Errorf("heat map of %s: %w", m.Name(), err)
	}
	f.Option = template.JS(raw)
	return f, nil
}

// packed are the shares as assets/matrix.js reads them.
func packed(m *pairs.Matrix, t pairs.Table) []byte {
	n := len(m.Places)
	raw := make([]byte, 2*n*n)
	put := func(f, t int, share float64) {
		binary.LittleEndian.PutUint16(raw[2*(f*n+t):], uint16(min(max(1, math.Round(1e4*share)), math.MaxUint16)))
	}
	for i, share := range m.Shares(t.References) {
		if math.IsNaN(share) {
			continue
		}
		c := m.Cells[i]
		put(c.From, c.To, share)
		if !m.Directed() {
			put(c.To, c.From, share)
		}
	}
	return raw
}

// pairsRows are the worst pairs of all matrices.
func pairsRows(p PairsOf) (head []cell, rows [][]cell) {
	for i, name := range []string{"test", "from", "to", "kind", "value", "of its peers", "tested again"} {
		head = append(head, cell{Text: name, Left: i < 4})
	}
	for i, m := range p.Matrices {
		t := p.Verdict.Tables[i]
		for _, r := range m.Worst(t.References, pageWorst) {
			var again []string
			for _, v := range r.Again {
				again = append(again, pairsValue(t, v))
			}
			row := []cell{}
			for k, text := range []string{m.Name(), m.RankName(r.From), m.RankName(r.To), string(r.Kind), pairsValue(t, r.Value), unit.Percent(math.Round(100*r.Share) / 100),
				strings.Join(again, ", ")} {
				c := cell{Text: oneLine(text)}
				if k < 4 {
					c.Class = "l"
				}
				row = append(row, c)
			}
			rows = append(rows, row)
		}
	}
	return head, rows
}
