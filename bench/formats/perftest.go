package formats

import (
	"regexp"
	"strings"
)

var perftest = Format{
	Name: "perftest", Family: "perftest",
	Summary: "linux-rdma perftest: ib_write_bw, ib_write_lat, ib_send_…, ib_read_…, ib_atomic_…",
	Detect: func(t *Text) Confidence {
		switch {
		case t.has("#bytes", perftestColumns):
			return Sure
		case t.has(" Test", perftestTitle):
			return Table
		case t.has("_", perftestProgram):
			return Named
		}
		return 0
	},
	Read: readPerftest,
}

var (
	perftestProgram = regexp.MustCompile(`\b((?:ib|raw_ethernet)_(?:write|send|read|atomic)_(?:bw|lat))\b`)
	perftestTitle   = regexp.MustCompile(`^(RDMA_Write|RDMA_Read|Send|Atomic)(?:_imm)?\b.* (BW|Latency) .*Test$|^(RDMA_Write|RDMA_Read|Send|Atomic)(?:_imm)? (BW|Latency) Test$`)
	perftestColumns = regexp.MustCompile(`^#bytes\s+#iterations\s+(BW|t_)|^#bytes\s+#sl\s+#iterations`)
	perftestColumn  = regexp.MustCompile(`#bytes|#sl|#iterations|BW peak ?\[[^\]]*\]|BW average ?\[[^\]]*\]|MsgRate ?\[[^\]]*\]|BW Port\d ?\[[^\]]*\]|MsgRate Port\d ?\[[^\]]*\]|t_\w+\[\w+\]|99(?:\.9)?% percentile\[\w+\]|tps average|CPU_Util\[%%?\]`)
	perftestDevice  = regexp.MustCompile(`\bDevice\s*: (\S+)`)
)

var perftestVerbs = map[string]string{"RDMA_Write": "write", "RDMA_Read": "read", "Send": "send", "Atomic": "atomic"}

// perftestRun is one test of a log while it is read. Both ends may have written into one file.
type perftestRun struct {
	base    Measurement
	begun   bool
	columns []string
	headers int
	rows    map[string]int // text of the row: its line
	lines   []Line
}

func newPerftestRun(number int) *perftestRun {
	return &perftestRun{base: Measurement{Run: number, Tool: "perftest", Ranks: 2, RanksFrom: "test"}, rows: map[string]int{}}
}

func readPerftest(t *Text, log *Log) {
	run := newPerftestRun(1)
	for _, line := range t.Lines {
		text := line.Text
		opens := perftestTitle.MatchString(text) || perftestColumns.MatchString(text) ||
			perftestProgram.MatchString(text) && !strings.HasPrefix(text, "#")
		if opens && len(run.rows) > 0 {
			run.finish(log)
			run = newPerftestRun(run.base.Run + 1)
		}
		run.lines = append(run.lines, line)
		run.take(line, log)
	}
	run.finish(log)
}

func (r *perftestRun) finish(log *Log) {
	if _, _, failed := cause(r.lines, 0); r.begun || failed {
		log.fail(r.base, r.lines, len(r.rows))
	}
}

func (r *perftestRun) take(line Line, log *Log) {
	text := line.Text
	if m := perftestTitle.FindStringSubmatch(text); m != nil {
		r.begun = true
		if r.base.Operation == "" {
			r.base.Operation = perftestOperation(m[1]+m[3], m[2]+m[4])
		}
		if strings.Contains(text, "Bidirectional") {
			r.base.Variant = "bidirectional"
		}
	}
	if m := perftestProgram.FindStringSubmatch(text); m != nil && !strings.HasPrefix(text, "#") {
		r.base.Operation = m[1]
	}
	if m := perftestDevice.FindStringSubmatch(text); m != nil {
		r.base.From = m[1]
	}
	if perftestColumns.MatchString(text) {
		r.begun = true
		r.columns = perftestColumn.FindAllString(text, -1)
		return
	}
	tokens := strings.Fields(text)
	if len(r.columns) == 0 || len(tokens) == 0 || whole(tokens[0]) == nil {
		return
	}
	for _, word := range tokens {
		if !isNumber(word) && !absent(word) {
			return
		}
	}
	if len(tokens) < len(r.columns) {
		log.warn(line.Number, "a row cut after %d of %d columns: %q", len(tokens), len(r.columns), excerpt(text))
		return
	}
	if first, ok := r.rows[oneSpace(text)]; ok {
		log.warn(line.Number, "this row repeats line %d, as when both ends write into one file: counted once", first)
		return
	}
	r.rows[oneSpace(text)] = line.Number
	log.add(r.row(line, tokens))
}

func perftestOperation(verb, kind string) string {
	if kind == "Latency" {
		return "ib_" + perftestVerbs[verb] + "_lat"
	}
	return "ib_" + perftestVerbs[verb] + "_bw"
}

func (r *perftestRun) row(line Line, tokens []string) Measurement {
	m := r.base
	m.Line = line.Number
	for i, column := range r.columns {
		word := tokens[i]
		name, unit, _ := strings.Cut(column, "[")
		unit = strings.TrimSuffix(unit, "]")
		switch strings.TrimSpace(name) {
		case "#bytes":
			m.Bytes = whole(word)
		case "#iterations":
			if n := whole(word); n != nil {
				m.Iterations = *n
			}
		case "#sl":
			m.Variant = strings.TrimSpace(m.Variant + " service level " + word)
		case "BW peak":
			m.PeakBW = scaled(word, perftestUnit(unit))
		case "BW average":
			m.AlgBW = scaled(word, perftestUnit(unit))
		case "MsgRate":
			m.Rate = scaled(word, 1e6)
		case "t_min":
			m.SecondsMin = scaled(word, 1e-6)
		case "t_max":
			m.SecondsMax = scaled(word, 1e-6)
		case "t_typical":
			m.SecondsP50 = scaled(word, 1e-6)
		case "t_avg":
			m.Seconds = scaled(word, 1e-6)
		case "99% percentile":
			m.SecondsP99 = scaled(word, 1e-6)
		case "tps average":
			m.Rate = scaled(word, 1)
		}
	}
	return m
}

// perftestUnit is a unit of perftest in bytes per second. Its MB, by now written MiB, is 2^20 bytes.
func perftestUnit(unit string) float64 {
	if strings.HasPrefix(unit, "Gb") {
		return 1e9 / 8
	}
	return mebi
}
