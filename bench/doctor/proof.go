package doctor

import (
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
)

// Proofs documents what Prove looks for as the checks are documented. Their Look is nil: they look at results.
var Proofs = []Check{proofGDR, proofSHARP, proofTraffic}

var proofGDR = Check{
	ID:       "proof-gdr",
	What:     "After a run of NCCL on several hosts: whether GPUDirect RDMA was used where all that it needs is there.",
	Why:      "A module that is loaded and a NIC that is near prove nothing: without GPUDirect every byte goes through host memory twice, and nothing says so but NCCL's log.",
	How:      "NCCL's log: via NET/IB/…/GDRDMA; expected where gdr-distance and gdr-kernel pass on every host and no setting forbids it.",
	Outcomes: []*Outcome{proofGDRUsed, proofGDRUnused, proofTCP},
	Sources:  []string{"https://github.com/NVIDIA/nccl/blob/master/src/transport/net.cc"},
}

var (
	proofGDRUsed   = &Outcome{Status: Pass, When: "NCCL's log names GDRDMA on every way over InfiniBand or RoCE"}
	proofGDRUnused = &Outcome{Status: Fail, When: "GPUDirect RDMA was expected, and a way over InfiniBand or RoCE is without GDRDMA in NCCL's log",
		Advice: "Run once with NCCL_DEBUG=INFO NCCL_DEBUG_SUBSYS=INIT,NET,GRAPH and look for \"GPU Direct RDMA Disabled for HCA\" and for the distances of GPU and NIC."}
	proofTCP = &Outcome{Status: Fail, When: "ports of RDMA devices are up, and NCCL's log says via NET/Socket",
		Advice: "Look at NCCL_IB_DISABLE, NCCL_NET and NCCL_IB_HCA, at the memory that may be locked (ulimit -l), and in a container at /dev/infiniband."}
)

var proofSHARP = Check{
	ID:   "proof-sharp",
	What: "After a run of NCCL on several hosts: whether CollNet was connected where SHARP was asked for.",
	Why:  "NCCL goes on with ring or tree where CollNet cannot be had, so that a figure without SHARP passes for one with it.",
	How: "NCCL's log: Connected CollNet, or via COLLNET/; asked for by the algorithms sharp, nvls+sharp and collnet…, or by NCCL_COLLNET_ENABLE=1. " +
		"Which algorithm ran is each row's own evidence.",
	Outcomes: []*Outcome{proofCollNet, proofNoCollNet},
	Sources:  []string{"https://github.com/NVIDIA/nccl/blob/master/src/transport/coll_net.cc"},
}

var (
	proofCollNet   = &Outcome{Status: Pass, When: "NCCL's log says that CollNet was connected"}
	proofNoCollNet = &Outcome{Status: Fail, When: "SHARP was asked for, and NCCL's log shows ways to other hosts and no CollNet",
		Advice: "Look at the plugin (libnccl-net.so of HPC-X in LD_LIBRARY_PATH), at NCCL_SHARP_DISABLE, and at the aggregation manager: ibdiagnet --sharp, sharp_hello."}
)

var proofTraffic = Check{
	ID:   "proof-traffic",
	What: "After a run: whether the links' own counters saw what the algorithm's program makes them carry.",
	Why:  "A figure can be right and of other links: of another NIC, of TCP beside InfiniBand, or with messages that were sent again and again.",
	How: "Bytes that the counters of InfiniBand ports, of NVLink, or of the virtual cluster's links saw in an iteration, against those of the program that ran, " +
		"where these are enough for headers and flags to be small.",
	Outcomes: []*Outcome{proofTrafficLike, proofTrafficLess, proofTrafficMore, proofTrafficNote},
	Sources:  []string{"https://github.com/torvalds/linux/blob/master/Documentation/ABI/stable/sysfs-class-infiniband (port_xmit_data)"},
}

var (
	proofTrafficLike = &Outcome{Status: Pass, When: "the counters are within 10 % of the program"}
	proofTrafficLess = &Outcome{Status: Warn, When: "the counters saw more than 10 % less than the program makes them carry",
		Advice: "The likely cause: the bytes went another way, over a NIC that is not counted or over TCP (NCCL's log: via NET/Socket), or within hosts. Look at NCCL_IB_HCA and NCCL_SOCKET_IFNAME."}
	proofTrafficMore = &Outcome{Status: Warn, When: "the counters saw more than 10 % more than the program makes them carry",
		Advice: "The likely cause: others used the links too, messages were sent again (out_of_sequence, packet_seq_err), or another algorithm ran."}
	proofTrafficNote = &Outcome{Status: Warn, When: "the counters of NVLink or InfiniBand ports differ by more than 10 % from the program; the likely cause is said with it",
		Advice: "Look at NCCL_IB_HCA and NCCL_SOCKET_IFNAME, at NCCL's log (via NET/Socket, via SHM), and at who else uses the links."}
)

const (
	trafficTolerance = 0.10
	trafficLeast     = 1 << 20 // bytes of a case whose traffic is compared
)

// Prove holds the results of a run against what was expected of it. What nothing tells of gives no finding.
func Prove(info bench.RunInfo, results []bench.Result) []bench.Finding {
	var found []Finding
	for _, r := range results {
		if r.Simulated || r.Status == bench.Failed || r.Status == bench.Skipped {
			continue
		}
		found = append(found, proveTraffic(info, r)...)
		if r.Where.Hosts < 2 {
			continue
		}
		found = append(found, proveWay(info, r)...)
		found = append(found, proveCollNet(info, r)...)
	}
	var kept []Finding
	for _, c := range Proofs {
		var own []Finding
		for _, f := range found {
			if slices.Contains(c.Outcomes, f.outcome) {
				own = append(own, c.complete(f))
			}
		}
		kept = append(kept, worst(own)...)
	}
	return Keep([]Report{}, kept)
}

// proveWay looks at how NCCL reached the other hosts.
func proveWay(info bench.RunInfo, r bench.Result) []Finding {
	if r.How.Backend != "nccl" || r.Evidence.Via == "" {
		return nil
	}
	where := []Evidence{{Path: "NCCL's log", Field: r.Case.String(), Value: r.Evidence.Via}}
	fast := func(way string) bool { return strings.HasPrefix(way, "NET/IB") }
	var over, without []string
	for way := range strings.SplitSeq(r.Evidence.Via, ", ") {
		switch {
		case fast(way) && strings.HasSuffix(way, "/GDRDMA"):
			over = append(over, way)
		case fast(way):
			without = append(without, way)
		case way == "NET/Socket" && passes(info, "ib-port") && !isSet(info, r, "NCCL_IB_DISABLE=1", "NCCL_NET=Socket"):
			return []Finding{proofTCP.found(where, "%s: ports of RDMA devices are up, and NCCL went over TCP (%s)", r.Case, way)}
		}
	}
	switch expected := passes(info, "gdr-distance") && passes(info, "gdr-kernel") && !isSet(info, r, "NCCL_NET_GDR_LEVEL=LOC", "NCCL_NET_GDR_LEVEL=0"); {
	case len(without) > 0 && expected:
		return []Finding{proofGDRUnused.found(where, "%s: GPUDirect RDMA was expected, and NCCL went over %s without it", r.Case, each(without))}
	case len(over) > 0 && len(without) == 0:
		return []Finding{proofGDRUsed.found(where, "GPUDirect RDMA was used: %s", each(over))}
	}
	return nil
}

// passes says whether a check has passed on every host on which it came to anything, and on one at least.
func passes(info bench.RunInfo, check string) bool {
	passed := false
	for _, f := range info.Findings {
		if f.Check == check && f.Status != Pass.String() {
			return false
		}
		passed = passed || f.Check == check
	}
	return passed
}

// isSet says whether one of these settings holds for a result: in its variant, or in the environment of the run.
func isSet(info bench.RunInfo, r bench.Result, settings ...string) bool {
	environment, _ := bench.VariantEnvironment(r.How.Variant)
	for name, value := range info.Environment.Variables {
		environment = append(environment, name+"="+value)
	}
	return slices.ContainsFunc(settings, func(s string) bool { return slices.Contains(environment, s) })
}

// proveCollNet looks for CollNet where SHARP was asked for.
func proveCollNet(info bench.RunInfo, r bench.Result) []Finding {
	asked := strings.Contains(r.What.Algorithm, "sharp") || strings.HasPrefix(r.What.Algorithm, "collnet") ||
		r.What.Algorithm == bench.Auto && r.What.Reduces() && isSet(info, r, "NCCL_COLLNET_ENABLE=1")
	if r.How.Backend != "nccl" || !asked || r.Evidence.Via == "" {
		return nil
	}
	where := []Evidence{{Path: "NCCL's log", Field: r.Case.String(), Value: r.Evidence.Via}}
	if strings.Contains(r.Evidence.Via, "COLLNET") {
		return []Finding{proofCollNet.found(where, "CollNet was connected")}
	}
	return []Finding{proofNoCollNet.found(where, "%s: SHARP was asked for, and NCCL connected no CollNet: it went over %s", r.Case, r.Evidence.Via)}
}

// proveTraffic holds the links' counters against the program: those of NVLink and InfiniBand as the row's note does.
func proveTraffic(info bench.RunInfo, r bench.Result) []Finding {
	if r.CountedOn != "" {
		text := summary.Contradiction(r)
		if text == "" {
			return nil
		}
		return []Finding{proofTrafficNote.found([]Evidence{{Path: "counters of " + r.CountedOn, Field: r.Case.String(), Value: text}}, "%s: %s", r.Case, text)}
	}
	program, ok := summary.OnLinks(info, r)
	if !ok || r.Where.Hosts < 2 || len(r.Counted) == 0 || r.What.Bytes < trafficLeast || program.Sent <= 0 {
		return nil
	}
	counted := 0.0
	for _, c := range r.Counted {
		counted = max(counted, c.Sent)
	}
	ratio := counted / program.Sent
	where := []Evidence{{Path: "counters of the links", Field: r.Case.String(), Value: fmt.Sprintf("%.0f bytes, of the program %.0f", counted, program.Sent)}}
	text := fmt.Sprintf("%s: the counters saw %s of what %s makes a rank's link carry (%s against %s)", r.Case, unit.Percent(ratio),
		r.Evidence.Observed, unit.BytesAbout(counted), unit.BytesAbout(program.Sent))
	switch {
	case ratio < 1-trafficTolerance:
		return []Finding{proofTrafficLess.found(where, "%s", text)}
	case ratio > 1+trafficTolerance:
		return []Finding{proofTrafficMore.found(where, "%s", text)}
	}
	return []Finding{proofTrafficLike.found(where, "the counters of the links are within 10 %% of the program")}
}
