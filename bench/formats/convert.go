package formats

import (
	"fmt"

	"collbench/bench"
	"collbench/collectives"
)

// backends are the names of the libraries that the tools measure.
var backends = map[string]string{
	"nccl-tests": "nccl", "rccl-tests": "rccl", "osu": "mpi", "imb": "mpi", "ucc_perftest": "ucc", "nvshmem": "nvshmem",
	"collbench": "collbench",
}

// maxRanks is the most ranks of a result: it holds samples for each of them.
const maxRanks = 1 << 20

// Result turns a measurement of a collective into a result as our own runs have them. An import proves no
// algorithm, so what was "ok" becomes "unproven". A tool's one figure stands for every rank, and the longest rank's
// time is taken where the tool prints it; the error says why a measurement can't be a result.
func Result(m Measurement) (bench.Result, error) {
	r := bench.Result{Schema: bench.SampleSchema, Launch: m.Run - 1, Status: m.Status, Error: m.Error, Wrong: m.Wrong}
	fail := func(what string) (bench.Result, error) {
		return r, fmt.Errorf("%s:%d: not kept as a result: %s", m.File, m.Line, what)
	}
	c, err := collectives.ParseCollective(m.Collective)
	if err != nil {
		return fail("it is no collective that collbench knows")
	}
	r.Case = bench.Case{
		What: bench.What{Collective: c, Algorithm: bench.Auto},
		How:  bench.How{Backend: backends[m.Tool], Variant: m.Variant, Timing: bench.TimingBatch},
	}
	r.Where = bench.Where{Ranks: m.Ranks, Hosts: m.Hosts}
	if r.How.Backend == "" {
		r.How.Backend = m.Tool
	}
	if m.Hosts > 0 && m.Ranks%m.Hosts == 0 {
		r.Where.Domain = m.Ranks / m.Hosts
	}
	if m.Algorithm != "" {
		r.What.Algorithm = m.Algorithm
	}
	if m.Root != nil {
		r.What.Root = *m.Root
	}
	if m.InPlace != nil {
		r.What.InPlace = *m.InPlace
	}
	r.Note = fmt.Sprintf("imported from %s %s:%d", m.Tool, m.File, m.Line)
	if m.Ranks < 1 {
		return fail("the number of ranks is not known")
	}
	if m.Ranks > maxRanks {
		return fail(fmt.Sprintf("%d ranks are more than can be kept", m.Ranks))
	}
	if m.Status == bench.Failed {
		return r, nil
	}
	if m.Buffer == nil {
		return fail("the size of the whole buffer is not known")
	}
	if r.What.DataType, err = collectives.ParseDataType(m.DataType); err != nil {
		return fail(err.Error())
	}
	if c.Reduces() && m.Reduction != "" {
		if r.What.Reduction, err = collectives.ParseReduction(m.Reduction); err != nil {
			return fail(err.Error())
		}
	}
	samples := m.samples
	switch {
	case len(samples) > 0:
		r.IterationsPerSample, r.How.Timing = 1, bench.TimingBarrier
	case m.Seconds == nil:
		return fail("it has no time")
	case m.SecondsMax != nil && m.Tool != "nccl-tests": // over ranks; nccl-tests' is over iterations
		samples = []float64{*m.SecondsMax}
	default:
		samples = []float64{*m.Seconds}
	}
	if len(m.samples) == 0 && m.Iterations < 1<<31 {
		r.IterationsPerSample = int(m.Iterations)
	}
	r.What.Bytes = *m.Buffer
	r.Seconds = make([][]float64, m.Ranks)
	for rank := range r.Seconds {
		r.Seconds[rank] = samples
	}
	if r.Status == bench.OK {
		r.Status, r.Error = bench.Unproven, "imported: nothing shows which algorithm ran"
	}
	return r, nil
}
