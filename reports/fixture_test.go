package reports

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// made describes a run that never happened: its times are arithmetic with noise. It is test data, not a measurement.
type made struct {
	collective collectives.Collective
	algorithms []string
	sizes      []int64
	ranks      int
	perHost    int
	links      bool
	timing     bench.Timing
	slow       int // a rank whose times are a tenth longer, or -1
}

func lab(sizes ...int64) made {
	return made{collectives.AllReduce, []string{"ring", "nvls", "sharp"}, sizes, 8, 1, true, bench.TimingBarrier, -1}
}

func powers(from, to int64) (sizes []int64) {
	for s := from; s <= to; s *= 2 {
		sizes = append(sizes, s)
	}
	return sizes
}

const madeRate = 12.5e6 // 100 Mbit/s

func (m made) build(t testing.TB) (bench.RunInfo, []bench.Result, []summary.Row) {
	t.Helper()
	info := bench.RunInfo{Schema: bench.RunSchema, ID: "20260102T030405Z-test", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Command: []string{"collbench", "lab", "--vms", "8", "--link", "100Mbit", "--algorithm", "ring,nvls,sharp", "--seed", "1"},
		Plan:    json.RawMessage(`{"seed":1,"precision":0.01}`),
		Environment: bench.Environment{Host: "testhost", OS: "Debian GNU/Linux 12", Kernel: "6.1.0", CPU: "Example CPU", CPUs: 4, Memory: 16 << 30,
			NUMANodes: 1, Hypervisor: "KVM", Go: "go1.26", Version: "test", Variables: map[string]string{"GOMAXPROCS": "4"}}}
	for r := range m.ranks {
		host := fmt.Sprintf("vm%d", r/m.perHost)
		info.Ranks = append(info.Ranks, bench.RankInfo{Rank: r, Host: host})
		if m.links && r%m.perHost == 0 {
			info.Links = append(info.Links, bench.LinkInfo{Host: host, Transmit: madeRate, Receive: madeRate})
		}
	}
	if m.links {
		info.LinkKind, info.Machine = "kernel", labMachine(t, info.Links, m.perHost)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var results []bench.Result
	for _, size := range m.sizes {
		for _, name := range m.algorithms {
			results = append(results, m.result(t, random, info, name, size))
			results[len(results)-1].Order = len(results) - 1
		}
	}
	rows := make([]summary.Row, len(results))
	for i, r := range results {
		rows[i] = summary.Of(info, r)
	}
	return info, results, rows
}

func (m made) result(t testing.TB, random *rand.Rand, info bench.RunInfo, name string, size int64) bench.Result {
	t.Helper()
	hosts := m.ranks / m.perHost
	c := bench.Case{
		What:  bench.What{Collective: m.collective, Algorithm: name, Bytes: size},
		How:   bench.How{Backend: "host", Transport: "tcp", Buffers: "private", Timing: m.timing},
		Where: bench.Where{Ranks: m.ranks, Hosts: hosts, Domain: m.perHost, Radix: 40},
	}
	if !m.links {
		c.How.Transport = "shm"
	}
	a, err := algorithms.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Shape(a)
	if err != nil {
		t.Fatal(err)
	}
	rounds := 60e-6 * float64(min(collectives.Count(a, s, 0).Rounds, 16))
	r := bench.Result{Schema: bench.SampleSchema, Case: c, Evidence: bench.Evidence{Observed: name, Source: "program", Detail: "carried out by collbench"}}
	link, _ := summary.OnLinks(info, r)
	sent, received := link.Sent, link.Received
	base := rounds + max(sent, received)*float64(m.perHost)*1.02/madeRate
	if !m.links {
		base = rounds/20 + 4*float64(collectives.Busiest(a, s).Sent)/6e9
	}
	zero := int64(0)
	r.Status, r.IterationsPerSample, r.Wrong, r.Chunks = bench.OK, 1, &zero, s.Chunks
	for rank := range m.ranks {
		var samples []float64
		for range 40 {
			v := base * (1 + 0.012*random.Float64() + 0.004*random.ExpFloat64())
			if rank == m.slow {
				v *= 1.1
			}
			samples = append(samples, v)
		}
		r.Seconds = append(r.Seconds, samples)
		if m.links {
			r.Counted = append(r.Counted, bench.LinkBytes{Sent: sent*1.011 + 900, Received: received*1.011 + 900})
		}
	}
	return r
}

// run is what HTML takes.
type run struct {
	info    bench.RunInfo
	results []bench.Result
	rows    []summary.Row
}

// pages are runs of the kinds that look different.
func pages() map[string]made {
	one := lab(4 << 20)
	shared := lab(powers(64<<10, 4<<20)...)
	shared.perHost, shared.algorithms = 2, []string{"ring", "hierarchical", "sharp"}
	host := made{collectives.AllReduce, []string{"ring", "recursive-doubling", "direct", "tree"}, powers(8, 64<<20), 4, 4, false, bench.TimingBatch, 2}
	return map[string]made{"one": one, "sweep": lab(powers(1<<10, 8<<20)...), "shared": shared, "host": host}
}
