package algorithms

import (
	"math"
	"testing"
	"time"

	"collbench/collectives"
)

func find(t testing.TB, name string) collectives.Algorithm {
	t.Helper()
	a, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// even is a shape in which nothing is rounded.
func even(c collectives.Collective, n, local, chunks int) shape {
	return collectives.Canonical(shape{Collective: c, Ranks: n, Chunks: chunks, Local: local, Radix: 40})
}

// The slide's unit: slices of S/N that cross one rank's interface.
func TestOperations(t *testing.T) {
	for _, n := range []int{2, 3, 8, 72} {
		tests := []struct {
			name            string
			sends, receives float64
		}{
			{"ring", float64(2 * (n - 1)), float64(2 * (n - 1))},
			{"direct", float64(2 * (n - 1)), float64(2 * (n - 1))},
			{"nvls", float64(n + 1), float64(n + 1)},
			{"sharp", float64(n), float64(n)},
			{"oneshot", float64(n * (n - 1)), float64(n * (n - 1))},
		}
		for _, test := range tests {
			for _, count := range []int{1, n, 1000} {
				s := shape{Collective: collectives.AllReduce, Ranks: n, Count: count, Chunks: 5, Local: n, Radix: 40}
				o := collectives.Busiest(find(t, test.name), s)
				if o.Sends != test.sends || o.Receives != test.receives || !o.Exact {
					t.Errorf("%s, %d ranks, %d elements: %+v, want %v sends, %v receives", test.name, n, count, o, test.sends, test.receives)
				}
				if o.Total() != test.sends+test.receives {
					t.Errorf("%s: total %v", test.name, o.Total())
				}
			}
		}
	}
	o := collectives.Busiest(find(t, "nvls"), even(collectives.AllReduce, 8, 8, 1))
	if o.Total() != 18 || math.Abs(32/o.Total()-1.78) > 0.003 || math.Abs(28/o.Total()-1.556) > 0.001 {
		t.Errorf("nvls at 8: %+v", o)
	}
}

// figures are what the literature says of the busiest rank, in units of the whole buffer; NaN: not said.
type figures struct{ sent, received, accumulated, rounds float64 }

var unsaid = math.NaN()

// formulas are those of the sources in doc.go, for one chunk.
var formulas = []struct {
	collective collectives.Collective
	name       string
	of         func(n float64) figures
}{
	{collectives.AllReduce, "ring", func(n float64) figures { return figures{2 * (n - 1) / n, 2 * (n - 1) / n, (n - 1) / n, 2 * (n - 1)} }},
	{collectives.AllReduce, "recursive-doubling", func(n float64) figures {
		l, more := math.Floor(math.Log2(n)), folded(n)
		return figures{l + more, l + more, l + more, l + 2*more}
	}},
	{collectives.AllReduce, "halving-doubling", func(n float64) figures {
		l, more := math.Floor(math.Log2(n)), folded(n)
		p := math.Exp2(l)
		return figures{2*(p-1)/p + more, 2*(p-1)/p + more, (p-1)/p + more, 2*l + 2*more}
	}},
	{collectives.AllReduce, "tree", func(n float64) figures {
		if n < 4 {
			return figures{unsaid, unsaid, unsaid, 2 * math.Ceil(math.Log2(n))}
		}
		return figures{2, 2, 1, 2 * math.Ceil(math.Log2(n))}
	}},
	{collectives.AllReduce, "direct", func(n float64) figures { return figures{2 * (n - 1) / n, 2 * (n - 1) / n, (n - 1) / n, 2} }},
	{collectives.AllReduce, "oneshot", func(n float64) figures { return figures{n - 1, n - 1, n - 1, 1} }},
	{collectives.AllReduce, "nvls", func(n float64) figures { return figures{(n + 1) / n, (n + 1) / n, 0, 4} }},
	{collectives.AllReduce, "sharp", func(n float64) figures { return figures{1, 1, 0, 2 * math.Max(1, math.Ceil(math.Log(n)/math.Log(40)))} }},
	{collectives.AllGather, "ring", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, 0, n - 1} }},
	{collectives.AllGather, "recursive-doubling", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, 0, math.Log2(n)} }},
	{collectives.AllGather, "direct", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, 0, 1} }},
	{collectives.AllGather, "nvls", func(n float64) figures { return figures{1 / n, 1, 0, 2} }},
	{collectives.AllGather, "bruck", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, 0, 2 + math.Ceil(math.Log2(n))} }},
	{collectives.AllGather, "pat", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, 0, 2 + math.Ceil(math.Log2(n))} }},
	{collectives.ReduceScatter, "ring", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, (n - 1) / n, n - 1} }},
	{collectives.ReduceScatter, "recursive-halving", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, (n - 1) / n, math.Log2(n)} }},
	{collectives.ReduceScatter, "direct", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, (n - 1) / n, 1} }},
	{collectives.ReduceScatter, "nvls", func(n float64) figures { return figures{1, 1 / n, 0, 2} }},
	{collectives.ReduceScatter, "pat", func(n float64) figures {
		return figures{(n - 1) / n, (n - 1) / n, (n - 1) / n, 2 + math.Ceil(math.Log2(n))}
	}},
	{collectives.Broadcast, "ring", func(n float64) figures { return figures{1, 1, 0, n - 1} }},
	{collectives.Broadcast, "binomial", func(n float64) figures { return figures{math.Ceil(math.Log2(n)), 1, 0, math.Ceil(math.Log2(n))} }},
	{collectives.Broadcast, "scatter-allgather", func(n float64) figures {
		return figures{2 * (n - 1) / n, unsaid, 0, math.Ceil(math.Log2(n)) + n - 1}
	}},
	{collectives.Broadcast, "multicast", func(n float64) figures { return figures{1, 1, 0, 2} }},
	{collectives.Reduce, "binomial", func(n float64) figures {
		l := math.Ceil(math.Log2(n))
		return figures{1, l, l, l}
	}},
	{collectives.AllToAll, "pairwise", func(n float64) figures { return figures{(n - 1) / n, (n - 1) / n, 0, n} }},
	{collectives.AllToAll, "bruck", func(n float64) figures {
		l := math.Ceil(math.Log2(n))
		if folded(n) == 1 {
			return figures{unsaid, unsaid, 0, l + 2}
		}
		return figures{l / 2, l / 2, 0, l + 2}
	}},
	{collectives.Gather, "direct", func(n float64) figures { return figures{1 / n, (n - 1) / n, 0, 1} }},
	{collectives.Scatter, "direct", func(n float64) figures { return figures{(n - 1) / n, 1 / n, 0, 1} }},
	{collectives.SendRecv, "direct", func(n float64) figures { return figures{1, 1, 0, 1} }},
}

// folded is 1 where the number of ranks is not a power of two.
func folded(n float64) float64 {
	if math.Exp2(math.Floor(math.Log2(n))) == n {
		return 0
	}
	return 1
}

func TestFormulas(t *testing.T) {
	tested := map[[2]string]bool{}
	for _, f := range formulas {
		a := find(t, f.name)
		tested[[2]string{f.collective.String(), f.name}] = true
		for _, n := range []int{2, 3, 8, 12, 32, 72} {
			s := even(f.collective, n, n, 1)
			if a.Supports(s) != nil {
				continue
			}
			var got figures
			for v := range node(n) {
				c := collectives.Count(a, s, v)
				got.sent = max(got.sent, float64(c.Sent)/float64(s.Size()))
				got.received = max(got.received, float64(c.Received)/float64(s.Size()))
				got.accumulated = max(got.accumulated, float64(c.Accumulated)/float64(s.Size()))
				got.rounds = max(got.rounds, float64(c.Rounds))
			}
			want := f.of(float64(n))
			if !(same(got.sent, want.sent) && same(got.received, want.received) && same(got.accumulated, want.accumulated) && same(got.rounds, want.rounds)) {
				t.Errorf("%s %s, %d ranks: %+v, want %+v", f.collective, f.name, n, got, want)
			}
		}
	}
	for _, a := range All {
		for _, c := range a.Collectives {
			if key := [2]string{c.String(), a.Name}; !tested[key] && a.Refuses == nil {
				t.Errorf("no formula for %v", key)
			}
		}
	}
}

func same(got, want float64) bool { return math.IsNaN(want) || math.Abs(got-want) <= 1e-12*want }

// What crosses between domains, and within them.
func TestDomainFormulas(t *testing.T) {
	for _, test := range []struct{ n, g float64 }{{8, 2}, {8, 4}, {12, 4}, {64, 8}, {72, 8}} {
		n, g, k := test.n, test.g, test.n/test.g
		tests := []struct {
			name           string
			within, across float64 // in units of the whole buffer
		}{
			{"hierarchical", 2 * (g - 1) / g, 2 / g * (k - 1) / k},
			{"nvls+sharp", (g + 1) / g, 1 / g},
			{"nvlstree", (g + 1) / g, unsaid},
		}
		for _, x := range tests {
			a, s := find(t, x.name), even(collectives.AllReduce, int(n), int(g), 1)
			// A domain's NVSwitch is at home there, as it is not on a virtual cluster.
			home := func(v node) int {
				if int(v) < s.Ranks {
					return int(v) / s.Local
				}
				if w := int(v) - s.Ranks; a.Place != nil && w < s.Ranks/s.Local {
					return w
				}
				return int(v)
			}
			for v := range node(s.Ranks) {
				all, across := collectives.Count(a, s, v), collectives.CountAcross(a, s, v, home)
				size := float64(s.Size())
				if !same(float64(across.Sent)/size, x.across) || !same(float64(across.Received)/size, x.across) {
					t.Errorf("%s, %v in domains of %v, rank %d: across %+v of %v, want %v", x.name, n, g, v, across, size, x.across)
				}
				if float64(across.Sent)/size > 2/g {
					t.Errorf("%s: rank %d sends %v of S across", x.name, v, float64(across.Sent)/size)
				}
				if !same(float64(all.Sent-across.Sent)/size, x.within) {
					t.Errorf("%s, %v in domains of %v, rank %d: within %+v, want %v", x.name, n, g, v, all.Sent-across.Sent, x.within)
				}
			}
		}
	}
}

// The switch of NVLS combines the vectors of all ranks.
func TestSwitchCounts(t *testing.T) {
	s := even(collectives.AllReduce, 8, 8, 1)
	c := collectives.Count(find(t, "nvls"), s, 8)
	if c.Accumulated != 7*s.Count || c.Sent != 9*s.Count || c.Received != 9*s.Count {
		t.Errorf("nvls: %+v of %d", c, s.Count)
	}
	c = collectives.Count(find(t, "sharp"), s, 8)
	if c.Accumulated != 7*s.Count || c.Sent != 8*s.Count || c.Received != 8*s.Count {
		t.Errorf("sharp: %+v of %d", c, s.Count)
	}
}

// Busiest against counting every rank, with and without rounding, and where it takes a sample.
func TestBusiestAgainstCount(t *testing.T) {
	t.Parallel()
	ranks := []int{1, 5, 8, 12, 33}
	if !testing.Short() {
		ranks = append(ranks, 600)
	}
	sampled := 0
	for _, a := range All {
		for _, c := range a.Collectives {
			for _, n := range ranks {
				s := even(c, n, n/4*4, 3)
				if n%4 == 0 {
					s.Local = 4
				}
				for _, count := range []int{s.Count, s.Count + 1, 6} {
					if s.Count = count; a.Supports(s) != nil || n > 100 && count%2 == 0 {
						continue
					}
					var want collectives.Operations
					for v := range node(n) {
						got := collectives.Count(a, s, v)
						want.Sent, want.Received = max(want.Sent, got.Sent), max(want.Received, got.Received)
						want.Messages = max(want.Messages, got.Sends+got.Receives)
					}
					got := collectives.Busiest(a, s)
					if got.Sent != want.Sent || got.Received != want.Received || got.Messages != want.Messages {
						t.Errorf("%s %+v: %+v, want %+v", a.Name, s, got, want)
					}
					if !got.Exact {
						sampled++
					}
				}
			}
		}
	}
	if sampled == 0 && !testing.Short() {
		t.Error("no sample was tested")
	}
}

// The largest clusters are counted in a fraction of a second; two seconds leave room for a busy machine.
func TestBusiestOfMany(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n = 131072
	for _, test := range []struct {
		name       string
		collective collectives.Collective
		count      int
		sends      float64
	}{
		{"ring", collectives.AllReduce, 1 << 26, 2 * (n - 1)},
		{"ring", collectives.AllReduce, 1<<26 - 1, 2 * (n - 1)},
		{"tree", collectives.AllReduce, 1 << 26, 2 * n},
		{"sharp", collectives.AllReduce, 1 << 26, n},
		{"nvls+sharp", collectives.AllReduce, 1 << 26, n*9/8 + n/8},
		{"direct", collectives.AllReduce, 1 << 26, 2 * (n - 1)},
		{"pairwise", collectives.AllToAll, 1 << 9, n - 1},
	} {
		a := find(t, test.name)
		s := shape{Collective: test.collective, Ranks: n, Count: test.count, Local: 8, Radix: 40}
		s.Chunks = a.DefaultChunks(s.Collective, int64(s.Size())*4)
		start := time.Now()
		o := collectives.Busiest(a, s)
		took := time.Since(start)
		t.Logf("%s of %d: %v, %+v", test.name, test.count, took.Round(time.Millisecond), o)
		if took > 2*time.Second || o.Sends != test.sends {
			t.Errorf("%s of %d: %v, %+v, want %v sends", test.name, test.count, took, o, test.sends)
		}
	}
}
