package lab

import (
	"fmt"
	"strings"
	"testing"

	"collbench/bench"
)

func TestParseRoutes(t *testing.T) {
	const m = 1e6 / 8
	for text, want := range map[string][]bench.RouteInfo{
		"":                              nil,
		"vm0>vm2=8Mbit":                 {{From: "vm0", To: "vm2", Rate: 8 * m}},
		"vm1-vm0=8Mbit":                 {{From: "vm1", To: "vm0", Rate: 8 * m}, {From: "vm0", To: "vm1", Rate: 8 * m}},
		"vm1-vm0=8Mbit,vm0>vm1=16Mbit":  {{From: "vm1", To: "vm0", Rate: 8 * m}, {From: "vm0", To: "vm1", Rate: 16 * m}},
		"vm2>vm0=1Gbit,vm2>vm1=100Mbit": {{From: "vm2", To: "vm0", Rate: 1000 * m}, {From: "vm2", To: "vm1", Rate: 100 * m}},
	} {
		if got, err := ParseRoutes(text, 3); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"vm0", "vm0-vm3=8Mbit", "vm0>vm0=8Mbit", "vm0>vm1=fast", "vm0>vm1", "vm01-vm1=8Mbit", "vm0-vm1=8Mbit,"} {
		if got, err := ParseRoutes(text, 3); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
}

// measureRoutes prints the payload's rate over routes of different rates, in Mbit/s.
func measureRoutes() error {
	links, err := ParseLinks("80Mbit,vm2:tx=40Mbit", 3)
	if err != nil {
		return err
	}
	routes, err := ParseRoutes("vm0-vm1=20Mbit,vm2>vm0=10Mbit,vm2>vm1=100Mbit", 3)
	if err != nil {
		return err
	}
	n, err := Build(links, routes...)
	if err != nil {
		return err
	}
	defer n.Close()
	for _, pair := range [][2]int{{0, 1}, {1, 0}, {0, 2}, {2, 0}, {2, 1}} {
		const bytes = 512 << 10
		seconds, err := transfer(n, pair[0], pair[1], bytes)
		if err != nil {
			return err
		}
		fmt.Println(bytes / seconds * 8 / 1e6)
	}
	return nil
}

func TestRoutesHaveRatesOfTheirOwn(t *testing.T) {
	// A route is no faster than the link.
	sometime(t, func() string { return asFastAs(t, play(t, "route", nil), 20, 20, 80, 10, 40) })
}
