package summary

import (
	"strings"
	"testing"

	"collbench/bench"
	"collbench/collectives"
)

// onLinks is a result whose ranks have sent and received so many MiB an iteration over the links, by the counters.
func onLinks(c collectives.Collective, observed, links string, hosts int, sent, received float64) bench.Result {
	r := bench.Result{Status: bench.OK, CountedOn: links, Evidence: bench.Evidence{Observed: observed, Source: "profiler", Detail: "3 × SIMPLE, 4 channels"}}
	r.What = bench.What{Collective: c, Algorithm: observed, Bytes: 8 << 20}
	r.How = bench.How{Backend: "nccl", Transport: bench.TransportLibrary}
	r.Where = bench.Where{Ranks: 8, Hosts: hosts, Domain: 8 / hosts, Radix: 40}
	for range 8 {
		r.Counted = append(r.Counted, bench.LinkBytes{Sent: sent * (1 << 20), Received: received * (1 << 20)})
	}
	return r
}

// TestContradiction: of 8 MiB over 8 ranks a ring moves 14 MiB a rank, NVLink SHARP 9, a network that reduces 8.
func TestContradiction(t *testing.T) {
	small := onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 1, 1)
	small.What.Bytes = 64 << 10
	flagged := onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 28, 28)
	flagged.Evidence.Detail = "3 × RING LL, 2 channels"
	lab := onLinks(collectives.AllReduce, "ring", "", 8, 1, 1)
	for _, c := range []struct {
		name   string
		result bench.Result
		want   string // the end of the note; "": none
	}{
		{"ring", onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 14, 14), ""},
		{"LL128's flags", onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 14.93, 14.93), ""},
		{"nvls", onLinks(collectives.AllReduce, "nvls", bench.OnNVLink, 1, 9, 9), ""},
		{"a tree, of whatever shape", onLinks(collectives.AllReduce, "tree", bench.OnNVLink, 1, 14, 14), ""},
		{"gathered by a switch", onLinks(collectives.AllGather, "nvls", bench.OnNVLink, 1, 1, 8), ""},
		{"sharp over two hosts of four", onLinks(collectives.AllReduce, "sharp", bench.OnInfiniBand, 2, 2, 2), ""},
		{"ring over two hosts of four", onLinks(collectives.AllReduce, "ring", bench.OnInfiniBand, 2, 3.5, 3.5), ""},
		{"too small to say", small, ""},
		{"a virtual cluster's links, which the lab itself looks at", lab, ""},
		{"a tree over hosts, whose shape is not known", onLinks(collectives.AllReduce, "tree", bench.OnInfiniBand, 2, 40, 40), ""},
		{"nvls that was a ring", onLinks(collectives.AllReduce, "nvls", bench.OnNVLink, 1, 14, 14),
			"NVLink counted 14 MiB sent by a rank in an iteration, 9 MiB by the program of nvls: it is what ring moves"},
		{"sharp that was a ring", onLinks(collectives.AllReduce, "sharp", bench.OnInfiniBand, 2, 3.5, 3.5),
			"InfiniBand ports counted 3.5 MiB sent by a rank in an iteration, 2 MiB by the program of sharp: it is what ring moves"},
		{"flags", flagged, "14 MiB by the program of ring: protocol LL sends a flag with each 4 bytes of data"},
		{"another way", onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 0, 0), ": the data went another way, such as PCI Express, shared memory or another network"},
		{"partly", onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 5, 5), ": a part of the data went another way, such as PCI Express, shared memory or another network"},
		{"others", onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 14, 20), "NVLink counted 20 MiB received by a rank in an iteration, 14 MiB by the program of ring: something else used the links, or data crossed them more than once"},
	} {
		if got := Contradiction(c.result); got == "" != (c.want == "") || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestThrottled(t *testing.T) {
	r := onLinks(collectives.AllReduce, "ring", bench.OnNVLink, 1, 14, 14)
	r.Clocks = []bench.Clocks{{}, {Throttled: []string{"sw_power_cap"}}, {Throttled: []string{"sw_power_cap", "hw_slowdown"}}}
	if row := Of(bench.RunInfo{}, r); strings.Join(row.Throttled, " ") != "sw_power_cap hw_slowdown" || row.Counted.On != bench.OnNVLink {
		t.Errorf("%v %+v", row.Throttled, row.Counted)
	}
}
