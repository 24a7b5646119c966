package formats

import (
	"regexp"
	"strings"
)

var ucc = Format{
	Name: "ucc_perftest", Family: "ucc_perftest",
	Summary: "UCC's ucc_perftest",
	Detect: func(t *Text) Confidence {
		switch {
		case t.has("Count", uccColumns):
			return Sure
		case t.has("ucc_perftest", uccProgram):
			return Named
		}
		return 0
	},
	Read: readUCC,
}

var (
	uccProgram = regexp.MustCompile(`\bucc_perftest\b`)
	uccColumns = regexp.MustCompile(`^Count\s+Size\s+Time, us`)
	uccSetting = regexp.MustCompile(`^(Collective|Memory type|Datatype|Reduction|Inplace):\s*(\S.*)`)
)

// uccRun is one table of a log while it is read.
type uccRun struct {
	base  Measurement
	table bool
	lines []Line
	rows  int
}

func readUCC(t *Text, log *Log) {
	number, ranks := 1, 0
	run := &uccRun{base: Measurement{Run: 1, Tool: "ucc_perftest"}}
	for _, line := range t.Lines {
		if strings.HasPrefix(line.Text, "Collective:") && run.base.Operation != "" {
			log.fail(run.base, run.lines, run.rows)
			number++
			run = &uccRun{base: Measurement{Run: number, Tool: "ucc_perftest"}}
		}
		if uccProgram.MatchString(line.Text) {
			ranks = commandRanks(line.Text)
		}
		if ranks > 0 {
			run.base.Ranks, run.base.RanksFrom = ranks, "command"
		}
		run.lines = append(run.lines, line)
		run.take(line, log)
	}
	if _, _, failed := cause(run.lines, 0); run.base.Operation != "" || failed {
		log.fail(run.base, run.lines, run.rows)
	}
}

func (r *uccRun) take(line Line, log *Log) {
	if m := uccSetting.FindStringSubmatch(line.Text); m != nil {
		r.set(m[1], strings.TrimSpace(m[2]))
		return
	}
	if uccColumns.MatchString(line.Text) {
		r.table = true
		return
	}
	tokens := strings.Fields(line.Text)
	if !r.table || len(tokens) == 0 || whole(tokens[0]) == nil && !(tokens[0] == "N/A" && len(tokens) > 1) {
		return
	}
	for _, word := range tokens {
		if !isNumber(word) && !absent(word) {
			return
		}
	}
	if len(tokens) != 5 && len(tokens) != 8 {
		log.warn(line.Number, "a row cut after %d of 5 or 8 columns: %q", len(tokens), excerpt(line.Text))
		return
	}
	m := r.base
	m.Line, m.Count, m.Bytes = line.Number, whole(tokens[0]), whole(tokens[1])
	m.Seconds, m.SecondsMin, m.SecondsMax = scaled(tokens[2], 1e-6), scaled(tokens[3], 1e-6), scaled(tokens[4], 1e-6)
	if len(tokens) == 8 { // bandwidth at the average, the shortest and the longest time
		m.BusBW = scaled(tokens[5], 1e9)
	}
	m.setBuffer(true)
	if m.Buffer != nil && m.Seconds != nil && *m.Seconds > 0 {
		m.AlgBW = pointer(float64(*m.Buffer) / *m.Seconds)
	}
	r.rows++
	log.add(m)
}

func (r *uccRun) set(key, value string) {
	m := &r.base
	switch key {
	case "Collective":
		m.Operation, m.Collective = value, collectiveNamed(value)
	case "Memory type":
		m.Variant = value
	case "Datatype":
		m.DataType, _ = dataType(value)
	case "Reduction":
		if !absent(value) {
			m.Reduction = strings.ToLower(value)
		}
	case "Inplace":
		if !absent(value) {
			m.InPlace = pointer(value == "1")
		}
	}
}
