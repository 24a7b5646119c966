package formats

import (
	"regexp"
	"strconv"
	"strings"

	"collbench/bench"
)

var osu = Format{
	Name: "osu", Family: "osu",
	Summary: "OSU micro-benchmarks: point-to-point and collectives, blocking and not",
	Detect: func(t *Text) Confidence {
		switch {
		case t.has("# OSU", osuTitle):
			return Sure
		case t.has("osu_", osuProgram):
			return Named
		}
		return 0
	},
	Read: readOSU,
}

var (
	osuTitle   = regexp.MustCompile(`^# OSU (\S+) (.*?) *(?:Test|Benchmark)? *v(\d\S*)`)
	osuProgram = regexp.MustCompile(`(?:^|[\s/'"])(osu_[a-z_0-9]+)(?:[\s'";)]|$)`)
	osuType    = regexp.MustCompile(`^# Datatype: (\w+)`)
	osuPairs   = regexp.MustCompile(`\[ pairs: (\d{1,6}) \]`)
	osuBuffers = regexp.MustCompile(`osu_\S+.*\s([HDM]) ([HDM])\s*$`)
	osuColumns = regexp.MustCompile(`^#\s*(Size\b.*|Avg Latency.*)`)
	twoSpaces  = regexp.MustCompile(`\s{2,}|\t`)
)

// osuRun is one table of a log while it is read.
type osuRun struct {
	base    Measurement
	columns []string
	perRank bool // the sizes are those of a rank's block
	rows    int
	lines   []Line
}

func readOSU(t *Text, log *Log) {
	var run *osuRun
	number := 0
	command := ""
	var before []Line // of no table yet
	finish := func() {
		if run != nil {
			log.fail(run.base, run.lines, run.rows)
		}
	}
	for _, line := range t.Lines {
		if m := osuTitle.FindStringSubmatch(line.Text); m != nil {
			finish()
			number++
			run = newOSURun(number, m, command, log, line)
			run.lines = before
			before, command = nil, ""
		} else if m := osuProgram.FindStringSubmatch(line.Text); m != nil && !strings.HasPrefix(line.Text, "#") && !strings.Contains(line.Text, "(+0x") {
			command = line.Text
		}
		if run == nil {
			before = append(before, line)
			continue
		}
		run.lines = append(run.lines, line)
		run.take(line, log)
	}
	if run == nil && command != "" {
		m := osuProgram.FindStringSubmatch(command)
		if _, _, failed := cause(before, 0); failed {
			log.fail(Measurement{Run: 1, Tool: "osu", Operation: m[1]}, before, 0)
		}
		return
	}
	finish()
}

func newOSURun(number int, title []string, command string, log *Log, line Line) *osuRun {
	r := &osuRun{base: Measurement{Run: number, Tool: "osu", Version: title[3]}}
	m := &r.base
	m.Operation = title[2]
	if p := osuProgram.FindStringSubmatch(command); p != nil {
		m.Operation = p[1]
	}
	what := strings.TrimSuffix(title[2], " Latency")
	if rest, ok := strings.CutPrefix(what, "Non-blocking "); ok {
		what, m.Variant = rest, "non-blocking"
	}
	what = strings.TrimSuffix(what, " Personalized Exchange")
	m.Collective = collectiveNamed(what)
	// Reduce-scatter's size is the whole input; the others print one rank's block.
	r.perRank = m.Collective != "reduce_scatter"
	if b := osuBuffers.FindStringSubmatch(command); b != nil {
		m.Variant = strings.TrimSpace(m.Variant + " " + b[1] + " " + b[2])
	}
	ranks := commandRanks(command)
	switch {
	case what == "Bandwidth" || what == "Bi-Directional Bandwidth" || what == "Latency":
		m.Ranks, m.RanksFrom = 2, "test"
	case ranks > 0:
		m.Ranks, m.RanksFrom = ranks, "command"
	case m.Collective != "":
		log.warn(line.Number, "the log does not say how many ranks took part")
	}
	return r
}

func (r *osuRun) take(line Line, log *Log) {
	text := line.Text
	if m := osuType.FindStringSubmatch(text); m != nil {
		r.base.DataType, _ = dataType(m[1])
	}
	if m := osuPairs.FindStringSubmatch(text); m != nil {
		pairs, _ := strconv.Atoi(m[1])
		r.base.Ranks, r.base.RanksFrom = 2*pairs, "header"
	}
	if m := osuColumns.FindStringSubmatch(text); m != nil {
		r.columns = twoSpaces.Split(strings.TrimSpace(m[1]), -1)
		return
	}
	tokens := strings.Fields(text)
	if len(r.columns) == 0 || len(tokens) == 0 {
		return
	}
	if _, number := parseFigure(tokens[0]); !number {
		return
	}
	if len(tokens) < len(r.columns) {
		if len(tokens) == 1 || isNumber(tokens[1]) {
			log.warn(line.Number, "a row cut after %d of %d columns: %q", len(tokens), len(r.columns), excerpt(text))
		}
		return
	}
	r.row(line, tokens, log)
}

func isNumber(text string) bool {
	_, ok := parseFigure(text)
	return ok
}

func (r *osuRun) row(line Line, tokens []string, log *Log) {
	m := r.base
	m.Line = line.Number
	for i, column := range r.columns {
		word := tokens[i]
		name, unit, _ := strings.Cut(strings.ToLower(column), "(")
		name = strings.TrimSpace(name)
		if unit != "" && !isNumber(word) && !absent(word) {
			log.warn(line.Number, "a row that cannot be read: %q", excerpt(line.Text))
			return
		}
		switch {
		case name == "size":
			m.Bytes = whole(word)
		case name == "bandwidth", name == "mb/s", name == "avg bandwidth", name == "bi-bandwidth":
			m.AlgBW = scaled(word, 1e6)
		case name == "messages/s":
			m.Rate = scaled(word, 1)
		case name == "latency", name == "avg latency", name == "avg lat", name == "pure comm.":
			m.Seconds = scaled(word, 1e-6)
		case name == "min latency", name == "min lat":
			m.SecondsMin = scaled(word, 1e-6)
		case name == "max latency", name == "max lat":
			m.SecondsMax = scaled(word, 1e-6)
		case strings.HasPrefix(name, "p50"):
			m.SecondsP50 = scaled(word, 1e-6)
		case strings.HasPrefix(name, "p99") && !strings.HasPrefix(name, "p99."):
			m.SecondsP99 = scaled(word, 1e-6)
		case name == "iterations":
			if n := whole(word); n != nil {
				m.Iterations = *n
			}
		case name == "validation":
			r.validate(&m, word)
		}
	}
	if m.Seconds == nil && m.AlgBW == nil {
		return
	}
	m.setBuffer(r.perRank)
	r.rows++
	log.add(m)
}

func (r *osuRun) validate(m *Measurement, word string) {
	switch strings.ToLower(word) {
	case "pass":
		m.Wrong = pointer(int64(0))
	case "fail":
		m.Status, m.Error = bench.Wrong, "validation failed"
	}
}
