package formats

import (
	"regexp"
	"strings"

	"collbench/bench"
)

var ucxPerftest = Format{
	Name: "ucx_perftest", Family: "ucx_perftest",
	Summary: "UCX's ucx_perftest, table and CSV",
	Detect: func(t *Text) Confidence {
		switch {
		case t.has("(usec)", ucxUnits), t.has("iterations,", ucxCSV):
			return Sure
		case t.has("ucx_perftest", ucxProgram):
			return Named
		}
		return 0
	},
	Read: readUCX,
}

var (
	ucxProgram = regexp.MustCompile(`\bucx_perftest\b`)
	ucxUnits   = regexp.MustCompile(`^\|.*(?:overhead|latency) \(usec\).*bandwidth \(MB/s\)`)
	ucxCSV     = regexp.MustCompile(`^(.*,)?iterations,\S*_lat,avg_lat,overall_lat,avg_bw,overall_bw,avg_mr,overall_mr`)
	ucxStage   = regexp.MustCompile(`^\|\s*Stage\s*\|`)
	ucxTest    = regexp.MustCompile(`^\| Test:\s+(.*?)\s*\|?$`)
	ucxSize    = regexp.MustCompile(`^\| Message size:\s+(\d+)`)
	ucxName    = regexp.MustCompile(`\b((?:ucp_|uct_)?(?:am|tag|tag_sync|put|get|add|fadd|swap|cswap|stream)(?:_short|_bcopy|_zcopy|_multi|_single)?_(?:bw|lat|mr)|ucp_(?:get|add|fadd|swap|cswap))\b`)
	ucxRow     = regexp.MustCompile(`^(Final:|\[thread \d+\])?\s*([\d,]+(?:\s+[\d.,]+){7})$`)
	ucxCSVRow  = regexp.MustCompile(`^(?:[\w.-]+,)*?(\d+(?:,[\d.]+){7})$`)
)

// mebi is what ucx_perftest and perftest print as MB.
const mebi = 1 << 20

// ucxRun is one test of a log while it is read.
type ucxRun struct {
	base     Measurement
	staged   bool // the layout marks its last row "Final:"
	begun    bool
	progress *Measurement
	rows     int
	lines    []Line
}

func readUCX(t *Text, log *Log) {
	run := &ucxRun{base: Measurement{Run: 1, Tool: "ucx_perftest", Ranks: 2, RanksFrom: "test"}}
	csv := false
	for _, line := range t.Lines {
		// A table begins with its test, its size or its units, once the one before has rows.
		if (ucxTest.MatchString(line.Text) || ucxUnits.MatchString(line.Text) || ucxCSV.MatchString(line.Text)) && (run.rows > 0 || run.progress != nil) {
			run.finish(log)
			run = &ucxRun{base: Measurement{Run: run.base.Run + 1, Tool: "ucx_perftest", Ranks: 2, RanksFrom: "test"}}
		}
		run.lines = append(run.lines, line)
		csv = csv || ucxCSV.MatchString(line.Text)
		run.take(line, csv, log)
	}
	run.finish(log)
}

func (r *ucxRun) take(line Line, csv bool, log *Log) {
	text := line.Text
	if m := ucxName.FindStringSubmatch(text); m != nil {
		r.base.Operation = m[1]
	}
	if m := ucxTest.FindStringSubmatch(text); m != nil {
		r.begun = true
		if r.base.Operation == "" {
			r.base.Operation = m[1]
		}
	}
	if m := ucxSize.FindStringSubmatch(text); m != nil {
		r.base.Bytes = whole(m[1])
	}
	r.begun = r.begun || ucxUnits.MatchString(text) || ucxCSV.MatchString(text)
	r.staged = r.staged || ucxStage.MatchString(text)
	if csv {
		if m := ucxCSVRow.FindStringSubmatch(text); m != nil {
			r.result(line, "Final:", strings.Split(m[1], ","), log)
		}
		return
	}
	if m := ucxRow.FindStringSubmatch(text); m != nil && r.begun {
		r.result(line, m[1], strings.Fields(strings.ReplaceAll(m[2], ",", "")), log)
	} else if strings.HasPrefix(text, "Final:") {
		log.warn(line.Number, "a row that cannot be read: %q", excerpt(text))
	}
}

// result takes a row: iterations; median, average, overall time; average, overall bandwidth; average, overall rate.
func (r *ucxRun) result(line Line, mark string, words []string, log *Log) {
	m := r.base
	m.Line = line.Number
	if n := whole(words[0]); n != nil {
		m.Iterations = *n
	}
	m.SecondsP50, m.Seconds = scaled(words[1], 1e-6), scaled(words[3], 1e-6)
	m.AlgBW, m.Rate = scaled(words[5], mebi), scaled(words[7], 1)
	if mark == "Final:" {
		r.rows++
		log.add(m)
		return
	}
	r.progress = &m
}

func (r *ucxRun) finish(log *Log) {
	// The older layout marks nothing: its last row is the result.
	if r.rows == 0 && r.progress != nil && !r.staged {
		log.add(*r.progress)
		r.rows++
	}
	_, _, failed := cause(r.lines, 0)
	if r.rows == 0 && r.progress != nil && !failed {
		m := r.base
		m.Line, m.Status, m.Error = r.progress.Line, bench.Failed, "the test was cut short: no \"Final:\" row follows its progress"
		log.add(m)
	} else if r.begun || failed {
		log.fail(r.base, r.lines, r.rows)
	}
}
