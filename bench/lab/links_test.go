package lab

import (
	"strings"
	"testing"

	"collbench/bench"
)

func TestParseLinks(t *testing.T) {
	const m = 1e6 / 8
	for _, c := range []struct {
		text string
		vms  int
		want []bench.LinkInfo
	}{
		{"100Mbit", 1, []bench.LinkInfo{{Host: "vm0", Transmit: 100 * m, Receive: 100 * m}}},
		{"100Mbit,vm1=50Mbit", 2, []bench.LinkInfo{{Host: "vm0", Transmit: 100 * m, Receive: 100 * m}, {Host: "vm1", Transmit: 50 * m, Receive: 50 * m}}},
		{"1Gbit,vm0:tx=50Mbit,vm1:rx=8Mbit", 2, []bench.LinkInfo{{Host: "vm0", Transmit: 50 * m, Receive: 1000 * m}, {Host: "vm1", Transmit: 1000 * m, Receive: 8 * m}}},
		{"1Gbit,vm0:tx=50Mbit,vm0=8Mbit", 1, []bench.LinkInfo{{Host: "vm0", Transmit: 8 * m, Receive: 8 * m}}},
	} {
		got, err := ParseLinks(c.text, c.vms)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if len(got) != len(c.want) {
			t.Errorf("%q: %d links, want %d", c.text, len(got), len(c.want))
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: link %d is %+v, want %+v", c.text, i, got[i], c.want[i])
			}
		}
	}
}

func TestParseLinksErrors(t *testing.T) {
	for _, c := range []struct {
		text, want string
		vms        int
	}{
		{"", "first part", 2},
		{"fast", "first part", 2},
		{"vm0=1Mbit", "first part", 2},
		{"-1Mbit", "first part", 2},
		{"1kbit", "want 8 kbit/s or more", 2},
		{"1Mbit,2Mbit", `"2Mbit": want vmN=RATE`, 2},
		{"1Mbit,vm2=2Mbit", "there is no vm2: the VMs are vm0 … vm1", 2},
		{"1Mbit,vm-1=2Mbit", "want vmN=RATE", 2},
		{"1Mbit,vm01=2Mbit", "want vmN=RATE", 2},
		{"1Mbit,host1=2Mbit", "want vmN=RATE", 2},
		{"1Mbit,vm1:up=2Mbit", `direction "up": want tx`, 2},
		{"1Mbit,vm1=", `"vm1="`, 2},
		{"1Mbit,", `"": want vmN=RATE`, 2},
		{"1Mbit", "0 VMs: want 1 … 1000", 0},
		{"1Mbit", "1001 VMs", 1001},
	} {
		_, err := ParseLinks(c.text, c.vms)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %d VMs: error %v, want one with %q", c.text, c.vms, err, c.want)
		}
	}
}
