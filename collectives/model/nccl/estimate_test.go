package nccl

import (
	"math"
	"math/rand/v2"
	"testing"

	"collbench/collectives"
)

// Times at a size: latency + bytes ÷ bandwidth, where trees are corrected and the ring between nodes has its plateau.
func TestSecondsWorkedByHand(t *testing.T) {
	for _, c := range []struct {
		version, machine string
		ranks            int
		algorithm        Algorithm
		protocol         Protocol
		bytes            int64
		want             float64 // µs
	}{
		{"2.27", "h100", 8, NVLS, Simple, 1 << 20, 25 + 1048.576/(8*40*5./6)},
		{"2.27", "h100", 8, Ring, LL, 1 << 20, 15 + 1048.576/(141*8./14)},
		{"2.27", "h100", 8, Tree, LL128, 1 << 20, 31.5 + 1048.576/(128.8*.6)},                 // 2^20 ÷ 64 = 2^14: .6
		{"2.27", "h100", 8, Tree, Simple, 1<<20 - 1, 64.4 + 1048.575/(165.6*.5)},              // 2^13: .5
		{"2.27", "h100", 8, Tree, Simple, 1 << 28, 64.4 + 268435.456/(165.6*.9)},              // 2^22, the last: .9
		{"2.27", "h100", 8, Tree, Simple, 1 << 29, 64.4 + 536870.912/165.6},                   // beyond
		{"2.27", "h100", 8, Tree, Simple, 8, 64.4 + .008/(165.6*.9)},                          // below 64 bytes as at 64
		{"2.27", "h100", 16, Ring, Simple, 16383, 131.6 + 16.383/204.8},                       // 64×16 channels×16 ranks = 16384
		{"2.27", "h100", 16, Ring, Simple, 16384, 131.6*1.4 + 16.384/204.8},                   // the plateau
		{"2.27", "v100", 16, Ring, Simple, 1 << 20, 131.6*1.9 + 1048.576/(48*16./30)},         // 4×12; Volta's plateau
		{"2.27", "h100", 8, Ring, Simple, 1 << 20, 56 + 1048.576/(360*8./14)},                 // none on one node
		{"2.28", "b200", 16, NVLSTree, Simple, 1 << 20, 66.8 + 1048.576/(8*62.16*16/30)},      // 2×48×.74×7/8 = 62.16
		{"2.29", "b200", 16, NVLSTree, Simple, 1 << 20, 66.8 + 1048.576/(8*62.16*16/30*.5)},   // corrected as a tree
		{"2.29", "b200", 16, NVLSTree, Simple, 1 << 29, 66.8 + 536870.912/(8*62.16*16/30*.9)}, // and one power further
		{"2.29", "h100", 16, NVLSTree, Simple, 1 << 20, 66.8 + 1048.576/(8*57.7*16/30)},       // not on Hopper
	} {
		u := tuning(t, c.version, c.machine, c.ranks)
		e := u.estimate(collectives.AllReduce, c.algorithm, c.protocol, c.bytes)
		if !near(e.Seconds, c.want*1e-6) || !near(e.Seconds, e.Latency+float64(c.bytes)/e.Bandwidth) {
			t.Errorf("%s %s %d ranks %s %s %d bytes: %.6f µs, want %.6f", c.version, c.machine, c.ranks, c.algorithm, c.protocol, c.bytes, e.Seconds*1e6, c.want)
		}
	}
}

// 8×H100, 2.27: the ring with LL (15 µs, 80.57 GB/s) until NVLS (25 µs, 266.67 GB/s) has made up for its latency:
// 10 µs ÷ (1/80,571.4 − 1/266,666.7 µs per byte) = 1,154,555 bytes. In 2.18, the same with 87.7 for 141 and 23 µs for 25.
func TestChoicesWorkedByHand(t *testing.T) {
	crossing := func(low, high figure) int64 {
		return int64(math.Ceil((high.latency - low.latency) / (1/low.bandwidth - 1/high.bandwidth) * 1000))
	}
	for _, c := range []struct {
		version string
		want    []Chosen
	}{
		{"2.27", []Chosen{{8, Ring, LL}, {crossing(figure{15, 141 * 8. / 14}, figure{25, 800. / 3}), NVLS, Simple}}},
		{"2.18", []Chosen{{8, Ring, LL}, {crossing(figure{15, 87.7 * 8. / 14}, figure{23, 800. / 3}), NVLS, Simple}}},
	} {
		got := tuning(t, c.version, "h100", 8).Choices(collectives.AllReduce, 8, 16<<30)
		if len(got) != len(c.want) || got[0] != c.want[0] || got[1] != c.want[1] {
			t.Errorf("%s: %v, want %v", c.version, got, c.want)
		}
	}
	if got := tuning(t, "2.27", "h100", 8).Choices(collectives.Broadcast, 8, 16<<30, NVLS); got != nil {
		t.Errorf("a broadcast by NVLS alone: %v", got)
	}
}

// Between two changes the choice is what the list says, at its ends and at random sizes.
func TestChoicesAreWhatEstimatesSay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, version := range Versions() {
		for _, machine := range MachineNames() {
			if machine == "b200" && version < "2.25" {
				continue
			}
			for _, ranks := range []int{8, 16, 64} {
				u := tuning(t, version, machine, ranks)
				all := u.Choices(collectives.AllReduce, 8, 16<<30)
				for i, chosen := range all {
					end := int64(16 << 30)
					if i+1 < len(all) {
						end = all[i+1].From - 1
					}
					for _, bytes := range []int64{chosen.From, end, chosen.From + random.Int64N(end-chosen.From+1)} {
						estimates := u.Estimates(collectives.AllReduce, bytes)
						if e := estimates[Choice(estimates)]; e.Algorithm != chosen.Algorithm || e.Protocol != chosen.Protocol {
							t.Errorf("%s %s %d ranks, %d bytes: %s %s, listed %s %s", version, machine, ranks, bytes, e.Algorithm, e.Protocol, chosen.Algorithm, chosen.Protocol)
						}
					}
				}
			}
		}
	}
}
