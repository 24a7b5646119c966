package summary

import (
	"math"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/collectives"
	"collbench/collectives/model"
)

// Of summarizes one result. What cannot be known from it, such as the operations of an algorithm that left no name
// or the price on a machine that was not described, is absent from the row.
func Of(info bench.RunInfo, r bench.Result) Row {
	w, h, at := r.Case.What, r.Case.How, r.Case.Where
	row := Row{
		Schema: bench.ResultSchema, Run: info.ID, Launch: r.Launch, Status: r.Status, Error: r.Error, Fault: r.Fault, Note: r.Note,
		Backend: h.Backend, Algorithm: w.Algorithm, Variant: h.Variant,
		Observed: r.Evidence.Observed, Transport: h.Transport, Buffers: h.Buffers, Timing: h.Timing,
		Ranks: at.Ranks, Hosts: at.Hosts, Domain: at.Domain, Root: w.Root, Bytes: w.Bytes, Chunks: r.Chunks,
		DataType: w.DataType.String(), Reduction: "none", InPlace: w.InPlace, Wrong: r.Wrong, Simulated: r.Simulated,
	}
	if w.Operation == "" {
		row.Collective = w.Collective.String()
	} else {
		row.Operation, row.Window = w.Operation, w.Window
		if pairs := r.Case.Pairs(); len(pairs) == 1 {
			row.From, row.To = &pairs[0].From, &pairs[0].To
		}
	}
	if w.Reduces() {
		row.Reduction = w.Reduction.String()
	}
	if r.Evidence.Source != "" {
		row.Evidence = &Evidence{Source: r.Evidence.Source, Detail: r.Evidence.Detail}
	}
	whole, err := r.Case.Whole()
	if err != nil {
		return row // such a case never ran
	}
	row.Count = whole.Count
	size := float64(whole.Size()) * float64(w.DataType.Size())
	if a, s, ok := program(r); ok {
		row.Operations = operations(a, s, w.DataType)
		row.Model = predict(info, a, s, w.DataType, size)
	}
	row.Counted, row.Throttled = counted(r), throttled(r.Clocks)
	row.Note = bench.JoinNotes(row.Note, Contradiction(r))
	times := IterationTimes(r.Case, r.Seconds)
	row.Samples = len(times)
	if withheld(r) || len(times) == 0 {
		return row
	}
	row.Seconds = seconds(times, r.IterationsPerSample)
	switch moved := float64(r.Case.Moved()); {
	case row.Seconds.Median <= 0:
	case w.Operation != "": // bus bandwidth is a notion of collectives, and the figure of a latency is its time
		if moved > 0 {
			bw := moved / row.Seconds.Median
			row.AlgBW = &bw
		}
	default:
		algbw := size / row.Seconds.Median
		busbw := algbw * w.Collective.BusFactor(at.Ranks)
		row.AlgBW, row.BusBW = &algbw, &busbw
		if row.Operations != nil {
			wirebw := float64(row.Operations.BytesSent) / row.Seconds.Median
			row.WireBW = &wirebw
		}
	}
	return row
}

// withheld says whether the times are no result. The case failed, and they are of what it did before, or of another
// algorithm than its row names; or it is known what ran, and yet the row is unproven, because something else than the
// links (Error says what) was the limit. The samples stay in the run folder.
func withheld(r bench.Result) bool {
	return r.Status == bench.Failed || r.Status == bench.Unproven && r.Evidence.Observed != ""
}

// IterationTimes is the slowest rank's time of each sample, of the ranks that the case times. A rank with fewer samples
// than the others, as after an interruption, shortens the list; such ranks without samples are an error of the writer
// and give none.
func IterationTimes(c bench.Case, ranks [][]float64) []float64 {
	var timed [][]float64
	n := math.MaxInt
	c.Where.Ranks = len(ranks)
	for rank, times := range c.TimedRanks() {
		if times {
			samples := ranks[rank]
			timed = append(timed, samples)
			n = min(n, len(samples))
		}
	}
	if len(timed) == 0 {
		return nil
	}
	times := make([]float64, n)
	for _, samples := range timed {
		for i := range times {
			times[i] = max(times[i], samples[i])
		}
	}
	return times
}

func seconds(times []float64, iterationsPerSample int) *Seconds {
	s := Seconds{Median: stat.Median(times)}
	if low, high, ok := stat.MedianInterval(times); ok {
		s.Low, s.High = &low, &high
	}
	if iterationsPerSample <= 1 {
		p99 := stat.Quantile(times, 0.99)
		s.P99 = &p99
	}
	return &s
}

func operations(a collectives.Algorithm, s collectives.Shape, d collectives.DataType) *Operations {
	o := collectives.Busiest(a, s)
	return &Operations{
		Sends: o.Sends, Receives: o.Receives, Messages: o.Messages,
		BytesSent: int64(o.Sent) * int64(d.Size()), BytesReceived: int64(o.Received) * int64(d.Size()),
	}
}

func counted(r bench.Result) *Counted {
	if len(r.Counted) == 0 {
		return nil
	}
	c := Counted{On: r.CountedOn}
	for _, rank := range r.Counted {
		c.BytesSent, c.BytesReceived = max(c.BytesSent, rank.Sent), max(c.BytesReceived, rank.Received)
	}
	return &c
}

// throttled are the reasons of all ranks, each once.
func throttled(clocks []bench.Clocks) (reasons []string) {
	for _, c := range clocks {
		for _, reason := range c.Throttled {
			if !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

// predict prices the program on the run's machine; nil where there is no machine or it cannot carry the shape.
func predict(info bench.RunInfo, a collectives.Algorithm, s collectives.Shape, d collectives.DataType, size float64) *Model {
	if len(info.Machine) == 0 {
		return nil
	}
	m, err := model.Parse(info.Machine)
	if err != nil {
		return nil
	}
	p, err := model.Price(a, s, d.Size(), m)
	if err != nil || p.Seconds <= 0 {
		return nil
	}
	return &Model{Seconds: p.Seconds, BusBW: size / p.Seconds * s.Collective.BusFactor(s.Ranks)}
}
