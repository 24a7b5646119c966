package formats

import (
	"fmt"
	"math"

	"collbench/collectives"
)

// report adds what the run measured, or how it failed, and returns 1 if there was a run at all.
func (r *ncclRun) report(log *Log, number int) int {
	r.cutRow(log)
	if _, _, failed := cause(r.lines, 0); r.stage < beginning && len(r.rows) == 0 && !failed {
		return 0
	}
	base := Measurement{Run: number, Tool: r.tool, Version: r.version, Library: r.library, Operation: r.operation()}
	if r.copies > 1 {
		log.warn(r.lines[0].Number, "the header stands there %d times: as many processes may have run alone (nccl-tests built without MPI)", r.copies)
	}
	base.Collective = collectiveNamed(r.program)
	if r.program == "" && len(r.rows) > 0 {
		base.Collective = r.guessCollective(log)
	}
	base.Algorithm, base.Variant = r.algorithm, r.variant
	base.Hosts = r.givenHosts()
	r.setRanks(&base, log)
	for _, row := range r.rows {
		r.addRow(base, row, log)
	}
	for _, m := range r.lost {
		lost := base
		lost.Line, lost.Bytes, lost.Status, lost.Error = m.Line, m.Bytes, m.Status, m.Error
		log.add(lost)
	}
	r.base = base
	base.Line = r.lines[len(r.lines)-1].Number
	r.checkFooter(base, log)
	if len(r.rows) > 0 && r.footer != nil { // it came to its end: only a crash after the first row counts
		after := r.lines[max(0, min(r.firstRow.Number-r.lines[0].Number, len(r.lines))):]
		log.failFrom(base, after, len(r.rows), math.MaxInt)
		return 1
	}
	log.fail(base, r.lines, len(r.rows)+len(r.lost))
	return 1
}

func (r *ncclRun) operation() string {
	if r.program == "" || r.tool == "collbench" {
		return r.program
	}
	return r.program + "_perf"
}

func (r *ncclRun) addRow(base Measurement, row ncclRow, log *Log) {
	for _, s := range row.sides {
		if s.seconds == nil && !s.rates {
			continue
		}
		m := base
		m.Line, m.Bytes, m.Count, m.DataType, m.Reduction, m.Root = row.line, &row.bytes, &row.count, row.dtype, row.op, row.root
		m.InPlace, m.Seconds, m.Wrong, m.Deviation = pointer(s.inPlace), s.seconds, s.wrong, s.deviation
		m.SecondsMin, m.SecondsMax, m.SecondsP50, m.SecondsP99 = s.min, s.max, s.p50, s.p99
		m.Iterations, m.samples = max(s.iterations, r.iterations), s.samples
		if s.rates {
			m.AlgBW, m.BusBW = s.alg, s.bus
		}
		m.setBuffer(false)
		log.add(m)
	}
}

// rates narrows the ratio of bus to algorithm bandwidth over all rows.
func (r *ncclRun) rates() (all ratio) {
	for _, row := range r.rows {
		for _, s := range row.sides {
			if s.rates {
				all.add(s.algbw, s.busbw)
			}
		}
	}
	return all
}

// blocks is how many blocks of count elements the size holds in every row; 0 where the rows differ or say nothing.
func (r *ncclRun) blocks() int {
	blocks := int64(0)
	for _, row := range r.rows {
		block := row.count * int64(row.elementSize)
		if row.bytes == 0 || block <= 0 {
			continue
		}
		if row.bytes%block != 0 || blocks != 0 && blocks != row.bytes/block || row.bytes/block > math.MaxInt32 {
			return 0
		}
		blocks = row.bytes / block
	}
	return int(blocks)
}

// guessCollective names the collective of a table without a name, by the reduction, the root, the size of a block
// and the ratio of the rates; "" where several fit.
func (r *ncclRun) guessCollective(log *Log) string {
	row, blocks, rates := r.rows[0], r.blocks(), r.rates()
	blocked := blocks > 1
	var guess collectives.Collective
	known := true
	switch {
	case row.op != "" && blocked:
		guess = collectives.ReduceScatter
		low, high, ok := rates.ranks(guess)
		known = !ok || low <= blocks && blocks <= high
	case row.op != "" && row.root != nil:
		guess = collectives.Reduce
	case row.op != "" && (rates.low > 1 || row.root == nil):
		guess = collectives.AllReduce
	case row.op == "" && row.root != nil && rates.holds(1) && !blocked:
		guess = collectives.Broadcast
	default:
		known = false
	}
	line := r.rows[0].line
	if !known {
		log.warn(line, "the log does not say which collective this is, and more than one fits the table")
		return ""
	}
	log.warn(line, "the log does not name the collective: %s fits the table", guess)
	return guess.String()
}

// setRanks takes the number of ranks from the header, or from the sizes or the rates, and says where they differ.
func (r *ncclRun) setRanks(m *Measurement, log *Log) {
	given := r.givenRanks()
	if given > 0 {
		m.Ranks, m.RanksFrom = given, "header"
		if r.ranksGiven == 0 && len(r.ranks) < given {
			log.warn(r.deviceLine, "the header lists ranks %s only: %d ranks", r.listed(), given)
		}
	}
	c, err := collectives.ParseCollective(m.Collective)
	if err != nil || len(r.rows) == 0 {
		return
	}
	line := r.rows[0].line
	infer := func(low, high int, from string) {
		switch {
		case low > high:
			log.warn(line, "no number of ranks fits the %s of a %s", from, c)
		case given > 0 && (given < low || given > high):
			log.warn(line, "the header lists %d ranks, but the %s say %s", given, from, between(low, high))
		case m.Ranks == 0 && low == high:
			m.Ranks, m.RanksFrom = low, from
		case m.Ranks == 0:
			log.warn(line, "the %s say %s ranks", from, between(low, high))
		}
	}
	if n := r.blocks(); c.Blocked() && n > 1 { // one block: the layout may count the whole buffer
		infer(n, n, "sizes")
	}
	rates := r.rates()
	if rates.contradictory() {
		log.warn(line, "busbw ÷ algbw is not the same in all rows: rows of several runs may be mixed")
	} else if low, high, ok := rates.ranks(c); ok {
		infer(low, high, "rates")
	}
}

func between(low, high int) string {
	switch {
	case low == high:
		return fmt.Sprint(low)
	case high >= math.MaxInt32:
		return fmt.Sprintf("%d or more", low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// checkFooter compares the last lines of a run with its rows.
func (r *ncclRun) checkFooter(base Measurement, log *Log) {
	if len(r.rows) == 0 {
		return
	}
	last := r.rows[len(r.rows)-1]
	var wrong, sum float64
	var sides int
	for _, row := range r.rows {
		for _, s := range row.sides {
			if s.rates {
				sum += s.busbw.value
				sides++
			}
			if s.wrong != nil {
				wrong += float64(*s.wrong)
			}
		}
	}
	if r.footer == nil {
		log.warn(last.line, "no \"Out of bounds values\" line follows the last row: the log may be cut")
	} else if *r.footer > 0 && wrong == 0 {
		m := base
		m.Line, m.Wrong = r.footerLine, r.footer
		log.add(m)
	}
	if r.average != nil && sides > 0 {
		mean := sum / float64(sides)
		if slack := 0.006 + 1e-4*mean; math.Abs(mean-r.average.value) > slack {
			log.warn(r.averageLine, "the average bus bandwidth is %g GB/s, but that of the rows is %.4g: rows are missing", r.average.value, mean)
		}
	}
	if r.factor > 1 && last.bytes > 0 && last.bytes <= r.maxBytes/r.factor {
		log.warn(last.line, "the last row has %d bytes, but the header announces up to %d", last.bytes, r.maxBytes)
	}
}
