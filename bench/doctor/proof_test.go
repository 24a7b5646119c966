package doctor

import (
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/collectives"
)

// ranOn is a result of NCCL on two hosts of one rank each.
func ranOn(algorithm, via string, change ...func(*bench.Result)) bench.Result {
	r := bench.Result{Status: bench.OK, Evidence: bench.Evidence{Observed: "ring", Via: via}, Case: bench.Case{
		What: bench.What{Collective: collectives.AllReduce, Algorithm: algorithm, Bytes: 4 << 20}, How: bench.How{Backend: "nccl", Transport: bench.TransportLibrary},
		Where: bench.Where{Ranks: 2, Hosts: 2, Domain: 1}}}
	for _, c := range change {
		c(&r)
	}
	return r
}

// countedBytes gives a result counters that saw this share of what a ring makes two ranks send: their whole vector.
func countedBytes(share float64) func(*bench.Result) {
	return func(r *bench.Result) {
		r.Counted = []bench.LinkBytes{{Sent: share * float64(r.What.Bytes)}, {Sent: share * float64(r.What.Bytes)}}
	}
}

func variant(v string) func(*bench.Result) { return func(r *bench.Result) { r.How.Variant = v } }

// proofInfo is a run on two hosts with these findings of doctor: "check status".
func proofInfo(found ...string) bench.RunInfo {
	info := bench.RunInfo{Ranks: []bench.RankInfo{{Rank: 0, Host: "a"}, {Rank: 1, Host: "b"}}, Environment: bench.Environment{Variables: map[string]string{}}}
	for _, f := range found {
		check, status, _ := strings.Cut(f, " ")
		info.Findings = append(info.Findings, bench.Finding{Check: check, Status: status})
	}
	return info
}

func TestProve(t *testing.T) {
	ready := proofInfo("gdr-distance pass", "gdr-kernel pass", "ib-port pass")
	far := proofInfo("gdr-distance pass", "gdr-distance fail", "gdr-kernel pass", "ib-port pass")
	asking := proofInfo()
	asking.Environment.Variables["NCCL_COLLNET_ENABLE"] = "1"
	checked := map[*Outcome]bool{}
	for _, c := range []struct {
		info bench.RunInfo
		r    bench.Result
		want *Outcome // nil: nothing is said
		seen string
	}{
		{ready, ranOn("ring", "NET/IB/GDRDMA"), proofGDRUsed, "GPUDirect RDMA was used"},
		{ready, ranOn("ring", "NET/IB, NET/IB/GDRDMA"), proofGDRUnused, "all_reduce 4 MiB ring: GPUDirect RDMA was expected, and NCCL went over NET/IB without it"},
		{ready, ranOn("ring", "NET/IB", variant("NCCL_NET_GDR_LEVEL=LOC")), nil, ""},
		{far, ranOn("ring", "NET/IB"), nil, ""}, // what doctor has failed is no surprise
		{ready, ranOn("ring", "NET/Socket"), proofTCP, "NCCL went over TCP (NET/Socket)"},
		{ready, ranOn("ring", "NET/Socket", variant("NCCL_IB_DISABLE=1")), nil, ""},
		{proofInfo(), ranOn("ring", "NET/Socket"), nil, ""},
		{ready, ranOn("ring", ""), nil, ""},
		{ready, ranOn("ring", "NET/IB", func(r *bench.Result) { r.Simulated = true }), nil, ""},
		{proofInfo(), ranOn("sharp", "COLLNET, COLLNET/SHARP/GDRDMA, NET/IB"), proofCollNet, "CollNet was connected"},
		{proofInfo(), ranOn("sharp", "NET/IB"), proofNoCollNet, "SHARP was asked for, and NCCL connected no CollNet: it went over NET/IB"},
		{asking, ranOn(bench.Auto, "NET/IB"), proofNoCollNet, "NCCL connected no CollNet"},
		{asking, ranOn("ring", "NET/IB"), nil, ""}, // ring was asked for
		{proofInfo(), ranOn("ring", "", countedBytes(1.02)), proofTrafficLike, "within 10 %"},
		{proofInfo(), ranOn("ring", "", countedBytes(0.01)), proofTrafficLess, "the counters saw 1 % of what ring makes a rank's link carry"},
		{proofInfo(), ranOn("ring", "", countedBytes(1.3)), proofTrafficMore, "the counters saw 130 % of what ring makes"},
		{proofInfo(), ranOn("ring", "", countedBytes(0.001), func(r *bench.Result) { r.CountedOn = bench.OnInfiniBand }), proofTrafficNote, "the data went another way"},
		{proofInfo(), ranOn("ring", "", countedBytes(1.01), func(r *bench.Result) {
			r.CountedOn = bench.OnInfiniBand
			r.Counted[0].Received, r.Counted[1].Received = r.Counted[0].Sent, r.Counted[1].Sent
		}), nil, ""},
		{proofInfo(), ranOn("ring", "", countedBytes(2), func(r *bench.Result) { r.CountedOn, r.Where.Hosts, r.Where.Domain = bench.OnNVLink, 1, 2 }), proofTrafficNote, "NVLink counted"},
		{proofInfo(), ranOn("ring", "", func(r *bench.Result) { r.What.Bytes = 4096 }, countedBytes(3)), nil, ""},
		{proofInfo(), ranOn("ring", "", func(r *bench.Result) { r.Evidence.Observed = "symmetric" }, countedBytes(3)), nil, ""},
	} {
		found := Prove(c.info, []bench.Result{c.r})
		if c.want == nil {
			if len(found) > 0 {
				t.Errorf("%s %q: %+v, want nothing", c.r.Case, c.r.Evidence.Via, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Status != c.want.Status.String() || !strings.Contains(found[0].Seen, c.seen) || found[0].Why == "" || found[0].Advice != c.want.Advice {
			t.Errorf("%s %q: %+v, want %q", c.r.Case, c.r.Evidence.Via, found, c.want.When)
		}
		checked[c.want] = true
	}
	for _, check := range Proofs {
		for _, o := range check.Outcomes {
			if !checked[o] {
				t.Errorf("%s: no result ends so: %q", check.ID, o.When)
			}
		}
	}
}

// TestProveManyResults sees that of many results the worst is kept, and that it is said how many are like it.
func TestProveManyResults(t *testing.T) {
	results := []bench.Result{ranOn("ring", "", countedBytes(1)), ranOn("ring", "", countedBytes(0.5)), ranOn("ring", "", countedBytes(0.4))}
	found := Prove(proofInfo(), results)
	if len(found) != 1 || found[0].Status != "warn" || !strings.HasSuffix(found[0].Seen, "(and 1 more likewise)") {
		t.Errorf("%+v", found)
	}
	if slices.ContainsFunc(found, func(f bench.Finding) bool { return f.Check != "proof-traffic" }) {
		t.Errorf("%+v", found)
	}
}
