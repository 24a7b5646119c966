package formats

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"collbench/bench"
)

var imb = Format{
	Name: "imb", Family: "imb",
	Summary: "Intel MPI Benchmarks: MPI-1, NBC, P2P",
	Detect: func(t *Text) Confidence {
		switch {
		case t.has("MPI Benchmark", imbBanner), t.has("# Benchmarking", imbTitle) && t.has("#", imbColumns):
			return Sure
		case t.has("IMB-", imbProgram):
			return Named
		}
		return 0
	},
	Read: readIMB,
}

var (
	imbBanner  = regexp.MustCompile(`^#\s*Intel ?\(R\) MPI Benchmarks?(?: Suite)? V?([\d.]+\w*)`)
	imbProgram = regexp.MustCompile(`\b(IMB-[A-Z0-9]+)\b`)
	imbTitle   = regexp.MustCompile(`^# Benchmarking\s+(\S+)`)
	imbRanks   = regexp.MustCompile(`^# #processes = (\d{1,7})`)
	imbColumns = regexp.MustCompile(`^#(bytes|repetitions)\s+\S+`)
	imbMemory  = regexp.MustCompile(`^(\d+)\s.*out-of-mem`)
)

// imbRun is one table of a log while it is read.
type imbRun struct {
	base    Measurement
	columns []string
	lines   []Line
	rows    int
}

func readIMB(t *Text, log *Log) {
	var run *imbRun
	var before []Line
	version := ""
	number := 0
	finish := func() {
		if run != nil {
			log.fail(run.base, run.lines, run.rows)
		}
	}
	for _, line := range t.Lines {
		if m := imbBanner.FindStringSubmatch(line.Text); m != nil {
			version = m[1]
		}
		if m := imbTitle.FindStringSubmatch(line.Text); m != nil {
			finish()
			number++
			run = &imbRun{base: Measurement{Run: number, Tool: "imb", Version: version, Operation: m[1], Collective: collectiveNamed(m[1])}, lines: before}
			before = nil
		}
		if run == nil {
			before = append(before, line)
			continue
		}
		run.lines = append(run.lines, line)
		run.take(line, log)
	}
	if run == nil && (version != "" || t.has("IMB-", imbProgram)) {
		log.fail(Measurement{Run: 1, Tool: "imb", Version: version, Operation: "IMB"}, before, 0)
		return
	}
	finish()
}

func (r *imbRun) take(line Line, log *Log) {
	if m := imbRanks.FindStringSubmatch(line.Text); m != nil {
		r.base.Ranks, _ = strconv.Atoi(m[1])
		r.base.RanksFrom = "header"
	}
	if imbColumns.MatchString(line.Text) {
		r.columns = strings.Fields(line.Text)
		return
	}
	if m := imbMemory.FindStringSubmatch(line.Text); m != nil {
		m2 := r.base
		m2.Line, m2.Bytes, m2.Status, m2.Error = line.Number, whole(m[1]), bench.Skipped, "out of memory: "+oneSpace(line.Text)
		r.rows++
		log.add(m2)
		return
	}
	tokens := strings.Fields(line.Text)
	if len(r.columns) == 0 || len(tokens) == 0 || whole(tokens[0]) == nil {
		return
	}
	for _, word := range tokens {
		if !isNumber(word) && !absent(word) {
			return
		}
	}
	if len(tokens) < len(r.columns) {
		log.warn(line.Number, "a row cut after %d of %d columns: %q", len(tokens), len(r.columns), excerpt(line.Text))
		return
	}
	r.row(line, tokens, log)
}

func (r *imbRun) row(line Line, tokens []string, log *Log) {
	m := r.base
	m.Line = line.Number
	var megabytes *float64
	for i, column := range r.columns {
		word := tokens[i]
		switch strings.ToLower(column) {
		case "#bytes":
			m.Bytes = whole(word)
		case "#repetitions":
			if n := whole(word); n != nil {
				m.Iterations = *n
			}
		case "t[usec]", "t_avg[usec]", "t_pure[usec]":
			m.Seconds = scaled(word, 1e-6)
		case "t_min[usec]":
			m.SecondsMin = scaled(word, 1e-6)
		case "t_max[usec]":
			m.SecondsMax = scaled(word, 1e-6)
		case "mbytes/sec":
			megabytes = scaled(word, 1)
		case "msg/sec":
			m.Rate = scaled(word, 1)
		case "defects":
			if d := scaled(word, 1); d != nil && *d > 0 {
				m.Status, m.Error = bench.Wrong, "defects "+word
			}
		}
	}
	if m.Seconds == nil {
		log.warn(line.Number, "a row that cannot be read: %q", excerpt(line.Text))
		return
	}
	if megabytes != nil {
		m.AlgBW = pointer(*megabytes * imbMegabyte(*megabytes, m))
	}
	m.setBuffer(m.Collective != "reduce_scatter")
	r.rows++
	log.add(m)
}

// imbMegabyte is what the version at hand calls a megabyte: 2^20 bytes up to IMB 4, 10^6 since 2017. The row tells:
// its bandwidth is one, two (Sendrecv) or four (Exchange) sizes in the longest time.
func imbMegabyte(rate float64, m Measurement) float64 {
	seconds := *m.Seconds
	if m.SecondsMax != nil {
		seconds = *m.SecondsMax
	}
	if m.Bytes == nil || *m.Bytes < 4096 || seconds <= 0 || rate <= 0 {
		return 1e6
	}
	best, unit := math.Inf(1), 1e6
	for _, messages := range []float64{1, 2, 4} {
		for _, megabyte := range []float64{1e6, 1 << 20} {
			off := math.Abs(math.Log(rate * megabyte / (messages * float64(*m.Bytes) / seconds)))
			if off < best {
				best, unit = off, megabyte
			}
		}
	}
	return unit
}
