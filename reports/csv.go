package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
)

// column is one field of a row as text; empty where it is not known.
type column struct {
	name  string
	value func(summary.Row) string
}

// columns are the keys of collbench.result/1, nested ones with a dot; of a fault only who it was, and where.
var columns = []column{
	{"schema", func(r summary.Row) string { return r.Schema }},
	{"run", func(r summary.Row) string { return r.Run }},
	{"launch", func(r summary.Row) string { return strconv.Itoa(r.Launch) }},
	{"status", func(r summary.Row) string { return string(r.Status) }},
	{"error", func(r summary.Row) string { return r.Error }},
	{"note", func(r summary.Row) string { return r.Note }},
	{"backend", func(r summary.Row) string { return r.Backend }},
	{"collective", func(r summary.Row) string { return r.Collective }},
	{"algorithm", func(r summary.Row) string { return r.Algorithm }},
	{"variant", func(r summary.Row) string { return r.Variant }},
	{"observed", func(r summary.Row) string { return r.Observed }},
	{"evidence.source", evidence(func(e summary.Evidence) string { return e.Source })},
	{"evidence.detail", evidence(func(e summary.Evidence) string { return e.Detail })},
	{"transport", func(r summary.Row) string { return r.Transport }},
	{"buffers", func(r summary.Row) string { return r.Buffers }},
	{"timing", func(r summary.Row) string { return string(r.Timing) }},
	{"ranks", func(r summary.Row) string { return strconv.Itoa(r.Ranks) }},
	{"hosts", func(r summary.Row) string { return strconv.Itoa(r.Hosts) }},
	{"domain", func(r summary.Row) string { return strconv.Itoa(r.Domain) }},
	{"root", func(r summary.Row) string { return strconv.Itoa(r.Root) }},
	{"bytes", func(r summary.Row) string { return strconv.FormatInt(r.Bytes, 10) }},
	{"count", func(r summary.Row) string { return positive(r.Count) }},
	{"chunks", func(r summary.Row) string { return positive(r.Chunks) }},
	{"dtype", func(r summary.Row) string { return r.DataType }},
	{"op", func(r summary.Row) string { return r.Reduction }},
	{"in_place", func(r summary.Row) string { return strconv.FormatBool(r.InPlace) }},
	{"samples", func(r summary.Row) string { return positive(r.Samples) }},
	{"seconds.median", seconds(func(s summary.Seconds) *float64 { return &s.Median })},
	{"seconds.low", seconds(func(s summary.Seconds) *float64 { return s.Low })},
	{"seconds.high", seconds(func(s summary.Seconds) *float64 { return s.High })},
	{"seconds.p99", seconds(func(s summary.Seconds) *float64 { return s.P99 })},
	{"algbw", func(r summary.Row) string { return real(r.AlgBW) }},
	{"busbw", func(r summary.Row) string { return real(r.BusBW) }},
	{"wirebw", func(r summary.Row) string { return real(r.WireBW) }},
	{"wrong", func(r summary.Row) string {
		if r.Wrong == nil {
			return ""
		}
		return strconv.FormatInt(*r.Wrong, 10)
	}},
	{"simulated", func(r summary.Row) string { return strconv.FormatBool(r.Simulated) }},
	{"operations.sends", operations(func(o summary.Operations) string { return real(&o.Sends) })},
	{"operations.receives", operations(func(o summary.Operations) string { return real(&o.Receives) })},
	{"operations.bytes_sent", operations(func(o summary.Operations) string { return strconv.FormatInt(o.BytesSent, 10) })},
	{"operations.bytes_received", operations(func(o summary.Operations) string { return strconv.FormatInt(o.BytesReceived, 10) })},
	{"operations.messages", operations(func(o summary.Operations) string { return strconv.Itoa(o.Messages) })},
	{"counted.bytes_sent", counted(func(c summary.Counted) *float64 { return &c.BytesSent })},
	{"counted.bytes_received", counted(func(c summary.Counted) *float64 { return &c.BytesReceived })},
	{"counted.on", func(r summary.Row) string {
		if r.Counted == nil {
			return ""
		}
		return r.Counted.On
	}},
	{"throttled", func(r summary.Row) string { return strings.Join(r.Throttled, " ") }},
	{"model.seconds", modelled(func(m summary.Model) *float64 { return &m.Seconds })},
	{"model.busbw", modelled(func(m summary.Model) *float64 { return &m.BusBW })},
	{"operation", func(r summary.Row) string { return r.Operation }},
	{"from", func(r summary.Row) string { return whole(r.From) }},
	{"to", func(r summary.Row) string { return whole(r.To) }},
	{"window", func(r summary.Row) string { return positive(r.Window) }},
	{"fault.kind", fault(func(f bench.Fault) string { return string(f.Kind) })},
	{"fault.rank", fault(func(f bench.Fault) string { return whole(f.Rank) })},
	{"fault.host", fault(func(f bench.Fault) string { return f.Host })},
	{"fault.stage", fault(func(f bench.Fault) string { return f.Stage })},
}

// CSV writes the rows with a header line of the keys of collbench.result/1, nested ones joined by a dot. What is
// not known is an empty field.
func CSV(w io.Writer, rows []summary.Row) error {
	out := csv.NewWriter(w)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.name
	}
	out.Write(record) // an error stays and is reported by Error below
	for _, row := range rows {
		for i, c := range columns {
			record[i] = c.value(row)
		}
		out.Write(record)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write rows as CSV: %w", err)
	}
	return nil
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func whole(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func real(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

func evidence(field func(summary.Evidence) string) func(summary.Row) string {
	return func(r summary.Row) string {
		if r.Evidence == nil {
			return ""
		}
		return field(*r.Evidence)
	}
}

func fault(field func(bench.Fault) string) func(summary.Row) string {
	return func(r summary.Row) string {
		if r.Fault == nil {
			return ""
		}
		return field(*r.Fault)
	}
}

func seconds(field func(summary.Seconds) *float64) func(summary.Row) string {
	return func(r summary.Row) string {
		if r.Seconds == nil {
			return ""
		}
		return real(field(*r.Seconds))
	}
}

func operations(field func(summary.Operations) string) func(summary.Row) string {
	return func(r summary.Row) string {
		if r.Operations == nil {
			return ""
		}
		return field(*r.Operations)
	}
}

func counted(field func(summary.Counted) *float64) func(summary.Row) string {
	return func(r summary.Row) string {
		if r.Counted == nil {
			return ""
		}
		return real(field(*r.Counted))
	}
}

func modelled(field func(summary.Model) *float64) func(summary.Row) string {
	return func(r summary.Row) string {
		if r.Model == nil {
			return ""
		}
		return real(field(*r.Model))
	}
}
