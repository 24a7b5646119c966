package formats

import (
	"regexp"
	"strconv"
	"strings"

	"collbench/bench/unit"
)

var markdown = Format{
	Name: "markdown", Family: "markdown",
	Summary: "tables in Markdown whose columns say size, ranks, time, algbw or busbw",
	Detect: func(t *Text) Confidence {
		for i, line := range t.Lines {
			if i > 0 && markdownRule.MatchString(strings.TrimSpace(line.Raw)) && markdownFigures(markdownCells(t.Lines[i-1].Raw)) {
				return Plain
			}
		}
		return 0
	},
	Read: readMarkdown,
}

var (
	markdownRule   = regexp.MustCompile(`^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?$`)
	markdownUnit   = regexp.MustCompile(`(?i)\(?\b(us|µs|μs|usec|ms|ns|s|[kmgt]i?b/s|[kmgt]i?bps|[kmgt]i?bytes/s|[kmgt]bit/s)\b\)?`)
	markdownNumber = regexp.MustCompile(`^([\d,]*\.?\d+)\s*([A-Za-zµμ/]*)$`)
	markdownTool   = regexp.MustCompile(`\b(nccl-tests|rccl-tests|nvbandwidth|osu_\w+|ucx_perftest|perftest|(\w+_perf))\b`)
	markdownNCCL   = regexp.MustCompile(`(?i)\b([nr]ccl)[ =]v?(\d+\.\d+(?:\.\d+)?)`)
	markdownSize   = regexp.MustCompile(`\b(\d+) ?([KMGT]i?B)\b(?:[^/]|$)`)
	markdownName   = regexp.MustCompile(`(?i)\b(all[-_ ]?reduce|all[-_ ]?gather|reduce[-_ ]?scatter|broadcast|all[-_ ]?to[-_ ]?all)\b`)
)

// markdownCells splits a row of a table; nil where the line is none.
func markdownCells(raw string) []string {
	raw = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(raw), ">"))
	if !strings.Contains(raw, "|") {
		return nil
	}
	var cells []string
	for cell := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(raw, "|"), "|"), "|") {
		cells = append(cells, strings.Trim(strings.TrimSpace(cell), "*`"))
	}
	return cells
}

// markdownColumn is what a column holds: "size", "ranks", "algorithm", "time", "algbw", "busbw", "wrong" or "".
// The rest of its title tells it from others of its kind: "busbw, NVLS off".
func markdownColumn(title string) (kind, variant string) {
	low := strings.ToLower(markdownUnit.ReplaceAllString(title, ""))
	for _, k := range []struct{ word, kind string }{
		{"busbw", "busbw"}, {"bus bw", "busbw"}, {"bus bandwidth", "busbw"},
		{"algbw", "algbw"}, {"alg bw", "algbw"}, {"algorithm bandwidth", "algbw"}, {"bandwidth", "algbw"},
		{"latency", "time"}, {"time", "time"},
		{"message size", "size"}, {"msg size", "size"}, {"size", "size"}, {"bytes", "size"},
		{"gpus", "ranks"}, {"ranks", "ranks"}, {"processes", "ranks"}, {"#wrong", "wrong"},
		{"algorithm", "algorithm"}, {"algo", "algorithm"},
	} {
		if i := strings.Index(low, k.word); i >= 0 {
			rest := strings.Trim(oneSpace(strings.Replace(strings.ToLower(markdownUnit.ReplaceAllString(title, "")), k.word, " ", 1)), " ,:;-()")
			return k.kind, keepCase(title, rest)
		}
	}
	return "", ""
}

// keepCase finds the lower-case words in the title as they are written there.
func keepCase(title, words string) string {
	if i := strings.Index(strings.ToLower(title), words); i >= 0 && i+len(words) <= len(title) {
		return title[i : i+len(words)]
	}
	return words
}

func markdownFigures(cells []string) bool {
	for _, c := range cells {
		if kind, _ := markdownColumn(c); kind == "busbw" || kind == "algbw" || kind == "time" {
			return true
		}
	}
	return false
}

// markdownTable is one table of a text while it is read; prose is what stands before it.
type markdownTable struct {
	base   Measurement
	titles []string
}

func readMarkdown(t *Text, log *Log) {
	var table *markdownTable
	var prose []Line
	run, tool := 0, "table"
	for i, line := range t.Lines {
		cells := markdownCells(line.Raw)
		switch {
		case table != nil && cells != nil:
			if !markdownRule.MatchString(strings.TrimSpace(line.Raw)) {
				table.row(line, cells, log)
			}
		case cells != nil && i+1 < len(t.Lines) && markdownRule.MatchString(strings.TrimSpace(t.Lines[i+1].Raw)) && markdownFigures(cells):
			run++
			table = &markdownTable{titles: cells, base: Measurement{Run: run, Tool: tool}}
			table.context(prose, log)
			tool = table.base.Tool // a text names it once for all its tables
			prose = nil
		default:
			table = nil
			prose = append(prose, line)
		}
	}
}

// context takes from the text before a table what its columns leave out.
func (t *markdownTable) context(prose []Line, log *Log) {
	sized := false
	for _, title := range t.titles {
		kind, _ := markdownColumn(title)
		sized = sized || kind == "size"
	}
	sizes := map[string]int{}
	for _, line := range prose {
		if strings.HasPrefix(line.Text, "#") && strings.Contains(line.Text, ": ") {
			continue
		}
		if m := markdownTool.FindStringSubmatch(line.Text); m != nil {
			t.base.Tool = m[1]
		}
		if m := markdownNCCL.FindStringSubmatch(line.Text); m != nil {
			t.base.Library = strings.ToUpper(m[1]) + " " + m[2]
		}
		if m := markdownName.FindStringSubmatch(line.Text); m != nil {
			t.base.Collective = collectiveNamed(m[1])
		}
		for _, m := range markdownSize.FindAllStringSubmatch(line.Text, -1) {
			sizes[m[1]+m[2]] = line.Number
		}
	}
	if len(sizes) != 1 || sized {
		return
	}
	for text, line := range sizes {
		if bytes, err := unit.ParseBytes(text); err == nil {
			t.base.Bytes = &bytes
			log.warn(line, "the table has no column of sizes: %s is taken from the text before it", text)
		}
	}
}

// row takes one measurement from each column of rates or times; a time beside a rate of the same kind goes with it.
func (t *markdownTable) row(line Line, cells []string, log *Log) {
	if len(cells) != len(t.titles) {
		log.warn(line.Number, "a row with %d of %d columns: %q", len(cells), len(t.titles), excerpt(line.Raw))
		return
	}
	base := t.base
	base.Line = line.Number
	algorithm := ""
	byVariant := map[string]*Measurement{}
	var order []string
	for i, title := range t.titles {
		kind, variant := markdownColumn(title)
		switch kind {
		case "size":
			if bytes, err := unit.ParseBytes(strings.ReplaceAll(cells[i], ",", "")); err == nil {
				base.Bytes = &bytes
			} else {
				log.warn(line.Number, "%s: %q is no size", excerpt(title), excerpt(cells[i]))
			}
		case "ranks":
			if n, err := strconv.Atoi(cells[i]); err == nil && n > 0 {
				base.Ranks, base.RanksFrom = n, "table"
			}
		case "algorithm":
			algorithm = cells[i]
		case "busbw", "algbw", "time", "wrong":
			m := byVariant[variant]
			if m == nil {
				m = &Measurement{}
				byVariant[variant] = m
				order = append(order, variant)
			}
			if !m.setCell(kind, title, cells[i]) && cells[i] != "" && !absent(cells[i]) {
				log.warn(line.Number, "%s: %q is no figure with a unit", excerpt(title), excerpt(cells[i]))
			}
		}
	}
	for _, variant := range order {
		f := byVariant[variant]
		if f.Seconds == nil && f.AlgBW == nil && f.BusBW == nil {
			continue
		}
		m := base
		m.Seconds, m.AlgBW, m.BusBW, m.Wrong, m.Variant = f.Seconds, f.AlgBW, f.BusBW, f.Wrong, variant
		if variant == "" { // the column of algorithms speaks of the plain figures
			m.Algorithm = algorithm
		}
		m.setBuffer(false)
		log.add(m)
	}
}

// setCell reads "363.3GBps" or, with its unit in the title, "363.3".
func (m *Measurement) setCell(kind, title, cell string) bool {
	n := markdownNumber.FindStringSubmatch(cell)
	if n == nil {
		return false
	}
	number := strings.ReplaceAll(n[1], ",", "")
	unitName := n[2]
	if unitName == "" {
		if u := markdownUnit.FindStringSubmatch(title); u != nil {
			unitName = u[1]
		}
	}
	factor, isTime := markdownFactor(unitName)
	switch {
	case kind == "wrong":
		m.Wrong = whole(number)
	case factor == 0 || isTime != (kind == "time"):
		return false
	case kind == "time":
		m.Seconds = scaled(number, factor)
	case kind == "busbw":
		m.BusBW = scaled(number, factor)
	default:
		m.AlgBW = scaled(number, factor)
	}
	return true
}

// markdownFactor is a unit in seconds or in bytes per second; 0 where it is not known. A capital B is a byte, a
// small one a bit.
func markdownFactor(name string) (factor float64, isTime bool) {
	switch name {
	case "us", "µs", "μs", "usec":
		return 1e-6, true
	case "ms":
		return 1e-3, true
	case "ns":
		return 1e-9, true
	case "s":
		return 1, true
	}
	name = strings.NewReplacer("Bytes/s", "B/s", "bytes/s", "B/s", "Bps", "B/s", "bps", "b/s", "bit/s", "b/s").Replace(name)
	prefix := map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
	if p, ok := strings.CutSuffix(name, "B/s"); ok {
		return prefix[p], false
	}
	if p, ok := strings.CutSuffix(name, "b/s"); ok {
		return prefix[p] / 8, false
	}
	return 0, false
}
