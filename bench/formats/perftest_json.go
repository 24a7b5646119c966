package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"

	"collbench/bench"
)

var perftestJSON = Format{
	Name: "perftest-json", Family: "perftest",
	Summary: "linux-rdma perftest with --out_json",
	Detect: func(t *Text) Confidence {
		if t.isJSON("test_info", "results") {
			return Sure
		}
		return 0
	},
	Read: readPerftestJSON,
}

// perftestReport is the document that perftest writes.
type perftestReport struct {
	Info struct {
		Test   string `json:"test"`
		Device string `json:"Device"`
	} `json:"test_info"`
	Results struct {
		Size       *int64   `json:"MsgSize"`
		Iterations int64    `json:"n_iterations"`
		Peak       *float64 `json:"BW_peak"`
		Average    *float64 `json:"BW_average"`
		AverageBW  *float64 `json:"bw_avg"`
		MsgRate    *float64 `json:"MsgRate"`
		Min        *float64 `json:"t_min"`
		Max        *float64 `json:"t_max"`
		Typical    *float64 `json:"t_typical"`
		Mean       *float64 `json:"t_avg"`
		P99        *float64 `json:"percentile_99"`
		TPS        *float64 `json:"tps_average"`
	} `json:"results"`
}

var (
	trailingComma = regexp.MustCompile(`,(\s*})`)
	bareKey       = regexp.MustCompile(`(?m)^(\s*)sl:`)
	jsonTest      = regexp.MustCompile(`^(RDMA_Write|RDMA_Read|Send|Atomic).*_(BW|Latency)_`)
)

// readPerftestJSON reads one or several documents. perftest writes a comma too many with --output, and a key without
// quotes with --qos: both are mended without moving a line.
func readPerftestJSON(t *Text, log *Log) {
	data := bareKey.ReplaceAll(trailingComma.ReplaceAll(t.Data, []byte(" $1")), []byte(`$1"sl":`))
	mended := &Text{Data: data}
	d := json.NewDecoder(bytes.NewReader(data))
	for run := 1; ; run++ {
		var doc perftestReport
		line := mended.lineAt(skipSpace(data, d.InputOffset()))
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		m := Measurement{Run: run, Line: line, Tool: "perftest", Ranks: 2, RanksFrom: "test"}
		if err != nil {
			m.Status, m.Error = bench.Failed, "the JSON is damaged or cut: "+err.Error()
			log.add(m)
			return
		}
		if !doc.fill(&m) {
			log.warn(line, "the document holds no result")
			continue
		}
		if m.PeakBW != nil || m.AlgBW != nil {
			unit, sure := doc.unit()
			if !sure {
				log.warn(line, "the JSON does not say its unit and no message rate tells it: MiB/s are assumed")
			}
			for _, v := range []*float64{m.PeakBW, m.AlgBW} {
				if v != nil {
					*v *= unit
				}
			}
		}
		log.add(m)
	}
}

// fill takes the figures over, bandwidths still in the document's unit. False says there were none.
func (doc *perftestReport) fill(m *Measurement) bool {
	if n := jsonTest.FindStringSubmatch(doc.Info.Test); n != nil {
		m.Operation = perftestOperation(n[1], n[2])
	} else {
		m.Operation = doc.Info.Test
	}
	if strings.Contains(doc.Info.Test, "Bidirectional") {
		m.Variant = "bidirectional"
	}
	r := doc.Results
	times := func(v *float64, factor float64) *float64 {
		if v == nil || *v < 0 || math.IsInf(*v*factor, 0) {
			return nil
		}
		return pointer(*v * factor)
	}
	m.From, m.Bytes, m.Iterations = doc.Info.Device, r.Size, r.Iterations
	m.PeakBW, m.AlgBW = times(r.Peak, 1), times(r.Average, 1)
	if m.AlgBW == nil {
		m.AlgBW = times(r.AverageBW, 1)
	}
	m.Rate = times(r.MsgRate, 1e6)
	if r.TPS != nil {
		m.Rate = times(r.TPS, 1)
	}
	m.SecondsMin, m.SecondsMax = times(r.Min, 1e-6), times(r.Max, 1e-6)
	m.SecondsP50, m.Seconds, m.SecondsP99 = times(r.Typical, 1e-6), times(r.Mean, 1e-6), times(r.P99, 1e-6)
	return m.AlgBW != nil || m.Seconds != nil || m.Rate != nil
}

// unit is that of the bandwidths in bytes per second: the message rate tells Gbit/s from MiB/s.
func (doc *perftestReport) unit() (unit float64, sure bool) {
	r := doc.Results
	if r.Average == nil || r.MsgRate == nil || r.Size == nil || *r.Average <= 0 || *r.MsgRate <= 0 || *r.Size <= 0 {
		return mebi, false
	}
	rate := *r.MsgRate * 1e6 * float64(*r.Size)
	off := func(unit float64) float64 { return math.Abs(math.Log(rate / (*r.Average * unit))) }
	if off(1e9/8) < off(mebi) {
		return 1e9 / 8, true
	}
	return mebi, true
}

// skipSpace is the place of the next value: behind white space and commas.
func skipSpace(data []byte, from int64) int64 {
	for from < int64(len(data)) && strings.IndexByte(" \t\r\n,", data[from]) >= 0 {
		from++
	}
	return from
}
