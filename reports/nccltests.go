package reports

import (
	"bytes"
	"fmt"
	"io"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/collectives"
)

// series is what one table of nccl-tests has in common.
type series struct {
	run                                                string
	launch                                             int
	collective, algorithm, backend, transport, buffers string
	variant                                            string
	timing                                             bench.Timing
	dtype, reduction                                   string
	ranks, hosts, domain, root                         int
}

func seriesOf(r summary.Row) series {
	return series{r.Run, r.Launch, r.Collective, r.Algorithm, r.Backend, r.Transport, r.Buffers, r.Variant, r.Timing, r.DataType,
		r.Reduction, r.Ranks, r.Hosts, r.Domain, r.Root}
}

// NCCLTests writes the rows in the text layout of nccl-tests 2.1x, a table for each algorithm, so that programs
// which pick columns from there work here. The comments at the head say that it is collbench. Rates below 1 GB/s
// and times below 1 µs have four decimals instead of two; a side (out of place, in place) that was not measured reads
// N/A. The figures are medians, where nccl-tests prints means. Point-to-point tests are named in a comment only.
func NCCLTests(w io.Writer, info bench.RunInfo, rows []summary.Row) error {
	var b bytes.Buffer
	var order []series
	tables := map[series][]summary.Row{}
	for _, r := range sorted(rows) {
		if r.Operation != "" {
			fmt.Fprintf(&b, "# %s: %s: point-to-point tests have no place in this layout\n", caseName(r), r.Status)
			continue
		}
		s := seriesOf(r)
		if tables[s] == nil {
			order = append(order, s)
		}
		tables[s] = append(tables[s], r)
	}
	for _, s := range order {
		ncclHeader(&b, info, s, tables[s])
		ncclTable(&b, s, tables[s])
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write rows as nccl-tests: %w", err)
	}
	return nil
}

func ncclHeader(b *bytes.Buffer, info bench.RunInfo, s series, rows []summary.Row) {
	fmt.Fprintf(b, "# collbench %s, not nccl-tests: medians of %s timing in its layout\n", oneLine(info.Environment.Version), s.timing)
	variant := ""
	if s.variant != "" {
		variant = " variant " + oneLine(s.variant)
	}
	fmt.Fprintf(b, "# Collective test starting: %s algorithm %s backend %s transport %s buffers %s%s\n",
		s.collective, oneLine(s.algorithm), oneLine(s.backend), oneLine(s.transport), oneLine(s.buffers), variant)
	least, most := rows[0].Bytes, rows[0].Bytes
	for _, r := range rows {
		least, most = min(least, r.Bytes), max(most, r.Bytes)
	}
	fmt.Fprintf(b, "# ranks %d hosts %d minBytes %d maxBytes %d launch %d\n#\n# Using\n", s.ranks, s.hosts, least, most, s.launch)
	for _, r := range info.Ranks {
		fmt.Fprintf(b, "#  Rank %2d on %s\n", r.Rank, oneLine(r.Host))
	}
	for _, r := range rows {
		if r.Error != "" {
			fmt.Fprintf(b, "# %d bytes: %s: %s\n", r.Bytes, r.Status, oneLine(r.Error))
		}
	}
	fmt.Fprintf(b, "#\n# %10s  %12s  %8s  %6s  %6s           out-of-place                       in-place          \n", "", "", "", "", "")
	fmt.Fprintf(b, "# %10s  %12s  %8s  %6s  %6s  %7s  %6s  %6s %6s  %7s  %6s  %6s %6s\n", "size", "count", "type", "redop", "root",
		"time", "algbw", "busbw", "#wrong", "time", "algbw", "busbw", "#wrong")
	fmt.Fprintf(b, "# %10s  %12s  %8s  %6s  %6s  %7s  %6s  %6s  %5s  %7s  %6s  %6s  %5s\n", "(B)", "(elements)", "", "", "",
		"(us)", "(GB/s)", "(GB/s)", "", "(us)", "(GB/s)", "(GB/s)", "")
}

func ncclTable(b *bytes.Buffer, s series, rows []summary.Row) {
	type pair struct{ out, in *summary.Row }
	var sizes []int64
	pairs := map[int64]*pair{}
	for i, r := range rows {
		if r.Status == bench.Skipped {
			continue // the head says why
		}
		p := pairs[r.Bytes]
		if p == nil {
			p = new(pair)
			pairs[r.Bytes] = p
			sizes = append(sizes, r.Bytes)
		}
		if r.InPlace {
			p.in = &rows[i]
		} else {
			p.out = &rows[i]
		}
	}
	var wrong int64
	failed := false
	var sum float64
	var measured int
	for _, size := range sizes {
		p := pairs[size]
		either := p.out
		if either == nil {
			either = p.in
		}
		for _, r := range []*summary.Row{p.out, p.in} {
			if r != nil && r.BusBW != nil {
				sum += *r.BusBW / 1e9
				measured++
			}
			if r != nil && r.Wrong != nil {
				wrong += *r.Wrong
			}
			failed = failed || r != nil && r.Status == bench.Failed
		}
		fmt.Fprintln(b, ncclLine(ncclSize(*either), int64(either.Count), s.dtype, s.reduction, ncclRoot(s), p.out, p.in))
	}
	verdict := "OK"
	if wrong > 0 || failed { // scripts look for this OK
		verdict = "FAILED"
	}
	fmt.Fprintf(b, "# Out of bounds values : %d %s\n", wrong, verdict)
	if measured > 0 {
		fmt.Fprintf(b, "# Avg bus bandwidth    : %.6g\n", sum/float64(measured))
	}
	fmt.Fprintf(b, "#\n# Collective test concluded: %s\n", s.collective)
}

// ncclLine is one line of figures.
func ncclLine(size, count int64, dtype, reduction string, root int, out, in *summary.Row) string {
	return fmt.Sprintf("%12d  %12d  %8s  %6s  %6d%s%s", size, count, ncclType(dtype), reduction, root, ncclSide(out), ncclSide(in))
}

// ncclSize is the whole buffer in bytes, after rounding to whole elements.
func ncclSize(r summary.Row) int64 {
	c, err := collectives.ParseCollective(r.Collective)
	if err != nil {
		return r.Bytes
	}
	d, err := collectives.ParseDataType(r.DataType)
	if err != nil || r.Count == 0 {
		return r.Bytes
	}
	return int64(collectives.Shape{Collective: c, Ranks: r.Ranks, Count: r.Count}.Size()) * int64(d.Size())
}

func ncclType(name string) string {
	switch name {
	case "float32":
		return "float"
	case "float64":
		return "double"
	case "float16":
		return "half"
	}
	return name
}

func ncclRoot(s series) int {
	if c, err := collectives.ParseCollective(s.collective); err != nil || !c.Rooted() {
		return -1
	}
	return s.root
}

// ncclSide is the four columns of one side, as common.cu prints them.
func ncclSide(r *summary.Row) string {
	if r == nil || r.Seconds == nil || r.AlgBW == nil || r.BusBW == nil {
		return fmt.Sprintf("  %7s  %6s  %6s  %5s", "N/A", "N/A", "N/A", "N/A")
	}
	wrong := "N/A"
	if r.Wrong != nil {
		wrong = fmt.Sprint(*r.Wrong)
	}
	return fmt.Sprintf("  %7s  %6s  %6s  %5s", ncclTime(r.Seconds.Median*1e6), ncclRate(*r.AlgBW/1e9), ncclRate(*r.BusBW/1e9), wrong)
}

func ncclTime(micros float64) string {
	switch {
	case micros >= 10000:
		return fmt.Sprintf("%.0f", micros)
	case micros >= 100:
		return fmt.Sprintf("%.1f", micros)
	case micros < 1:
		return fmt.Sprintf("%.4f", micros)
	}
	return fmt.Sprintf("%.2f", micros)
}

func ncclRate(gigabytes float64) string {
	if gigabytes < 1 {
		return fmt.Sprintf("%.4f", gigabytes)
	}
	return fmt.Sprintf("%.2f", gigabytes)
}
