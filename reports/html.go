package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
	"collbench/collectives"
)

//go:embed assets/page.gohtml
var pageTemplate string

//go:embed assets/page.css
var pageStyle string

//go:embed assets/boot.js
var bootScript string

//go:embed assets/copy.js
var copyScript string

//go:embed assets/echarts.min.js
var echartsScript string

// page is what the template shows. Everything that came from outside is a plain string in it, which the template
// escapes; the typed fields hold what this package made.
type page struct {
	Title, Subtitle, Run, Version  string
	Policy                         string
	Style                          template.CSS
	ECharts, Boot, Copy            template.JS
	Verdict                        verdict
	Found                          []found
	Banners                        []string
	Tiles                          []tile
	Remarks                        []remark
	Sections                       []section
	Head                           []cell
	Table                          [][]cell
	TableTitle, TableNote          string
	Downloads                      []download
	Command, Plan                  string
	Method                         []string
	Facts, Links, Seats, Variables []fact
}

// found is a failure or warning that doctor, or the proof after the run, has left with the run.
type found struct{ Status, About, Seen, Why, Advice string }

// section is a part of the page with charts.
type section struct {
	Title, Text string
	Figures     []figure
}

// cell is a table cell.
type cell struct {
	Text, Class string
	Left        bool
}

// download is a file inside the page.
type download struct {
	Name, Label string
	URL         template.URL
}

// fact is a line of the environment.
type fact struct{ Label, Value string }

// HTML writes the report of a run: one file that loads nothing. rows[i] is the summary of results[i]. The same
// input gives the same bytes.
func HTML(w io.Writer, info bench.RunInfo, results []bench.Result, rows []summary.Row) error {
	all := panels(results, rows)
	rows = sorted(rows)
	p := page{
		Title: title(all, rows), Subtitle: subtitle(info), Run: oneLine(info.ID), Version: oneLine(info.Environment.Version),
		Style: template.CSS(pageStyle), ECharts: template.JS(echartsScript), Boot: template.JS(bootScript),
		Verdict: judge(info, rows, all), Found: foundOf(info), Banners: banners(info, rows), Tiles: tiles(info, rows, all), Remarks: remarks(rows),
		Command: ShellLine(info.Command), Plan: indented(info.Plan), Method: method(info, rows),
		Facts: facts(info), Links: links(info), Seats: seats(info), Variables: variables(info),
	}
	var err error
	if p.Sections, err = sections(info, all); err != nil {
		return err
	}
	p.Head, p.Table = resultTable(rows)
	p.TableTitle = "All results"
	p.TableNote = "Times are the slowest rank's; ± is the wider side of the 95 % interval of the median. Wirebw is what the busiest rank sends by the program, ÷ time; busbw is the arithmetic of nccl-tests."
	if p.Downloads, err = downloads(info, rows); err != nil {
		return err
	}
	return p.write(w)
}

// write writes the page, with its scripts allowed.
func (p page) write(w io.Writer) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("report template: %w", err)
	}
	p.Copy = template.JS(copyScript)
	p.Policy = policy(string(p.ECharts), string(p.Boot), copyScript)
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// policy allows these scripts and no other, no request, no frame, no form.
func policy(scripts ...string) string {
	var hashes []string
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return "default-src 'none'; script-src " + strings.Join(hashes, " ") +
		"; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
}

func title(all []panel, rows []summary.Row) string {
	if len(rows) == 0 {
		return "No results"
	}
	var names []string
	for _, r := range rows {
		if name := strings.ReplaceAll(r.Name(), "_", "-"); len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	names = unique(names)
	what := strings.Join(names, ", ")
	if len(names) > 3 {
		what = fmt.Sprintf("%d operations", len(names))
	}
	what = strings.ToUpper(what[:1]) + what[1:]
	for _, r := range rows {
		if r.Ranks != rows[0].Ranks || r.Hosts != rows[0].Hosts {
			return what
		}
	}
	return fmt.Sprintf("%s on %s, %s", what, plural(rows[0].Ranks, "rank", "ranks"), plural(rows[0].Hosts, "host", "hosts"))
}

func subtitle(info bench.RunInfo) string {
	parts := []string{"run " + info.ID}
	if !info.Started.IsZero() {
		parts = append(parts, info.Started.UTC().Format("2 January 2006, 15:04:05 UTC"))
	}
	if info.Environment.Host != "" {
		parts = append(parts, "on "+info.Environment.Host)
	}
	if kind := linkKind(info); kind != "" {
		parts = append(parts, kind)
	}
	return oneLine(strings.Join(parts, " · "))
}

func linkKind(info bench.RunInfo) string {
	switch info.LinkKind {
	case "kernel":
		return "virtual cluster, links rate-limited by the kernel"
	case "paced":
		return "virtual cluster, links paced in software"
	}
	return oneLine(info.LinkKind)
}

func banners(info bench.RunInfo, rows []summary.Row) (list []string) {
	for _, r := range rows {
		if r.Simulated {
			list = append(list, "Simulated: at least one result comes from a stand-in, not from the hardware it is named after.")
			break
		}
	}
	if info.LinkKind == "paced" {
		list = append(list, "The links of this run were paced in software (TCP on loopback), as where a system refuses network namespaces; no kernel limited or counted them.")
	}
	return list
}

// sections are the charts, a few for each collective.
func sections(info bench.RunInfo, all []panel) (list []section, err error) {
	for i, p := range all {
		prefix := fmt.Sprintf("p%d", i)
		speed, err := speedSection(prefix, info, p)
		if err != nil {
			return nil, err
		}
		work, err := workSection(prefix, info, p)
		if err != nil {
			return nil, err
		}
		list = append(list, speed)
		if len(work.Figures) > 0 {
			list = append(list, work)
		}
		heat, err := heatFigures(prefix, p, info)
		if err != nil {
			return nil, err
		}
		if len(heat) > 0 {
			text := "A rank that is red everywhere is slow itself; in an algorithm whose ranks wait for each other all end at nearly the same time."
			if p.Lines[0].Points[0].Case.What.Collective.Rooted() {
				text = "The ranks have different parts, so that some end before others without being faster."
			}
			list = append(list, section{Title: p.Collective + ": rank by rank", Text: text, Figures: heat})
		}
	}
	return list, nil
}

// speedSection is bandwidths, times and speed-up.
func speedSection(prefix string, info bench.RunInfo, p panel) (section, error) {
	s := section{Title: p.Collective + ": how fast"}
	dashed, diamond := "", ""
	if p.modelled() {
		dashed, diamond = " Dashed: the model.", " Diamond: the model."
	}
	if len(p.Sizes) > 1 {
		s.Text = "Solid: median measured. Shaded: its 95 % interval, often narrower than the line." + dashed + " Click a name to hide it."
	} else {
		s.Text = "Everything at " + unit.Bytes(p.Sizes[0]) + ". Bars: median measured. Whisker: its 95 % interval." + diamond
	}
	height := 340
	if len(p.Sizes) == 1 {
		height = 90 + 52*len(p.Lines)
	}
	var link []limit
	if rate, ok := linkLimit(info); ok {
		link = []limit{{"link " + unit.BitRate(rate), rate}}
	}
	reduces := p.Collective == collectives.AllReduce.String()
	note := "Size × the factor of nccl-tests ÷ time."
	if reduces {
		note = "Size × 2(N−1)/N ÷ time, as nccl-tests computes it. A switch that reduces can exceed the link in this figure: it is not wire speed."
	}
	draw := func(f figure, lines []line, q quantity, limits []limit) error {
		f.Class, f.Height = "c6", height
		f, err := f.draw(p, lines, q, limits)
		s.Figures = append(s.Figures, f)
		return err
	}
	if err := draw(figure{ID: prefix + "time", Title: "Time", Note: "One iteration, of the slowest rank. Lower is better.",
		Alt: p.Collective + ": time of an iteration by algorithm and size"}, p.Lines, latency, nil); err != nil {
		return s, err
	}
	if err := draw(figure{ID: prefix + "busbw", Title: "Bus bandwidth", Note: note,
		Alt: p.Collective + ": bus bandwidth by algorithm and size"}, p.Lines, busBandwidth, link); err != nil {
		return s, err
	}
	var compared []line
	var base *line
	for _, l := range p.Lines {
		if r := p.ring(l); r != nil && r.Label != l.Label {
			compared, base = append(compared, l), r
		}
	}
	if compared != nil {
		q := speedUp(base)
		if err := draw(figure{ID: prefix + "speedup", Title: "Speed-up over ring", Note: "Time of ring ÷ time, at the same size: beyond 1 is faster than ring. The interval divides the ends of both intervals, so it is wider than 95 %.",
			Alt: p.Collective + ": speed-up of each algorithm over ring"}, compared, q, []limit{{"parity", 1}}); err != nil {
			return s, err
		}
	}
	for _, l := range p.Lines {
		if l.largest().Row.WireBW != nil {
			return s, draw(figure{ID: prefix + "wirebw", Title: "Wire bandwidth", Note: "Bytes that the busiest rank sends by the program ÷ time. This is what a link's rate limits.",
				Alt: p.Collective + ": wire bandwidth by algorithm and size"}, p.Lines, wireBandwidth, link)
		}
	}
	return s, nil
}

// linkLimit is the rate of the slowest link, if the run had links.
func linkLimit(info bench.RunInfo) (rate float64, ok bool) {
	for _, l := range info.Links {
		r := min(l.Transmit, l.Receive)
		if r > 0 && (!ok || r < rate) {
			rate, ok = r, true
		}
	}
	return rate, ok
}

// workSection is what the program makes a rank do: operations, bytes, its picture.
func workSection(prefix string, info bench.RunInfo, p panel) (section, error) {
	s := section{Title: p.Collective + ": what had to move"}
	list := tallies(p, func(at point) (summary.LinkTraffic, bool) { return summary.OnLinks(info, at.Result) })
	if len(list) == 0 {
		return s, nil
	}
	counted := false
	for _, t := range list {
		counted = counted || t.counted
	}
	n := p.Lines[0].Points[0].Case.Where.Ranks
	if p.Collective == collectives.AllReduce.String() && n > 1 && p.sameRanks() {
		s.Text = fmt.Sprintf("A ring makes each of N ranks send and receive 4(N−1) slices of S/N; NVIDIA's slide counts 4N. With a switch that reduces and multicasts it is 2N+2: ÷ %.3g against the slide and ÷ %.3g exactly at N = %d.",
			float64(4*n)/float64(2*n+2), float64(4*(n-1))/float64(2*n+2), n)
	}
	wide := "c6"
	if !counted {
		wide = "c12"
	}
	f, err := operationsFigure(figure{ID: prefix + "operations", Class: wide, Title: "Operations of the busiest rank", Height: 360,
		Note: "Slices of S/N crossing the rank's interface, counted by walking the program.",
		Alt:  p.Collective + ": sends and receives of the busiest rank by algorithm"}, p, list)
	if err != nil {
		return s, err
	}
	s.Figures = append(s.Figures, f)
	if counted {
		f, err := bytesFigure(figure{ID: prefix + "bytes", Class: "c6", Title: "Bytes over a rank's link", Height: 360,
			Note: "By the program, and beside it what the kernel counted on the link in one iteration, with all headers; largest over the ranks.",
			Alt:  p.Collective + ": bytes over a rank's link, by the program and counted"}, list)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, f)
	}
	s.Figures = append(s.Figures, pictures(prefix, p)...)
	return s, nil
}
