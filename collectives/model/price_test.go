package model

import (
	"math"
	"strings"
	"testing"

	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// flat is a machine with one domain, rates that are easy to reckon with and nothing else.
func flat(ranks float64) Machine {
	return Machine{
		Name:   "flat",
		Domain: Domain{Ranks: Constant{Value: ranks}, Latency: Constant{Value: 1e-6}, Bandwidth: Constant{Value: 1e9}},
		NIC:    NIC{Latency: Constant{Value: 3e-6}, Bandwidth: Constant{Value: 1e8}},
	}
}

// The formulas of the literature, α a latency, β the time of a byte: each algorithm on one flat domain.
func TestPriceIsTheFormula(t *testing.T) {
	const n, chunks, α, β = 16, 64, 1e-6, 1e-9
	S := float64(1 << 22)
	for _, c := range []struct {
		what collectives.Collective
		name string
		want float64
	}{
		{collectives.AllReduce, "ring", 2 * (n - 1) * (α + S/n*β)},
		{collectives.AllGather, "ring", (n - 1) * (α + S/n*β)},
		{collectives.AllReduce, "recursive-doubling", 4 * (α + S*β)},
		{collectives.AllReduce, "halving-doubling", 8*α + 2*S*(n-1)/n*β},
		{collectives.AllReduce, "direct", 2*α + 2*S*(n-1)/n*β},
		{collectives.AllReduce, "oneshot", α + (n-1)*S*β},
		{collectives.Broadcast, "binomial", 4 * (α + S*β)},
		// A pipeline pays a latency per hop, not per chunk: n−1 hops, chunks+n−2 chunk times.
		{collectives.Broadcast, "ring", (n-1)*α + (chunks+n-2)*S/chunks*β},
		// Up and down, each hop half a latency: 4 hops; the ports carry S(n+1)/n and one chunk's passage.
		{collectives.AllReduce, "nvls", 2*α + (1+1./n+1/float64(chunks)*(1+1./n))*S*β},
		{collectives.Broadcast, "multicast", α + (chunks+1)*S/chunks*β},
		{collectives.AllToAll, "pairwise", n*α + n*S/n*β}, // in each of the n rounds some pair exchanges
	} {
		s := mustShape(t, c.what, n, 1<<22)
		a := mustFind(t, c.name)
		if s.Chunks = 1; a.DefaultChunks(c.what, 1<<22) > 1 {
			s.Chunks = chunks
		}
		if got := mustPrice(t, a, s, flat(n)); math.Abs(got.Seconds/c.want-1) > 0.002 {
			t.Errorf("%v %s: %g s, want %g", c.what, c.name, got.Seconds, c.want)
		}
	}
}

// Domains, NICs and tiers on a machine of two domains.
func TestPriceAcrossDomains(t *testing.T) {
	m := flat(4)
	S := float64(1 << 22)
	// The ring crosses a NIC twice in its 8 hops: the NIC sets the pace, and the mean latency is paid.
	s := mustShape(t, collectives.AllReduce, 8, 1<<22)
	if got, want := mustPrice(t, mustFind(t, "ring"), s, m), 14*(S/8*1e-8+(6*1e-6+2*3e-6)/8); math.Abs(got.Seconds/want-1) > 0.001 {
		t.Errorf("ring: %g s, want %g", got.Seconds, want)
	} else if !strings.HasPrefix(got.Bottleneck, "NIC of rank") {
		t.Errorf("the ring's bottleneck is the %s", got.Bottleneck)
	}
	latency := func(name string, s collectives.Shape, want float64) {
		t.Helper()
		if p := mustPrice(t, mustFind(t, name), s, m); math.Abs(p.Latency/want-1) > 1e-6 {
			t.Errorf("%s: latency %g s, want %g", name, p.Latency, want)
		}
	}
	latency("ring", s, 14*(6*1e-6+2*3e-6)/8)
	// hierarchical: 2(g−1) rounds of S/g in the domain, 2(k−1) rounds of S/(gk) over the NICs.
	s.Local = 4
	if got, want := mustPrice(t, mustFind(t, "hierarchical"), s, m), 6*(1e-6+S/4*1e-9)+2*(3e-6+S/8*1e-8); math.Abs(got.Seconds/want-1) > 0.001 {
		t.Errorf("hierarchical: %g s, want %g", got.Seconds, want)
	}
	// A chain over unequal hops fills at the pace of each hop: 6 fast hops hardly count.
	s = mustShape(t, collectives.Broadcast, 8, 1<<22)
	s.Chunks = 4
	slow, fast := S/4*1e-8, S/4*1e-9
	if got, want := mustPrice(t, mustFind(t, "ring"), s, m), 6*1e-6+3e-6+4*slow+6*fast; math.Abs(got.Seconds/want-1) > 0.001 {
		t.Errorf("broadcast over unequal hops: %g s, want %g", got.Seconds, want)
	}
	// An oversubscribed trunk: leaves of 2 domains, of which a quarter of the NICs' rate leads up.
	m.Tiers = []Tier{
		{Name: "leaf", Ports: Constant{Value: 8}, Oversubscription: Constant{Value: 4}},
		{Name: "spine", Ports: Constant{Value: 8}, Latency: Constant{Value: 1e-6}},
	}
	s = mustShape(t, collectives.AllReduce, 16, 1<<22)
	s.Local = 4
	p := mustPrice(t, mustFind(t, "recursive-doubling"), s, m)
	// Rounds 0 and 1 stay in a domain, round 2 in a leaf, round 3 takes 8 ranks over a trunk of 2 NICs' rate.
	latency("recursive-doubling", s, 2*1e-6+3e-6+(3e-6+1e-6))
	// Up from a rank, from leaf to spine and back: half a NIC's latency at either end, the spine once.
	s.Radix = 8
	latency("sharp", s, 3e-6+1e-6)
	if want := 2*(1e-6+S*1e-9) + 3e-6 + S*1e-8 + 4e-6 + 4*S*1e-8; math.Abs(p.Seconds/want-1) > 0.001 {
		t.Errorf("over a trunk: %g s, want %g", p.Seconds, want)
	}
}

// What a cluster of 8 VMs at 100 Mbit/s must show for 4 MiB: volumes over the links' rate, headers included.
func TestLabPredictions(t *testing.T) {
	m := mustLab(t, equalLinks(8, 100*mbit), 1)
	// A packet of 9000 bytes carries 8948 in 9014 on the wire, and every second one brings back 66.
	whole := float64(4<<20) / (100 * mbit) * (9014 + 66./2) / 8948
	for _, c := range []struct {
		name  string
		share float64
	}{
		{"ring", 1.75}, {"nvls", 1.125}, {"sharp", 1}, {"halving-doubling", 1.75}, {"direct", 1.75}, {"hierarchical", 1.75},
		{"recursive-doubling", 3}, {"oneshot", 7}, {"nvls+sharp", 3}, {"nvlstree", 4},
	} {
		a := mustFind(t, c.name)
		s := mustShape(t, collectives.AllReduce, 8, 4<<20)
		s.Local, s.Chunks = 1, a.DefaultChunks(collectives.AllReduce, 4<<20)
		if p := mustPrice(t, a, s, m); p.Seconds < whole*c.share || p.Seconds > whole*c.share*1.035 {
			t.Errorf("%s: %.1f ms, want %.1f and a pipeline's fill", c.name, p.Seconds*1e3, whole*c.share*1e3)
		}
	}
}

// Traffic with the domain's switch goes at W in either direction, other traffic at the ports' own rate.
func TestSwitchBandwidth(t *testing.T) {
	m := flat(8)
	m.Domain.SwitchBandwidth.Value = 5e8
	for _, c := range []struct {
		what collectives.Collective
		name string
		want float64
	}{
		{collectives.ReduceScatter, "nvls", 1e9 / 5e8}, {collectives.AllGather, "nvls", 1e9 / 5e8}, {collectives.AllGather, "ring", 7. / 8},
	} {
		s := mustShape(t, c.what, 8, 1e9)
		s.Chunks = 1000
		if c.name == "ring" {
			s.Chunks = 1
		}
		if p := mustPrice(t, mustFind(t, c.name), s, m); math.Abs(p.Seconds/c.want-1) > 0.005 {
			t.Errorf("%v %s: %g s, want %g", c.what, c.name, p.Seconds, c.want)
		}
	}
}

func TestLabLinksDiffer(t *testing.T) {
	links := equalLinks(4, 100*mbit)
	links[3].Transmit = 25 * mbit
	m := mustLab(t, links, 2) // two ranks of a VM share its link
	p := mustPrice(t, mustFind(t, "ring"), mustShape(t, collectives.AllReduce, 8, 4<<20), m)
	if want := float64(4<<20) * 1.75 / (25 * mbit); p.Seconds < want || p.Seconds > want*1.03 {
		t.Errorf("%g s, want a little more than %g", p.Seconds, want)
	}
	if p.Bottleneck != "NIC of domain 3, transmit" {
		t.Errorf("the bottleneck is the %s", p.Bottleneck)
	}
	if _, err := Lab(nil, 1); err == nil {
		t.Error("a cluster without links")
	}
	if _, err := Lab([]Rates{{0, 1}}, 1); err == nil || !strings.Contains(err.Error(), "link of VM 0") {
		t.Errorf("a link without a rate: %v", err)
	}
}

func TestPriceRefuses(t *testing.T) {
	shape := func(n int) collectives.Shape { return mustShape(t, collectives.AllReduce, n, 1<<20) }
	tiered := flat(4)
	tiered.Tiers = []Tier{{Name: "leaf", Ports: Constant{Value: 2}}}
	negative := flat(4)
	negative.NIC.Latency.Value = -1
	crawling := flat(4)
	crawling.Domain.Bandwidth.Value = 1
	for _, c := range []struct {
		name string
		s    collectives.Shape
		m    Machine
		want string
	}{
		{"nvls", shape(8), flat(4), "the switch of rank 0 does not reach rank 4"},
		{"ring", shape(64), tiered, "its 1 tiers of switches do not suffice for 64 ranks"},
		{"ring", shape(4), negative, "nic.latency.value: -1 is negative"},
		{"ring", func() collectives.Shape { s := shape(4); s.Count = 1 << 40; return s }(), crawling, "a rate is too low"},
		{"binomial", shape(4), flat(4), "has no algorithm"},
	} {
		if _, err := Price(mustFind(t, c.name), c.s, 4, c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want …%s…", c.name, err, c.want)
		}
	}
	if _, err := Price(mustFind(t, "ring"), shape(4), 0, flat(4)); err == nil {
		t.Error("elements of 0 bytes have a price")
	}
}

// Every algorithm has a price on every machine that can hold it, for awkward shapes too, and more bytes never cost
// less.
func TestPriceOfEverything(t *testing.T) {
	for _, name := range Names() {
		m, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range algorithms.All {
			for _, what := range a.Collectives {
				for _, n := range []int{1, 2, 3, 8} {
					before := 0.0
					for _, bytes := range []int64{256, 1 << 16, 1<<24 + 4} {
						s := mustShape(t, what, n, bytes)
						s.Chunks = m.Chunks(a, what, bytes)
						if a.Supports(s) != nil {
							continue
						}
						p := mustPrice(t, a, s, m)
						if p.Seconds < before || n > 1 && p.Seconds <= 0 || math.Abs(p.Latency+p.Transfer-p.Seconds) > 1e-12 {
							t.Errorf("%s: %v %s, %d ranks, %d bytes: %+v after %g s", name, what, a.Name, n, bytes, p, before)
						}
						before = p.Seconds
					}
				}
			}
		}
	}
}

// Programs in which everybody talks to everybody are refused where they would not fit into memory.
func TestTooManyMessages(t *testing.T) {
	m, err := Named(Generic)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Price(mustFind(t, "direct"), mustShape(t, collectives.AllReduce, 131072, 1<<30), 4, m)
	if err == nil || !strings.Contains(err.Error(), "too many to price") {
		t.Errorf("direct on 131,072 ranks: %v", err)
	}
}

// BenchmarkPrice prices 131,072 ranks: about a second each, within 1 GiB.
func BenchmarkPrice(b *testing.B) {
	m, err := Named(Generic)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"ring", "tree", "sharp", "nvls+sharp", "halving-doubling"} {
		b.Run(name, func(b *testing.B) {
			a := mustFind(b, name)
			s := mustShape(b, collectives.AllReduce, 131072, 1<<30)
			s.Local, s.Chunks = 8, a.DefaultChunks(collectives.AllReduce, 1<<30)
			b.ReportAllocs()
			for b.Loop() {
				mustPrice(b, a, s, m)
			}
		})
	}
}
