package reports

import (
	"testing"

	"collbench/bench"
)

func TestDevice(t *testing.T) {
	for _, c := range []struct {
		device bench.Device
		want   string
	}{
		{bench.Device{Name: "NVIDIA H100 80GB HBM3", PCI: "0000:19:00.0", Library: "NCCL 2.30.7"}, "NVIDIA H100 80GB HBM3 at 0000:19:00.0, NCCL 2.30.7"},
		{bench.Device{Name: "G", PCI: "0000:01:00.0", Library: "NCCL 2.18.6", Driver: "550.54.15", MIG: "enabled", Virtualization: "passthrough", NVLink: &bench.NVLink{Active: 16, Down: []int{3, 4}}},
			"G at 0000:01:00.0, NCCL 2.18.6, driver 550.54.15, 16 NVLinks up, 2 down, MIG, passthrough"},
		{bench.Device{Name: "G", PCI: "p", Library: "l", MIG: "disabled", Virtualization: "none", NVLink: &bench.NVLink{Active: 18}}, "G at p, l, 18 NVLinks up"},
	} {
		if got := seats(bench.RunInfo{Ranks: []bench.RankInfo{{Host: "h", Device: &c.device}}})[0].Value; got != "h, "+c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
