package lab

import (
	"testing"

	"collbench/bench"
)

func TestCPULimited(t *testing.T) {
	links := []bench.LinkInfo{{Host: "vm0", Transmit: 100, Receive: 100}, {Host: "vm1", Transmit: 50, Receive: 200}}
	counted := []bench.LinkBytes{{Sent: 20, Received: 60}, {Sent: 23, Received: 40}, {Sent: 0, Received: 0}, {Sent: 43, Received: 0}}
	busy := func(share float64) *bench.CPU { return &bench.CPU{Busy: share} }
	for _, c := range []struct {
		name       string
		f          Figures
		ranksPerVM int
		want       string
	}{
		{"the links were the limit", Figures{1.02, 1, 0.98, counted[:2], busy(0.97), 4}, 1, ""},
		{"a little slower than the model", Figures{1.24, 1, 0.98, counted[:2], busy(0.97), 4}, 1, ""},
		{"the CPUs were the limit", Figures{2, 1, 0.98, counted[:2], busy(0.97), 4}, 1,
			"the CPUs, not the links, were the limit: CPUs 97 % busy, busiest link at 30 % of its rate"},
		{"two ranks share a link", Figures{2, 1, 0.98, counted, busy(0.97), 4}, 2,
			"the CPUs, not the links, were the limit: CPUs 97 % busy, busiest link at 50 % of its rate"},
		{"nothing was counted", Figures{2.5, 1, 0.98, nil, busy(1), 4}, 1,
			"the CPUs, not the links, were the limit: CPUs 100 % busy, 2.5 times the time that the links need"},
		{"slow, but the CPUs were idle", Figures{2.5, 1, 0.98, counted[:2], busy(0.2), 4}, 1, ""},
		{"all wait for one process", Figures{2.5, 1, 0.98, counted[:2], busy(0.25), 4}, 1,
			"the CPUs, not the links, were the limit: CPUs 25 % busy, busiest link at 24 % of its rate"},
		{"somewhat slow beside one busy process", Figures{1.8, 1, 0.98, counted[:2], busy(0.25), 4}, 1, ""},
		{"CPUs not known", Figures{2, 1, 0.98, counted[:2], nil, 4}, 1, ""},
		{"mostly latency", Figures{2, 1, 0.3, counted[:2], busy(0.97), 4}, 1, ""},
		{"no prediction", Figures{2, 0, 0, counted[:2], busy(0.97), 4}, 1, ""},
		{"no measurement", Figures{0, 1, 0.98, nil, busy(0.97), 4}, 1, ""},
	} {
		if got := CPULimited(c.f, links, c.ranksPerVM); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
