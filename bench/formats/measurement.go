package formats

import (
	"fmt"
	"sort"

	"collbench/bench"
	"collbench/collectives"
)

// ImportSchema is the name of what the import command prints: one Measurement an object, one object a line.
const ImportSchema = "collbench.import/1"

// Measurement is one figure that another tool printed, or one failure of it. Times are in seconds, sizes in bytes,
// rates in bytes per second. What the log does not say is absent, never 0.
type Measurement struct {
	Schema     string       `json:"schema"`
	File       string       `json:"file"`
	Line       int          `json:"line"`
	Run        int          `json:"run"` // 1, 2, …: which of the runs in the file
	Format     string       `json:"format"`
	Tool       string       `json:"tool"`
	Version    string       `json:"version,omitempty"`    // of the tool
	Library    string       `json:"library,omitempty"`    // that it measured, "NCCL 2.29.3"
	Operation  string       `json:"operation,omitempty"`  // as the tool names it: "all_reduce_perf", "osu_bw", "tag_bw"
	Collective string       `json:"collective,omitempty"` // by its name in nccl-tests; absent for anything else
	Algorithm  string       `json:"algorithm,omitempty"`  // as the log says
	Variant    string       `json:"variant,omitempty"`    // what sets it apart in its table: "NVLS off", "D D", "block"
	Bytes      *int64       `json:"bytes,omitempty"`      // as the tool prints it
	Buffer     *int64       `json:"buffer,omitempty"`     // the whole buffer, as nccl-tests counts bytes
	Count      *int64       `json:"count,omitempty"`      // elements, as the tool prints it
	DataType   string       `json:"dtype,omitempty"`      // by our name where there is one
	Reduction  string       `json:"op,omitempty"`
	Root       *int         `json:"root,omitempty"`
	InPlace    *bool        `json:"in_place,omitempty"`
	Ranks      int          `json:"ranks,omitempty"`
	RanksFrom  string       `json:"ranks_from,omitempty"` // "header", "rates", "sizes", "command", "test", "table"
	Hosts      int          `json:"hosts,omitempty"`
	From       string       `json:"from,omitempty"` // of a matrix: the row, "CPU 0"
	To         string       `json:"to,omitempty"`   // of a matrix: the column, "GPU 1"
	Seconds    *float64     `json:"seconds,omitempty"`
	SecondsMin *float64     `json:"seconds_min,omitempty"`
	SecondsMax *float64     `json:"seconds_max,omitempty"`
	SecondsP50 *float64     `json:"seconds_p50,omitempty"`
	SecondsP99 *float64     `json:"seconds_p99,omitempty"`
	Iterations int64        `json:"iterations,omitempty"`
	AlgBW      *float64     `json:"algbw,omitempty"` // of a point-to-point test: its bandwidth
	BusBW      *float64     `json:"busbw,omitempty"`
	PeakBW     *float64     `json:"peakbw,omitempty"`
	Rate       *float64     `json:"message_rate,omitempty"` // messages per second
	Wrong      *int64       `json:"wrong,omitempty"`        // elements
	Deviation  *float64     `json:"deviation,omitempty"`    // largest, where the tool printed that instead of wrong elements
	Status     bench.Status `json:"status"`
	Error      string       `json:"error,omitempty"`

	samples []float64 // seconds of the iterations, where the log has them
}

// Log is what was read from one file.
type Log struct {
	File         string
	Format       string
	Measurements []Measurement
	Warnings     []Warning
}

// Warning says what could not be read, or what contradicts itself. Line 0 is the file as a whole.
type Warning struct {
	File string
	Line int
	Text string
}

// String is "file:line: text".
func (w Warning) String() string {
	if w.Line == 0 {
		return fmt.Sprintf("%s: %s", w.File, w.Text)
	}
	return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Text)
}

func (l *Log) warn(line int, format string, args ...any) {
	l.Warnings = append(l.Warnings, Warning{l.File, line, fmt.Sprintf(format, args...)})
}

// maxText is the most characters of a word or message that is taken from a log.
const maxText = 300

func (l *Log) add(m Measurement) {
	m.Schema, m.File, m.Format = ImportSchema, l.File, l.Format
	// A log's words stay short: each of them stands in every row.
	for _, word := range []*string{&m.Version, &m.Library, &m.Operation, &m.Algorithm, &m.Variant, &m.DataType, &m.Reduction, &m.From, &m.To, &m.Error} {
		*word = shorten(*word, maxText)
	}
	if m.Status == "" {
		m.Status = bench.OK
	}
	if m.Status == bench.OK && m.Wrong != nil && *m.Wrong > 0 {
		m.Status, m.Error = bench.Wrong, fmt.Sprintf("%d wrong elements", *m.Wrong)
	}
	l.Measurements = append(l.Measurements, m)
}

// finish says what was left out of the log and puts everything in the order of its lines.
func (l *Log) finish(t *Text) {
	for _, line := range t.Lines {
		if elision(line.Text) {
			l.warn(line.Number, "%q: lines were left out of the log here", line.Text)
		}
	}
	sort.SliceStable(l.Warnings, func(i, j int) bool { return l.Warnings[i].Line < l.Warnings[j].Line })
	sort.SliceStable(l.Measurements, func(i, j int) bool { return l.Measurements[i].Line < l.Measurements[j].Line })
}

func elision(text string) bool {
	switch text {
	case "...", "…", "<snip>", "[...]", "[…]", "(...)", "--snip--", "<...>", "....":
		return true
	}
	return false
}

// setBuffer fills in the whole buffer. A tool that counts a block per rank prints perRank sizes.
func (m *Measurement) setBuffer(perRank bool) {
	c, err := collectives.ParseCollective(m.Collective)
	if err != nil || m.Bytes == nil {
		return
	}
	bytes := *m.Bytes
	if perRank && c.Blocked() {
		if m.Ranks == 0 || bytes > (1<<62)/int64(m.Ranks) {
			return
		}
		bytes *= int64(m.Ranks)
	}
	m.Buffer = &bytes
}

func pointer[T any](v T) *T { return &v }
