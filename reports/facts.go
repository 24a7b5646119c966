package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
)

// facts describes the host; what is not known is left out.
func facts(info bench.RunInfo) (list []fact) {
	e := info.Environment
	add := func(label, value string) {
		if value != "" {
			list = append(list, fact{label, oneLine(value)})
		}
	}
	add("Run", info.ID)
	if !info.Started.IsZero() {
		add("Started", info.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	add("Host", e.Host)
	add("System", e.OS)
	add("Kernel", e.Kernel)
	add("Hypervisor", e.Hypervisor)
	add("Processor", e.CPU)
	if e.CPUs > 0 {
		add("Processors in use", fmt.Sprint(e.CPUs))
	}
	if e.NUMANodes > 0 {
		add("NUMA nodes", fmt.Sprint(e.NUMANodes))
	}
	if e.Memory > 0 {
		add("Memory", unit.BytesAbout(float64(e.Memory)))
	}
	add("collbench", e.Version)
	add("Go", e.Go)
	if len(info.Ranks) > 0 {
		add("Ranks", fmt.Sprint(len(info.Ranks)))
	}
	add("Links", linkKind(info))
	return list
}

func links(info bench.RunInfo) (list []fact) {
	for _, l := range info.Links {
		text := unit.BitRate(l.Transmit)
		if l.Transmit != l.Receive {
			text = fmt.Sprintf("sends %s, receives %s", unit.BitRate(l.Transmit), unit.BitRate(l.Receive))
		}
		list = append(list, fact{oneLine(l.Host), text})
	}
	return list
}

func seats(info bench.RunInfo) (list []fact) {
	for _, r := range info.Ranks {
		text := oneLine(r.Host)
		if len(r.CPUs) > 0 {
			text += fmt.Sprintf(", pinned to CPU %s", strings.Trim(fmt.Sprint(r.CPUs), "[]"))
		}
		if r.Device != nil {
			text += ", " + oneLine(device(*r.Device))
		}
		list = append(list, fact{fmt.Sprintf("rank %d", r.Rank), text})
	}
	return list
}

// device is what a figure depends on of a rank's device: what it is, its links, and what stands between it and the rank.
func device(d bench.Device) string {
	parts := []string{fmt.Sprintf("%s at %s", d.Name, d.PCI), d.Library}
	if d.Driver != "" {
		parts = append(parts, "driver "+d.Driver)
	}
	if n := d.NVLink; n != nil {
		text := fmt.Sprintf("%d NVLinks up", n.Active)
		if len(n.Down) > 0 {
			text += fmt.Sprintf(", %d down", len(n.Down))
		}
		parts = append(parts, text)
	}
	if d.MIG == "enabled" {
		parts = append(parts, "MIG")
	}
	if d.Virtualization != "" && d.Virtualization != "none" {
		parts = append(parts, d.Virtualization)
	}
	return strings.Join(parts, ", ")
}

func variables(info bench.RunInfo) (list []fact) {
	for _, name := range slices.Sorted(maps.Keys(info.Environment.Variables)) {
		list = append(list, fact{oneLine(name), oneLine(info.Environment.Variables[name])})
	}
	return list
}

// ShellLine quotes a command so that a shell reads the same words.
func ShellLine(command []string) string {
	var words []string
	for _, w := range command {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%") != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return ""
	}
	return b.String()
}

// method says how the figures came about, and how not to read them.
func method(info bench.RunInfo, rows []summary.Row) []string {
	barrier, batch := false, false
	for _, r := range rows {
		barrier = barrier || r.Timing == bench.TimingBarrier
		batch = batch || r.Timing == bench.TimingBatch
	}
	list := []string{"The time of an iteration is the slowest rank's. Shown is the median; its 95 % interval is the order-statistic one, which assumes no distribution. Where a case was launched more than once, the launch in the middle is drawn and the interval spans all launches."}
	if barrier {
		list = append(list, "Barrier timing: each iteration starts after a barrier and is timed by itself, with fresh data, and every element of every timed result is checked.")
	}
	if batch {
		list = append(list, "Batch timing: iterations run back to back and a sample is their mean, as in nccl-tests and IMB; the last result is checked. It hides latency that barrier timing shows, so the two must not be compared. A 99th percentile of iterations is not known then.")
	}
	list = append(list, "Bus bandwidth is algorithm bandwidth × the factor of nccl-tests. It compares with a link only for algorithms that move what the factor assumes. For NVLS and SHARP, where the switch reduces, it is not wire speed; wire bandwidth is.",
		"Operations and bytes are counted from the very program that the ranks carried out. Counted bytes come from the link's own counters and hold all headers, acknowledgements and retransmissions, so they lie some percent above the program's.")
	if len(info.Links) > 0 {
		list = append(list, "The model knows the links' rates and headers, not this run's times. A virtual cluster shows what an algorithm must move over links of a given rate; it says nothing of how fast real GPUs or switches are.")
	}
	return append(list, "“Observed” is the algorithm that ran, with the evidence for it; a result that nothing proves is unproven, never ok.")
}

// resultTable is the table of all rows, without columns that are empty.
func resultTable(rows []summary.Row) (head []cell, table [][]cell) {
	var columns []field
	for _, f := range identity {
		for _, r := range rows {
			if f.value(r) != f.value(rows[0]) {
				columns = append(columns, f)
				break
			}
		}
	}
	columns = append(columns, figures...)
	more := []field{
		{"p99", 0, func(r summary.Row) string {
			if r.Seconds == nil || r.Seconds.P99 == nil {
				return ""
			}
			return unit.Seconds(*r.Seconds.P99)
		}},
		{"samples", 0, func(r summary.Row) string { return positive(r.Samples) }},
	}
	columns = slices.Insert(columns, slices.IndexFunc(columns, func(f field) bool { return f.title == "algbw" }), more...)
	columns = slices.DeleteFunc(columns, func(f field) bool {
		return !slices.ContainsFunc(rows, func(r summary.Row) bool { return f.value(r) != "" })
	})
	left := func(f field) bool { return f.align == alignLeft }
	for _, c := range columns {
		class := ""
		if left(c) {
			class = "l"
		}
		head = append(head, cell{Text: c.title, Class: class, Left: left(c)})
	}
	for _, r := range rows {
		var line []cell
		for _, c := range columns {
			class := ""
			switch {
			case c.title == "status":
				class = string(r.Status)
			case left(c):
				class = "l"
			}
			line = append(line, cell{Text: oneLine(c.value(r)), Class: class})
		}
		table = append(table, line)
	}
	return head, table
}

// downloads are the rows as JSON lines and as CSV, held by the page itself.
func downloads(info bench.RunInfo, rows []summary.Row) ([]download, error) {
	var lines, csv bytes.Buffer
	for _, r := range rows {
		if err := JSON(&lines, r); err != nil {
			return nil, err
		}
	}
	if err := CSV(&csv, rows); err != nil {
		return nil, err
	}
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, "collbench-"+info.ID)
	return []download{
		{name + ".jsonl", "JSON lines", dataURL("application/jsonl", lines.Bytes())},
		{name + ".csv", "CSV", dataURL("text/csv", csv.Bytes())},
	}, nil
}

func dataURL(kind string, data []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data))
}
