package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"path"
	"strings"

	"collbench/bench"
)

var ncclTestsJSON = Format{
	Name: "nccl-tests-json", Family: "nccl-tests",
	Summary: "NVIDIA nccl-tests with -J",
	Detect: func(t *Text) Confidence {
		if t.isJSON("nccl_version") || t.isJSON("results", "alg_bw") {
			return Sure
		}
		return 0
	},
	Read: readNCCLTestsJSON,
}

// ncclJSONRow is an element of "results".
type ncclJSONRow struct {
	Size, Count int64
	Type, Redop string
	Root        string
	Iterations  int64         `json:"actual_iterations"`
	Name        string        `json:"experiment_name"`
	Out         *ncclJSONSide `json:"out_of_place"`
	In          *ncclJSONSide `json:"in_place"`
	OutEach     *ncclJSONEach `json:"out_of_place_per_iter"`
	InEach      *ncclJSONEach `json:"in_place_per_iter"`
}

type ncclJSONSide struct {
	Time    *float64
	CPUTime *float64 `json:"cpu_time"`
	AlgBW   *float64 `json:"alg_bw"`
	BusBW   *float64 `json:"bus_bw"`
	Wrong   *float64 `json:"nwrong"`
}

type ncclJSONEach struct {
	Min   *float64  `json:"min_us"`
	Max   *float64  `json:"max_us"`
	P50   *float64  `json:"p50_us"`
	P99   *float64  `json:"p99_us"`
	Times []float64 `json:"times_us"`
}

// readNCCLTestsJSON walks the document, so that one that was cut gives what came before the cut. The environment,
// which nccl-tests dumps whole, is not looked at.
func readNCCLTestsJSON(t *Text, log *Log) {
	d := json.NewDecoder(bytes.NewReader(t.Data))
	for number := 1; ; number++ {
		start := skipSpace(t.Data, d.InputOffset())
		run := newNCCLRun("nccl-tests")
		run.stage = beginning
		run.lines = []Line{{Number: t.lineAt(start)}}
		err := run.document(d, t)
		if errors.Is(err, io.EOF) && start >= int64(len(t.Data)) {
			return
		}
		if err != nil && (len(run.rows) == 0 || run.program == "" && run.ranksGiven == 0) && number > 1 {
			log.warn(t.lineAt(start), "what follows is not read: %v", err)
			return
		}
		run.lines[0].Number = t.lineAt(start)
		if err != nil && len(run.rows) == 0 {
			run.lines = append(run.lines, Line{Number: t.lineAt(d.InputOffset()), Text: "Error: the JSON is damaged or cut: " + err.Error()})
		}
		run.report(log, number)
		if err == nil {
			continue
		}
		if len(run.rows) > 0 {
			m := run.base
			m.Line, m.Status, m.Error = t.lineAt(d.InputOffset()), bench.Failed, "the JSON is damaged or cut: "+err.Error()
			log.add(m)
		}
		return
	}
}

// document reads one document, key by key.
func (r *ncclRun) document(d *json.Decoder, t *Text) error {
	if token, err := d.Token(); err != nil {
		return err
	} else if token != json.Delim('{') {
		return errors.New("no object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return unexpected(err)
		}
		switch key {
		case "results":
			err = r.results(d, t)
		case "args":
			var args []string
			if err = d.Decode(&args); err == nil && len(args) > 0 {
				r.program = strings.TrimSuffix(strings.TrimSuffix(path.Base(args[0]), "_mpi"), "_perf")
			}
		case "nccl_version":
			var code int
			if err = d.Decode(&code); err == nil && code > 0 {
				r.library = "NCCL " + ncclVersionText(code)
			}
		case "config":
			err = r.config(d)
		case "out_of_bounds":
			var bounds struct{ Count *int64 }
			err = d.Decode(&bounds)
			r.footer, r.footerLine = bounds.Count, t.lineAt(d.InputOffset())
		case "average_bus_bandwidth":
			var average struct{ Bandwidth *float64 }
			if err = d.Decode(&average); err == nil && average.Bandwidth != nil {
				r.average, r.averageLine = &figure{*average.Bandwidth, 0.5e-6}, t.lineAt(d.InputOffset())
			}
		default:
			var ignored json.RawMessage
			err = d.Decode(&ignored)
		}
		if err != nil {
			return unexpected(err)
		}
	}
	_, err := d.Token()
	return unexpected(err)
}

// unexpected makes of the end of the file, where a document is open, an error of its own.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *ncclRun) config(d *json.Decoder) error {
	var config struct {
		MaximumBytes int64 `json:"maximum_bytes"`
		StepFactor   int64 `json:"step_factor"`
		Devices      []struct {
			Rank     int
			Hostname string
		}
	}
	if err := d.Decode(&config); err != nil {
		return err
	}
	r.maxBytes, r.factor = config.MaximumBytes, config.StepFactor
	for _, device := range config.Devices {
		if device.Rank >= 0 && device.Rank < 1<<24 {
			r.ranks[device.Rank], r.hosts[device.Hostname] = true, true
		}
	}
	return nil
}

func (r *ncclRun) results(d *json.Decoder, t *Text) error {
	if token, err := d.Token(); err != nil || token != json.Delim('[') {
		return errors.Join(errors.New("results: no list"), unexpected(err))
	}
	for d.More() {
		line := t.lineAt(skipSpace(t.Data, d.InputOffset())) // behind the comma
		var row ncclJSONRow
		if err := d.Decode(&row); err != nil {
			return unexpected(err)
		}
		if r.program == "" && row.Name != "" {
			r.program = strings.TrimSuffix(row.Name, "_perf")
		}
		r.rows = append(r.rows, row.row(line))
		r.stage = measuring
	}
	_, err := d.Token()
	return unexpected(err)
}

func (j *ncclJSONRow) row(line int) ncclRow {
	row := ncclRow{line: line, bytes: max(j.Size, 0), count: max(j.Count, 0)}
	row.dtype, row.elementSize = dataType(j.Type)
	if j.Redop != "none" {
		row.op = j.Redop
	}
	if n := whole(strings.TrimSpace(j.Root)); n != nil && *n < 1<<30 {
		row.root = pointer(int(*n))
	}
	for i, side := range []*ncclJSONSide{j.Out, j.In} {
		if side == nil {
			continue
		}
		s := ncclSide{inPlace: i == 1, iterations: max(j.Iterations, 0)}
		if side.Time == nil {
			side.Time = side.CPUTime
		}
		s.seconds = micro(side.Time)
		if side.AlgBW != nil && side.BusBW != nil && *side.AlgBW >= 0 && *side.BusBW >= 0 {
			s.algbw, s.busbw, s.rates = figure{*side.AlgBW, 0.5e-6}, figure{*side.BusBW, 0.5e-6}, true
			s.alg, s.bus = pointer(*side.AlgBW*1e9), pointer(*side.BusBW*1e9)
		}
		if side.Wrong != nil && *side.Wrong >= 0 && *side.Wrong < 1<<53 {
			s.wrong = pointer(int64(*side.Wrong))
		}
		if each := []*ncclJSONEach{j.OutEach, j.InEach}[i]; each != nil {
			s.min, s.max, s.p50, s.p99 = micro(each.Min), micro(each.Max), micro(each.P50), micro(each.P99)
			for _, v := range each.Times {
				if v >= 0 && len(s.samples) < bench.MaxSamples {
					s.samples = append(s.samples, v*1e-6)
				}
			}
		}
		row.sides = append(row.sides, s)
	}
	return row
}

// micro turns microseconds into seconds.
func micro(v *float64) *float64 {
	if v == nil || *v < 0 || math.IsInf(*v, 0) {
		return nil
	}
	return pointer(*v * 1e-6)
}
