package nccl

import (
	"fmt"
	"math"
	"testing"

	"collbench/collectives"
)

// figure is a latency in µs and a bandwidth in GB/s, as NCCL prints them (NCCL_DEBUG_SUBSYS=TUNING).
type figure struct{ latency, bandwidth float64 }

// one is a node of one GPU and one channel of 10 GB/s.
const one = `{"name": "one", "about": "", "architecture": "hopper", "cpu": "intel", "gpus": 1, "nic_latency": 0.5, "graphs": [
	{"since": 18, "several_nodes": true, "same_channels": true, "source": "",
	 "ring": {"channels": 1, "intra": 10, "inter": 10}, "tree": {"channels": 1, "intra": 10, "inter": 10},
	 "nvls": {"channels": 0, "intra": 0, "inter": 0}}]}`

func tuning(t *testing.T, version, machine string, ranks int) Tuning {
	t.Helper()
	topology, err := ParseTopology([]byte(one))
	if machine != "one" {
		topology, err = Machine(machine)
	}
	if err != nil {
		t.Fatal(err)
	}
	u, err := New(version, topology, ranks, collectives.Float32)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Each figure is worked by hand from the src/graph/tuning.cc of its version, n ranks: the working is the comment.
func TestWorkedByHand(t *testing.T) {
	const (
		allReduce     = collectives.AllReduce
		allGather     = collectives.AllGather
		reduceScatter = collectives.ReduceScatter
		broadcast     = collectives.Broadcast
	)
	for _, c := range []struct {
		version, machine string
		ranks            int
		collective       collectives.Collective
		algorithm        Algorithm
		protocol         Protocol
		want             figure
	}{
		// One node of 8×H100, 2.27: ring 12×30 = 360, × 8/14; tree min(360×.92, 12×38.7) = 331.2, × .5.
		{"2.27", "h100", 8, allReduce, Ring, LL, figure{15, 141 * 8. / 14}},          // 6.6+14×.6; min(141, 180)
		{"2.27", "h100", 8, allReduce, Ring, LL128, figure{40.6, 331.2 * 8 / 14}},    // 14+14×1.9; min(331.2, 12×36.7)
		{"2.27", "h100", 8, allReduce, Ring, Simple, figure{56, 360 * 8. / 14}},      // 8.4+14×3.4
		{"2.27", "h100", 8, allReduce, Tree, LL, figure{15.2, 331.2 / 3.8 / 2}},      // 6.8+2×7×.6; 87.2 < 141
		{"2.27", "h100", 8, allReduce, Tree, LL128, figure{31.5, 128.8}},             // 14+2×7×1.25; 331.2×7/9 = 257.6
		{"2.27", "h100", 8, allReduce, Tree, Simple, figure{64.4, 165.6}},            // 8.4+2×7×4
		{"2.27", "h100", 8, allReduce, NVLS, Simple, figure{25, 8 * 40 * 5. / 6}},    // min(40, 60)
		{"2.27", "h100", 8, allGather, NVLS, Simple, figure{25, 280}},                // 8×min(40×7/8, 60×.9)
		{"2.27", "h100", 8, reduceScatter, Ring, Simple, figure{32.2, 360 * 8. / 7}}, // 8.4+7×3.4
		{"2.27", "h100", 8, broadcast, Ring, Simple, figure{11.8, 360}},              // 8.4+3.4: the same channels
		{"2.27", "v100", 8, broadcast, Ring, Simple, figure{40.4, 120}},              // 8.4+8×4: chunks, the tree's 4; 6×20
		{"2.26", "h100", 8, allGather, NVLS, Simple, figure{25, 320}},                // 8×40, no share taken off
		{"2.22", "h100", 8, allGather, NVLS, Simple, figure{25, 320 * 5. / 6}},       // 8×40×5/6
		{"2.20", "h100", 8, allReduce, Ring, LL, figure{15, 87.7 * 8. / 14}},         // min(87.7, 360/4 = 90)
		{"2.20", "h100", 8, allGather, Ring, LL, figure{10.8, 87.7 * 8. / 7}},        // 6.6+7×.6; min(87.7, 360/3)
		{"2.20", "h100", 8, allReduce, NVLS, Simple, figure{23, 8 * 40 * 5. / 6}},    // hwLat 23 until 2.20
		{"2.18", "h100", 8, allReduce, NVLS, Simple, figure{23, 8 * 40 * 5. / 6}},    // baseLat 23 in 2.18
		{"2.18", "h100", 8, allReduce, Tree, Simple, figure{56, 165.6}},              // 0+2×7×4
		{"2.30", "h100", 8, allReduce, NVLS, Simple, figure{25, 8 * 59.5 * 8 / 14}},  // 2×40×.85×7/8 = 59.5 < 60
		{"2.30", "h100", 8, allGather, NVLS, Simple, figure{25, 8 * 29.75 * 7 / 8}},  // 40×.85×7/8 = 29.75, ×7/8
		{"2.27", "b200", 8, allReduce, Ring, LL, figure{15, 282 * 8. / 14}},          // min(282, 16×45/2 = 360)
		{"2.29", "b200", 8, allReduce, Ring, LL128, figure{40.6, 640 * 8. / 14}},     // min(720×.92 = 662.4, 16×40)
		{"2.30", "b200", 8, allReduce, NVLS, Simple, figure{25, 8 * 90 * 8. / 14}},   // 2×80×.74×7/8 = 103.6 > 90
		{"2.24", "a100", 8, allReduce, Ring, LL128, figure{40.6, 220.8 * 8 / 14}},    // min(240×.92, 12×20)
		{"2.24", "a100", 8, allReduce, Tree, LL, figure{15.2, 220.8 / 3.8 / 2}},      // min(58.1, 87.7)

		// Two nodes of 8×H100 with Intel CPUs, 2.27: ring 8×48 = 384, × 16/30; tree min(353.28, 8×41.4) = 331.2.
		{"2.27", "h100", 16, allReduce, Ring, LL, figure{40, 39 * 16. / 30}},                // 6.6+28×max(.6, 1)+2×2.7; min(39, 192)
		{"2.27", "h100", 16, allReduce, Ring, LL128, figure{75.2, 293.6 * 16 / 30}},         // 14+28×1.9+2×4; min(353.28, 8×36.7)
		{"2.27", "h100", 16, allReduce, Ring, Simple, figure{131.6, 204.8}},                 // 8.4+28×3.4+2×14
		{"2.27", "h100", 16, allReduce, Tree, LL, figure{25.2, 19.5}},                       // 6.8+2×(7×.6+5); min(87.2, 39)
		{"2.27", "h100", 16, allReduce, Tree, LL128, figure{48.5, 146.8}},                   // 14+2×(7×1.25+8.5); min(310.5, 8×36.7)
		{"2.27", "h100", 16, allReduce, NVLSTree, Simple, figure{53, 8 * 40 * 5. / 6}},      // 25+2×14; min(40, 48)
		{"2.18", "h100", 16, allReduce, NVLSTree, Simple, figure{61, 320 * .7}},             // 23+2×19; ×.7×2/(2×1)
		{"2.18", "h100", 16, allReduce, Ring, LL, figure{43.4, 39 * 16. / 30}},              // 6.6+26+4×2.7: two crossings more until 2.22
		{"2.28", "h100", 16, allReduce, NVLSTree, Simple, figure{66.8, 8 * 57.7 * 16 / 30}}, // 25+2×20.9; min(59.5, 2×48, 57.7)
		{"2.27", "b200", 16, allReduce, Tree, Simple, figure{92.4, 331.2}},                  // 8.4+2×(7×4+14); min(768×.92, 8×82.8) = 662.4

		// Four nodes: the bandwidth between them counts.
		{"2.27", "h100", 32, allReduce, NVLSTree, Simple, figure{81, 8 * 24 * 5. / 6}},       // 25+2×2×14; min(40, 48/2)
		{"2.30", "h100", 32, allReduce, NVLSTree, Simple, figure{108.6, 8 * 45.5 * 32 / 62}}, // 25+4×20.9; min(59.5, 48, 45.5)
		{"2.18", "h100", 32, allReduce, NVLSTree, Simple, figure{137, 320 * .7 * 4 / 6}},     // 23+2×3×19
		{"2.24", "a100", 32, allReduce, Ring, LL, figure{134.8, 19 * 32. / 62}},              // 6.6+56×2+6×2.7: AMD; min(19, 96)
		{"2.24", "a100", 32, allGather, Ring, LL128, figure{82, 160 * 32. / 31}},             // 14+28×max(1.9, 2)+3×4: AMD; min(176.64, 8×20)
		{"2.24", "a100", 32, allReduce, Tree, Simple, figure{120.4, 8 * 17.8 / 2}},           // 8.4+2×(7×4+2×14); min(176.64, 142.4)

		// Eight nodes of one GPU, a plugin of .5 µs: the flush counts it twice; a ring's steps all cross the network.
		{"2.27", "one", 8, allGather, PAT, Simple, figure{8 + 3*15/3.5 + 8*2.8, 7.5}},
		{"2.23", "one", 8, allGather, PAT, Simple, figure{8 + 3*15/3.5 + 8*2.8, 8.5}},
		{"2.30", "one", 8, reduceScatter, PAT, Simple, figure{8 + 3*15/3.5 + 8*2.8, 7.5}},
		{"2.27", "one", 8, allGather, Ring, LL, figure{6.6 + 7*5.5, 5 * 8. / 7}},   // the tree's 5+.5 for each step
		{"2.22", "one", 8, allGather, Ring, LL128, figure{14 + 7*4.5, 7 * 8. / 7}}, // the ring's 4+.5; 10×.7
		{"2.27", "one", 8, allReduce, Tree, Simple, figure{8.4 + 2*3*15, 9.2 * .85 / 2}},
	} {
		t.Run(fmt.Sprint(c.version, c.machine, c.ranks, c.collective, c.algorithm, c.protocol), func(t *testing.T) {
			u := tuning(t, c.version, c.machine, c.ranks)
			if !u.offers(c.collective, c.algorithm, c.protocol) {
				t.Fatal("not offered")
			}
			got := figure{u.latency(c.collective, c.algorithm, c.protocol), u.bandwidth(c.collective, c.algorithm, c.protocol)}
			if !near(got.latency, c.want.latency) || !near(got.bandwidth, c.want.bandwidth) {
				t.Errorf("%.4f µs, %.4f GB/s, want %.4f, %.4f", got.latency, got.bandwidth, c.want.latency, c.want.bandwidth)
			}
		})
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// The table that NCCL 2.20 printed on two nodes of 8×H100 whose NICs sit behind the CPU (NCCL issue 1519; the share of LL
// and the latencies are those of 2.20), to the decimal that it prints.
func TestTableThatNCCLPrinted(t *testing.T) {
	h100, err := Machine("h100")
	if err != nil {
		t.Fatal(err)
	}
	slow := Graph{4, 5, 5}
	h100.NoLL128 = true
	h100.Graphs = []Graphs{{Since: 18, SeveralNodes: true, SameChannels: true, Ring: slow, Tree: slow}}
	u, err := New("2.20", h100, 16, collectives.Float32)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		collective collectives.Collective
		algorithm  Algorithm
		want       [3]figure // bandwidth 0: not on offer, or (tree) excluded there by NCCL_ALGO
	}{
		{collectives.Broadcast, Ring, [3]figure{{9.3, 5}, {18, 0}, {22.4, 20}}},
		{collectives.Reduce, Ring, [3]figure{{9.3, 5}, {18, 0}, {22.4, 20}}},
		{collectives.AllGather, Ring, [3]figure{{23.3, 5.3}, {44.6, 0}, {70, 21.3}}},
		{collectives.ReduceScatter, Ring, [3]figure{{23.3, 5.3}, {44.6, 0}, {70, 21.3}}},
		{collectives.AllReduce, Tree, [3]figure{{25.2, 0}, {48.5, 0}, {448, 0}}},
		{collectives.AllReduce, Ring, [3]figure{{43.4, 2.7}, {79.4, 0}, {0, 0}}},
	} {
		for _, p := range Protocols {
			latency, bandwidth := u.latency(c.collective, c.algorithm, p), u.bandwidth(c.collective, c.algorithm, p)
			if want := c.want[p].latency; want > 0 && fmt.Sprintf("%.1f", latency) != fmt.Sprintf("%.1f", want) {
				t.Errorf("%s %s %s: %.1f µs, want %.1f", c.collective, c.algorithm, p, latency, want)
			}
			if want := c.want[p].bandwidth; want > 0 && fmt.Sprintf("%.1f", bandwidth) != fmt.Sprintf("%.1f", want) {
				t.Errorf("%s %s %s: %.1f GB/s, want %.1f", c.collective, c.algorithm, p, bandwidth, want)
			}
			if p == LL128 && u.offers(c.collective, c.algorithm, p) {
				t.Errorf("%s %s %s is offered", c.collective, c.algorithm, p)
			}
		}
	}
}

// What NCCL doesn't consider has no estimate.
func TestOffers(t *testing.T) {
	for _, c := range []struct {
		version, machine string
		ranks            int
		collective       collectives.Collective
		dataType         collectives.DataType
		want             string // without the protocols
	}{
		{"2.27", "h100", 8, collectives.AllReduce, collectives.Float32, "tree ring nvls"},
		{"2.27", "h100", 8, collectives.AllReduce, collectives.Int8, "tree ring"},
		{"2.27", "h100", 8, collectives.AllGather, collectives.Int8, "ring nvls"},
		{"2.18", "h100", 8, collectives.AllGather, collectives.Float32, "ring"},
		{"2.27", "h100", 16, collectives.AllReduce, collectives.Float32, "tree ring nvlstree"},
		{"2.27", "h100", 16, collectives.AllGather, collectives.Float32, "ring"},
		{"2.27", "a100", 8, collectives.AllReduce, collectives.Float32, "tree ring"},
		{"2.27", "h100", 8, collectives.Broadcast, collectives.Float32, "ring"},
		{"2.27", "one", 8, collectives.AllGather, collectives.Float32, "ring pat"},
		{"2.22", "one", 8, collectives.AllGather, collectives.Float32, "ring"},
		{"2.30", "one", 8, collectives.AllReduce, collectives.Float32, "tree ring"},
	} {
		u := tuning(t, c.version, c.machine, c.ranks)
		u.dataType = c.dataType
		got, last := "", ""
		for _, e := range u.Estimates(c.collective, 1<<20) {
			if name := e.Algorithm.String(); name != last {
				got, last = got+" "+name, name
			}
		}
		if got != " "+c.want {
			t.Errorf("%s %s %d %s %s:%s, want %s", c.version, c.machine, c.ranks, c.collective, c.dataType, got, c.want)
		}
	}
}
