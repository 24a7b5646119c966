package summary

import (
	"encoding/json"
	"math"
	"testing"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/model"
)

// known is a ring all-reduce of 8 ranks and 8 KiB whose slowest rank is alternately rank 0 and rank 1.
func known() bench.Result {
	wrong := int64(0)
	r := bench.Result{
		Case: bench.Case{
			What:  bench.What{Collective: collectives.AllReduce, Algorithm: "ring", Bytes: 8192},
			How:   bench.How{Backend: "host", Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier},
			Where: bench.Where{Ranks: 8, Hosts: 8, Domain: 1, Radix: 40},
		},
		Status: bench.OK, IterationsPerSample: 1, Wrong: &wrong, Chunks: 1,
		Evidence: bench.Evidence{Observed: "ring", Source: "program"},
	}
	for rank := range 8 {
		samples := make([]float64, 10)
		for i := range samples {
			samples[i] = 1e-3
			if rank < 2 && i%2 == rank {
				samples[i] = 2e-3 + float64(i)*1e-4 // 2.0 … 2.9 ms
			}
		}
		r.Seconds = append(r.Seconds, samples)
		r.Counted = append(r.Counted, bench.LinkBytes{Sent: 15000 + float64(rank), Received: 14900})
	}
	return r
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is absent, want %g", what, want)
	} else if math.Abs(*got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%s %g, want %g", what, *got, want)
	}
}

func TestOf(t *testing.T) {
	machine, err := model.Lab([]model.Rates{{Transmit: 1e6, Receive: 1e6}, {Transmit: 1e6, Receive: 1e6}, {Transmit: 1e6, Receive: 1e6}, {Transmit: 1e6, Receive: 1e6},
		{Transmit: 1e6, Receive: 1e6}, {Transmit: 1e6, Receive: 1e6}, {Transmit: 1e6, Receive: 1e6}, {Transmit: 1e6, Receive: 1e6}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(machine)
	if err != nil {
		t.Fatal(err)
	}
	row := Of(bench.RunInfo{ID: "id", Machine: raw}, known())
	near(t, "median", &row.Seconds.Median, 2.45e-3)
	near(t, "p99", row.Seconds.P99, 2.9e-3)
	if low := *row.Seconds.Low; low < 2e-3 || low >= 2.45e-3 {
		t.Errorf("low %g", low)
	}
	if high := *row.Seconds.High; high <= 2.45e-3 || high > 2.9e-3 {
		t.Errorf("high %g", high)
	}
	near(t, "algbw", row.AlgBW, 8192/2.45e-3)
	near(t, "busbw", row.BusBW, 8192/2.45e-3*14/8)
	near(t, "wirebw", row.WireBW, 14336/2.45e-3)
	if o := *row.Operations; o.Sends != 14 || o.Receives != 14 || o.BytesSent != 14336 || o.BytesReceived != 14336 || o.Messages != 28 {
		t.Errorf("operations %+v", o)
	}
	near(t, "counted sent", &row.Counted.BytesSent, 15007)
	if row.Samples != 10 || row.Count != 2048 || row.Run != "id" || row.Schema != "collbench.result/1" {
		t.Errorf("row %+v", row)
	}
	// 14,336 bytes and some headers over 1 MB/s, and 14 latencies.
	if s := row.Model.Seconds; s < 14.4e-3 || s > 18e-3 {
		t.Errorf("model %g s", s)
	}
	near(t, "model busbw", &row.Model.BusBW, 14336/row.Model.Seconds)
}

// TestAbsent: what is not known must not be there, least of all as 0.
func TestAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bench.Result)
		absent []string
	}{
		"skipped": {func(r *bench.Result) {
			r.Status, r.Seconds, r.Counted, r.Wrong, r.Chunks = bench.Skipped, nil, nil, nil, 0
		},
			[]string{"seconds", "samples", "algbw", "busbw", "wirebw", "wrong", "counted", "model", "chunks"}},
		"the CPUs were the limit": {func(r *bench.Result) { r.Status, r.Error = bench.Unproven, "the CPUs, not the links, were the limit" },
			[]string{"seconds", "algbw", "busbw", "wirebw"}},
		"failed on the way": {func(r *bench.Result) { r.Status, r.Error = bench.Failed, "rank 3 was killed" },
			[]string{"seconds", "algbw", "busbw", "wirebw"}},
		"nothing tells what ran": {func(r *bench.Result) {
			r.Status, r.Evidence, r.Case.What.Algorithm = bench.Unproven, bench.Evidence{}, bench.Auto
		},
			[]string{"observed", "evidence", "operations", "wirebw", "model"}},
		"few samples": {func(r *bench.Result) {
			for i := range r.Seconds {
				r.Seconds[i] = r.Seconds[i][:3]
			}
		}, []string{"seconds.low", "seconds.high"}},
		"batches": {func(r *bench.Result) { r.IterationsPerSample = 20 }, []string{"seconds.p99"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := known()
			c.change(&r)
			raw, err := json.Marshal(Of(bench.RunInfo{}, r))
			if err != nil {
				t.Fatal(err)
			}
			var keys map[string]any
			if err := json.Unmarshal(raw, &keys); err != nil {
				t.Fatal(err)
			}
			if s, ok := keys["seconds"].(map[string]any); ok {
				for k, v := range s {
					keys["seconds."+k] = v
				}
			}
			for _, k := range c.absent {
				if v, ok := keys[k]; ok {
					t.Errorf("%s is there: %v", k, v)
				}
			}
		})
	}
	r := known()
	r.Evidence, r.Status = bench.Evidence{}, bench.Unproven
	if Of(bench.RunInfo{}, r).Seconds == nil {
		t.Error("a time without proof of the algorithm is a time all the same")
	}
}

func TestIterationTimes(t *testing.T) {
	if got := IterationTimes(bench.Case{}, [][]float64{{1, 5, 2}, {3, 4}}); len(got) != 2 || got[0] != 3 || got[1] != 5 {
		t.Errorf("%v", got)
	}
	if got := IterationTimes(bench.Case{}, nil); got != nil {
		t.Errorf("%v of nothing", got)
	}
	if got := IterationTimes(bench.Case{}, [][]float64{{1}, {}}); len(got) != 0 {
		t.Errorf("%v though one rank has no sample", got)
	}
}

func TestOnLinks(t *testing.T) {
	r := known()
	var info bench.RunInfo
	for rank := range 8 {
		info.Ranks = append(info.Ranks, bench.RankInfo{Rank: rank, Host: []string{"a", "b"}[rank/4]})
	}
	// Of a host's four ranks one sends to the other host, so each rank's share is a quarter.
	got, ok := OnLinks(info, r)
	if !ok || got.Sent != 14336/4 || got.Received != 14336/4 {
		t.Errorf("%+v %v, want %d", got, ok, 14336/4)
	}
	r.Case.What.Algorithm, r.Evidence.Observed = "unheard-of", ""
	if _, ok := OnLinks(info, r); ok {
		t.Error("bytes of an unknown algorithm")
	}
}

// TestPointToPoint has two pairs of four ranks: the slower pair's clock counts, and there is a rate where there is a window.
func TestPointToPoint(t *testing.T) {
	r := known()
	r.What = bench.What{Operation: "multi_bandwidth", Algorithm: bench.Auto, Bytes: 1000, Window: 4}
	r.Where, r.Evidence, r.Counted = bench.Where{Ranks: 4, Hosts: 1}, bench.Evidence{Source: "library", Detail: "it chose"}, nil
	r.Seconds = [][]float64{{1e-3, 3e-3, 2e-3}, {2e-3, 2e-3, 2e-3}, {}, {}}
	row := Of(bench.RunInfo{}, r)
	near(t, "algbw", row.AlgBW, 2*4*1000/2e-3)
	if row.BusBW != nil || row.WireBW != nil || row.Operations != nil || row.Collective != "" || row.Name() != "multi_bandwidth" ||
		row.Reduction != "none" || row.From != nil || row.Samples != 3 || row.Seconds.Median != 2e-3 || row.Count != 250 || row.Window != 4 {
		t.Errorf("%+v", row)
	}
	r.What.Operation, r.What.Window, r.Where.To, r.Seconds[1] = "latency", 0, 3, nil
	row = Of(bench.RunInfo{}, r)
	if row.AlgBW != nil || row.Seconds.Median != 2e-3 || row.From == nil || *row.From != 0 || *row.To != 3 {
		t.Errorf("%+v", row)
	}
}
