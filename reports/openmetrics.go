package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
)

// metric is a family of samples: a name that ends with its unit, and the value of a row, if it has one.
type metric struct {
	name, unit, help string
	value            func(summary.Row) *float64
}

const okMetric = "collbench_ok"

var metrics = []metric{
	{"collbench_iteration_seconds", "seconds", "Median time of an iteration, of which each is the slowest rank's.", ofSeconds(func(s summary.Seconds) *float64 { return &s.Median })},
	{"collbench_iteration_low_seconds", "seconds", "Lower end of the median's 95 % interval.", ofSeconds(func(s summary.Seconds) *float64 { return s.Low })},
	{"collbench_iteration_high_seconds", "seconds", "Upper end of the median's 95 % interval.", ofSeconds(func(s summary.Seconds) *float64 { return s.High })},
	{"collbench_iteration_p99_seconds", "seconds", "99th percentile of the iterations.", ofSeconds(func(s summary.Seconds) *float64 { return s.P99 })},
	{"collbench_algorithm_bandwidth_bytes_per_second", "bytes_per_second", "Size of the whole buffer by median time.", func(r summary.Row) *float64 { return r.AlgBW }},
	{"collbench_bus_bandwidth_bytes_per_second", "bytes_per_second", "Algorithm bandwidth times the factor of nccl-tests.", func(r summary.Row) *float64 { return r.BusBW }},
	{"collbench_wire_bandwidth_bytes_per_second", "bytes_per_second", "Bytes that the busiest rank sends by median time.", func(r summary.Row) *float64 { return r.WireBW }},
	{"collbench_wrong_elements", "elements", "Elements that were not what they must be.", func(r summary.Row) *float64 {
		if r.Wrong == nil {
			return nil
		}
		v := float64(*r.Wrong)
		return &v
	}},
	{"collbench_model_seconds", "seconds", "Time that the model of the machine predicts.", func(r summary.Row) *float64 {
		if r.Model == nil {
			return nil
		}
		return &r.Model.Seconds
	}},
	{okMetric, "", "1 where the case was measured, right and proven, else 0; the labels say what it was and which algorithm ran.", func(r summary.Row) *float64 {
		v := 0.
		if r.Status == bench.OK {
			v = 1
		}
		return &v
	}},
}

func ofSeconds(field func(summary.Seconds) *float64) func(summary.Row) *float64 {
	return func(r summary.Row) *float64 {
		if r.Seconds == nil {
			return nil
		}
		return field(*r.Seconds)
	}
}

// OpenMetrics writes the rows in the text format of OpenMetrics 1.0, in base units and as gauges alone, so that the
// textfile collector of Prometheus' node exporter reads it too. What is not known has no sample. Of rows that differ
// in nothing but their run the last one counts, as a scrape has one value for a set of labels.
func OpenMetrics(w io.Writer, info bench.RunInfo, rows []summary.Row) error {
	var order []string
	last := map[string]summary.Row{}
	for _, r := range rows {
		l := metricLabels(r)
		if _, seen := last[l]; !seen {
			order = append(order, l)
		}
		last[l] = r
	}
	var b strings.Builder
	for _, m := range metrics {
		m.head(&b)
		for _, l := range order {
			r := last[l]
			labels := l
			if m.name == okMetric {
				labels += "," + labelText([][2]string{{"status", string(r.Status)}, {"observed", r.Observed}})
			}
			if v := m.value(r); v != nil {
				fmt.Fprintf(&b, "%s{%s} %s\n", m.name, labels, strconv.FormatFloat(*v, 'g', -1, 64))
			}
		}
	}
	if !info.Started.IsZero() {
		m := metric{name: "collbench_run_start_timestamp_seconds", unit: "seconds", help: "When the last run began, in seconds since 1970."}
		m.head(&b)
		fmt.Fprintf(&b, "%s{%s} %s\n", m.name, labelText([][2]string{{"version", info.Environment.Version}}), strconv.FormatFloat(float64(info.Started.UnixMilli())/1e3, 'f', 3, 64))
	}
	b.WriteString("# EOF\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write rows as OpenMetrics: %w", err)
	}
	return nil
}

func (m metric) head(b *strings.Builder) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s gauge\n", m.name, m.help, m.name)
	if m.unit != "" {
		fmt.Fprintf(b, "# UNIT %s %s\n", m.name, m.unit)
	}
}

// metricLabels identify a row's case and launch.
func metricLabels(r summary.Row) string {
	return labelText([][2]string{{"collective", r.Collective}, {"operation", r.Operation}, {"from", rankOf(r.From)}, {"to", rankOf(r.To)}, {"window", positive(r.Window)}, {"algorithm", r.Algorithm}, {"backend", r.Backend}, {"variant", r.Variant},
		{"transport", r.Transport}, {"buffers", r.Buffers}, {"timing", string(r.Timing)}, {"ranks", strconv.Itoa(r.Ranks)}, {"hosts", strconv.Itoa(r.Hosts)},
		{"domain", strconv.Itoa(r.Domain)}, {"root", strconv.Itoa(r.Root)}, {"bytes", strconv.FormatInt(r.Bytes, 10)}, {"dtype", r.DataType}, {"op", r.Reduction},
		{"in_place", strconv.FormatBool(r.InPlace)}, {"launch", strconv.Itoa(r.Launch)}, {"simulated", strconv.FormatBool(r.Simulated)}})
}

func rankOf(rank *int) string {
	if rank == nil {
		return ""
	}
	return strconv.Itoa(*rank)
}

// labelText writes labels; an empty one is an absent one.
func labelText(pairs [][2]string) string {
	var parts []string
	for _, p := range pairs {
		if p[1] != "" {
			parts = append(parts, fmt.Sprintf("%s=\"%s\"", p[0], metricEscape(p[1])))
		}
	}
	return strings.Join(parts, ",")
}

var metricEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func metricEscape(s string) string { return metricEscapes.Replace(oneLine(s)) }
