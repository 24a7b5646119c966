package formats

import (
	"regexp"
	"strings"

	"collbench/collectives"
)

var nvshmem = Format{
	Name: "nvshmem", Family: "nvshmem",
	Summary: "NVSHMEM perftest: collectives, put, get, latency; tables and machine-readable lines",
	Detect: func(t *Text) Confidence {
		if t.has("size", nvshmemColumns) || t.has("&&&& PERF", nvshmemPerf) {
			return Sure
		}
		return 0
	},
	Read: readNVSHMEM,
}

var (
	nvshmemColumns = regexp.MustCompile(`^\|?\s*size ?\((B|Bytes)\)\s+\S`)
	nvshmemPerf    = regexp.MustCompile(`^&&&& PERF(?:_STATS)? (\w+?)___(\S*?)___size__(\d+)___(\S+) (.*)`)
	nvshmemTitle   = regexp.MustCompile(`^#\s*(\w+)$`)
	nvshmemPEs     = regexp.MustCompile(`^mype: (\d{1,6}) mype_node`)
	nvshmemGap     = regexp.MustCompile(` +\(`)
)

// nvshmemRun is one table of a log while it is read.
type nvshmemRun struct {
	base    Measurement
	columns []string
	rates   ratio
	first   int // index of its first measurement
	rows    int
	lines   []Line
}

func readNVSHMEM(t *Text, log *Log) {
	job, last, pes, number := "", "", 0, 0
	var run *nvshmemRun
	var before []Line
	finish := func() {
		if run != nil {
			run.finish(log)
		}
	}
	for _, line := range t.Lines {
		text := nvshmemGap.ReplaceAllString(strings.ReplaceAll(line.Text, "|", " "), "(")
		if m := nvshmemTitle.FindStringSubmatch(text); m != nil {
			job = m[1]
		}
		if nvshmemPEs.MatchString(text) {
			pes++
		}
		if m := nvshmemPerf.FindStringSubmatch(text); m != nil {
			if m[1] != last {
				last = m[1]
				number++
			}
			machineRow(m, line, number, pes, log)
			continue
		}
		if nvshmemColumns.MatchString(strings.TrimSpace(text)) {
			finish()
			number++
			run = &nvshmemRun{base: Measurement{Run: number, Tool: "nvshmem", Operation: job, Collective: nvshmemCollective(job)},
				columns: strings.Fields(text), first: len(log.Measurements), lines: before}
			if pes > 0 {
				run.base.Ranks, run.base.RanksFrom = pes, "header"
			}
			job, pes, before = "", 0, nil
		}
		if run == nil {
			before = append(before, line)
			continue
		}
		run.lines = append(run.lines, line)
		run.take(line, strings.Fields(text), log)
	}
	finish()
}

// nvshmemCollective is the collective of a job such as "device_reduction" or "fcollect_on_stream". NVSHMEM's
// reduction leaves the result on every PE.
func nvshmemCollective(job string) string {
	job = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(job, "device_"), "_on_stream"), "_device")
	if job == "reduction" {
		return "all_reduce"
	}
	return collectiveNamed(job)
}

func (r *nvshmemRun) take(line Line, tokens []string, log *Log) {
	if len(tokens) == 0 || whole(tokens[0]) == nil {
		return
	}
	if len(tokens) < len(r.columns) {
		if len(tokens) > 1 {
			log.warn(line.Number, "a row cut after %d of %d columns: %q", len(tokens), len(r.columns), excerpt(line.Text))
		}
		return
	}
	m := r.base
	m.Line = line.Number
	var alg, bus figure
	for i, column := range r.columns {
		word := tokens[i]
		name, unit, _ := strings.Cut(strings.ToLower(column), "(")
		name, unit = strings.TrimSpace(name), strings.TrimSuffix(unit, ")")
		if unit != "" && !isNumber(word) && !absent(word) {
			return
		}
		switch name {
		case "size":
			m.Bytes = whole(word)
		case "count":
			m.Count = whole(word)
		case "type":
			m.DataType, _ = dataType(word)
		case "redop":
			m.Reduction = word
		case "scope":
			m.Variant = word
		case "algbw":
			alg, _ = parseFigure(word)
			m.AlgBW = scaled(word, nvshmemUnit(unit))
		case "busbw":
			bus, _ = parseFigure(word)
			m.BusBW = scaled(word, nvshmemUnit(unit))
		default:
			m.take(name, unit, word)
		}
	}
	if m.Seconds == nil && m.AlgBW == nil && m.Rate == nil {
		return
	}
	r.rates.add(alg, bus)
	r.rows++
	log.add(m)
}

// take takes a figure by its name and unit.
func (m *Measurement) take(name, unit, word string) {
	switch {
	case unit == "us" || unit == "usec":
		v := scaled(word, 1e-6)
		switch {
		case strings.HasPrefix(name, "min"):
			m.SecondsMin = v
		case strings.HasPrefix(name, "max"):
			m.SecondsMax = v
		case !strings.HasPrefix(name, "stddev"):
			m.Seconds = v
		}
	case unit == "MMPs" || unit == "mmps" || strings.Contains(name, "msgrate"):
		m.Rate = scaled(word, 1e6)
	case strings.Contains(unit, "b/s") || strings.Contains(unit, "B/s"):
		m.AlgBW = scaled(word, nvshmemUnit(unit))
	}
}

// nvshmemUnit is a unit of rates in bytes per second.
func nvshmemUnit(unit string) float64 {
	if strings.HasPrefix(strings.ToLower(unit), "mb") {
		return 1e6
	}
	return 1e9
}

// machineRow reads a line of NVSHMEM_MACHINE_READABLE_OUTPUT: job___subjob___size__N___name figure +unit.
func machineRow(found []string, line Line, run, pes int, log *Log) {
	m := Measurement{Run: run, Line: line.Number, Tool: "nvshmem", Operation: found[1], Collective: nvshmemCollective(found[1]), Variant: found[2],
		Bytes: whole(found[3]), Ranks: pes}
	if pes > 0 {
		m.RanksFrom = "header"
	}
	if strings.EqualFold(m.Variant, "none") {
		m.Variant = ""
	}
	words := strings.Fields(found[5])
	if len(words) < 2 {
		log.warn(line.Number, "a row that cannot be read: %q", excerpt(line.Text))
		return
	}
	value, unit := words[0], strings.TrimLeft(words[1], "+-")
	if strings.HasPrefix(found[0], "&&&& PERF_STATS") {
		value, unit = strings.TrimPrefix(words[1], "mean="), strings.TrimLeft(words[0], "+-")
	}
	m.take(strings.ToLower(found[4]), unit, value)
	if m.Seconds == nil && m.AlgBW == nil && m.Rate == nil {
		log.warn(line.Number, "a row in a unit that is not known: %q", excerpt(line.Text))
		return
	}
	log.add(m)
}

// finish takes the number of ranks from the rates where nothing else tells it.
func (r *nvshmemRun) finish(log *Log) {
	m := &r.base
	if r.rows > 0 && r.rates.rows > 0 {
		line := log.Measurements[r.first].Line
		c, err := collectives.ParseCollective(m.Collective)
		if err != nil {
			log.warn(line, "the log does not say which collective this is")
			c = collectives.AllGather // busbw ÷ algbw of every collective but all-reduce and broadcast
			if r.rates.low > 1 {
				c = collectives.AllReduce
			}
		}
		low, high, ok := r.rates.ranks(c)
		switch {
		case r.rates.contradictory():
			log.warn(line, "busbw ÷ algbw is not the same in all rows")
		case ok && m.Ranks > 0 && (m.Ranks < low || m.Ranks > high):
			log.warn(line, "the header lists %d PEs, but the rates say %s", m.Ranks, between(low, high))
		case ok && m.Ranks == 0 && low == high:
			m.Ranks, m.RanksFrom = low, "rates"
		case ok && m.Ranks == 0:
			log.warn(line, "the rates say %s ranks", between(low, high))
		}
	}
	for i := r.first; i < len(log.Measurements); i++ {
		if row := &log.Measurements[i]; row.Run == m.Run {
			row.Ranks, row.RanksFrom = m.Ranks, m.RanksFrom
			row.setBuffer(false)
		}
	}
	log.fail(r.base, r.lines, r.rows)
}
