package formats

import (
	"strings"
)

// ncclRow is one row of a table, with one or two sides.
type ncclRow struct {
	line         int
	bytes, count int64
	dtype        string
	elementSize  int
	op           string
	root         *int
	sides        []ncclSide
}

// ncclSide is the part of a row that was measured out of place or in place.
type ncclSide struct {
	inPlace      bool
	seconds      *float64
	time         figure // as printed
	algbw, busbw figure // GB/s, as printed
	rates        bool
	alg, bus     *float64 // the same in bytes per second
	wrong        *int64
	deviation    *float64
	min, max     *float64
	p50, p99     *float64
	iterations   int64
	samples      []float64 // seconds
}

// ncclPending is a row that was broken off, perhaps by another message in its midst.
type ncclPending struct {
	line   int
	tokens []string
	waited int
}

// maxWait is how many lines of other messages may stand within a row.
const maxWait = 40

// takeRow reads a line of a table, or a piece of one.
func (r *ncclRun) takeRow(line Line, log *Log) {
	text := line.Text
	if strings.Contains(text, "] ") {
		if noise := ncclDebug.FindStringIndex(text); noise != nil {
			text = text[:noise[0]]
		}
	}
	if strings.IndexByte(text, '[') >= 0 {
		text = glued.ReplaceAllString(text, " ")
	}
	tokens := strings.Fields(text)
	if p := r.pending; p != nil {
		if len(tokens) > 0 && r.fits(append(p.tokens[:len(p.tokens):len(p.tokens)], tokens...)) {
			p.tokens = append(p.tokens, tokens...)
			r.complete(log)
			return
		}
		if p.waited++; p.waited > maxWait || r.begins(tokens) {
			r.cutRow(log)
		}
	}
	if !r.begins(tokens) {
		return
	}
	if !r.fits(tokens) {
		if len(tokens) > 3 && whole(tokens[1]) != nil {
			log.warn(line.Number, "a row that cannot be read: %q", excerpt(line.Text))
		}
		return
	}
	r.pending = &ncclPending{line: line.Number, tokens: tokens}
	if gap(line.Raw) && r.columns != nil && len(tokens) == len(r.columns)-4 {
		r.pending.tokens = padOutOfPlace(tokens)
	}
	r.complete(log)
}

// begins says whether the words may be the beginning of a row: a size, in a table or with an element type after it.
func (r *ncclRun) begins(tokens []string) bool {
	if len(tokens) == 0 || whole(tokens[0]) == nil || strings.ContainsAny(tokens[0], ".eE") {
		return false
	}
	return r.stage == heading || r.stage == measuring || len(tokens) >= 8
}

// layout is the list of columns: as the header names them, else those of 2.1x, or of 2.10 where the fifth word is
// no root: a time is printed without decimals only from 10,000 µs.
func (r *ncclRun) layout(tokens []string) []string {
	if r.columns != nil {
		return r.columns
	}
	head := []string{"size", "count", "type", "redop", "root"}
	if len(tokens) > 4 && tokens[4] != "-1" {
		if root := whole(tokens[4]); root == nil || *root >= 10000 {
			head = head[:4]
		}
	}
	side := []string{"time", "algbw", "busbw", "#wrong"}
	return append(append(head, side...), side...)
}

// fits says whether every word may stand in its column.
func (r *ncclRun) fits(tokens []string) bool {
	columns := r.layout(tokens)
	for i, word := range tokens {
		if i >= len(columns) {
			return false
		}
		ok := true
		switch columns[i] {
		case "size", "bytes", "count", "N":
			ok = whole(word) != nil
		case "type":
			_, size := dataType(word)
			ok = size > 0
		case "redop", "op":
			_, number := parseFigure(word)
			ok = !number
		case "timestamp":
			return true
		default:
			_, number := parseFigure(word)
			ok = number || absent(word)
		}
		if !ok {
			return false
		}
	}
	return true
}

// gap says whether the out-of-place side was left blank, as a replay of a trace does.
func gap(raw string) bool { return strings.Contains(strings.TrimSpace(raw), strings.Repeat(" ", 34)) }

func padOutOfPlace(tokens []string) []string {
	at := len(tokens) - 4
	return append(append(append([]string{}, tokens[:at]...), "N/A", "N/A", "N/A", "N/A"), tokens[at:]...)
}

// complete takes the pending row if it has all its columns.
func (r *ncclRun) complete(log *Log) {
	p := r.pending
	columns := r.layout(p.tokens)
	want := len(columns)
	if want > 0 && columns[want-1] == "timestamp" {
		want--
	}
	if len(p.tokens) >= want {
		r.rows = append(r.rows, r.parse(p, columns, log))
		if len(r.rows) == 1 {
			r.firstRow = Line{Number: p.line}
		}
		r.stage = max(r.stage, measuring)
		r.pending = nil
	}
}

// cutRow gives up a row of which nothing more came.
func (r *ncclRun) cutRow(log *Log) {
	if p := r.pending; p != nil {
		log.warn(p.line, "a row cut after %d of %d columns: %q", len(p.tokens), len(r.layout(p.tokens)), excerpt(strings.Join(p.tokens, " ")))
		r.pending = nil
	}
}

// parse turns the words of a row into numbers.
func (r *ncclRun) parse(p *ncclPending, columns []string, log *Log) ncclRow {
	row := ncclRow{line: p.line}
	unit := 1e-6
	var side *ncclSide
	for i, column := range columns {
		if i >= len(p.tokens) {
			break
		}
		word := p.tokens[i]
		switch column {
		case "bytes":
			unit = 1e-3 // the layout of 2018 has milliseconds
			row.bytes = *whole(word)
		case "size":
			row.bytes = *whole(word)
		case "count", "N":
			row.count = *whole(word)
		case "type":
			row.dtype, row.elementSize = dataType(word)
		case "redop", "op":
			if word != "none" {
				row.op = word
			}
		case "root":
			if n := whole(word); n != nil && *n < 1<<30 {
				row.root = pointer(int(*n))
			}
		case "time", "cputime":
			row.sides = append(row.sides, ncclSide{inPlace: len(row.sides) == 1, seconds: scaled(word, unit)})
			side = &row.sides[len(row.sides)-1]
			side.time, _ = parseFigure(word)
		default:
			if side != nil {
				side.take(column, word)
			}
		}
	}
	for _, s := range row.sides {
		if s.seconds != nil && s.rates && row.bytes > 0 && !plausible(row.bytes, s.time, unit, s.algbw) {
			log.warn(row.line, "%d bytes in %g s are not %g GB/s: the columns may be misread", row.bytes, *s.seconds, s.algbw.value)
		}
	}
	return row
}

func (s *ncclSide) take(column, word string) {
	switch column {
	case "algbw":
		s.algbw, s.rates = parseFigure(word)
		s.alg = scaled(word, 1e9)
	case "busbw":
		var ok bool
		s.busbw, ok = parseFigure(word)
		s.rates = s.rates && ok
		s.bus = scaled(word, 1e9)
	case "#wrong":
		s.wrong = whole(word)
	case "error", "res":
		s.deviation = scaled(word, 1)
	case "i_min":
		s.min = scaled(word, 1e-6)
	case "i_max":
		s.max = scaled(word, 1e-6)
	case "i_p99":
		s.p99 = scaled(word, 1e-6)
	}
}

// plausible says whether size ÷ time is the rate, as far as the three are rounded.
func plausible(bytes int64, time figure, unit float64, rate figure) bool {
	low := float64(bytes) / ((time.value + time.half) * unit) / 1e9
	high := low
	if time.value > time.half {
		high = float64(bytes) / ((time.value - time.half) * unit) / 1e9
	} else {
		high = rate.value + rate.half
	}
	const slack = 1e-6
	return rate.value+rate.half >= low*(1-slack)-slack && rate.value-rate.half <= high*(1+slack)+slack
}
