package nccl

import (
	"slices"
	"strings"
	"testing"

	"collbench/collectives"
)

// Every table and machine is whole, and the versions follow each other without a gap.
func TestTables(t *testing.T) {
	minor := 18
	for _, table := range tables() {
		for _, m := range table.Minors {
			if m != minor {
				t.Errorf("%s: minor version %d, want %d", table.Version, m, minor)
			}
			minor++
		}
		for _, a := range []Algorithm{Tree, Ring, NVLS, NVLSTree} {
			if _, ok := table.Base[a]; !ok || len(table.NVLink) != 4 || len(table.Network) != 4 {
				t.Errorf("%s: latencies of %s: %v", table.Version, a, ok)
			}
		}
		for architecture := range table.Tree {
			whole := table.LLMax[architecture][0] > 0 && table.RingLL128[architecture][0] > 0 && table.TreeLL128[architecture][0] > 0
			if minor > 28 {
				_, tree := table.NVLSTree[architecture]
				whole = whole && tree
			}
			if !whole {
				t.Errorf("%s lacks a bandwidth of %s", table.Version, architecture)
			}
		}
	}
	for _, name := range MachineNames() {
		if m, err := Machine(name); err != nil || m.Name != name {
			t.Errorf("%s: %v %v", name, m.Name, err)
		}
	}
	entries, _ := files.ReadDir("machines")
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".json"); !slices.Contains(MachineNames(), name) {
			t.Errorf("machines/%s is not in MachineNames", e.Name())
		}
	}
}

// Refusals say what would be right.
func TestRefusals(t *testing.T) {
	h100, err := Machine("h100")
	if err != nil {
		t.Fatal(err)
	}
	b200, err := Machine("b200")
	if err != nil {
		t.Fatal(err)
	}
	alone := h100
	alone.Graphs = h100.Graphs[:1]
	for _, c := range []struct {
		version  string
		topology Topology
		ranks    int
		want     string
	}{
		{"2.17", h100, 8, `no constants of NCCL "2.17": want 2.18 … 2.30`},
		{"2.31", h100, 8, `no constants of NCCL "2.31"`},
		{"3.18", h100, 8, `no constants of NCCL "3.18"`},
		{"2", h100, 8, `no constants of NCCL "2"`},
		{"2.x", h100, 8, `no constants of NCCL "2.x"`},
		{"2.27", h100, 1, "1 ranks: NCCL chooses an algorithm for 2 or more"},
		{"2.27", h100, 12, "12 ranks don't fill nodes of 8 GPUs"},
		{"2.24", b200, 8, "NCCL 2.24 has no constants for blackwell"},
		{"2.27", alone, 16, "h100 has no graphs of NCCL 2.27 for 2 nodes"},
	} {
		if _, err := New(c.version, c.topology, c.ranks, collectives.Float32); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %d ranks: %v, want %s", c.version, c.ranks, err, c.want)
		}
	}
	for _, c := range []struct{ data, want string }{
		{strings.Replace(one, "hopper", "kepler", 1), `architecture: "kepler": want volta`},
		{strings.Replace(one, `"intel"`, `"arm"`, 1), `cpu: "arm": want intel`},
		{strings.Replace(one, `"gpus": 1`, `"gpus": 0`, 1), "gpus: 0: want 1 or more"},
		{strings.Replace(one, `"nic_latency": 0.5`, `"nic_latency": -1`, 1), "nic_latency: -1"},
		{strings.Replace(one, `"intra": 10`, `"intra": -1`, 1), "graphs[0].ring.intra: -1"},
		{strings.Replace(one, `"channels": 1`, `"channels": 0`, 1), "graphs[0].ring.channels: 0"},
		{strings.Replace(one, `"about"`, `"abuot"`, 1), `unknown field "abuot"`},
		{`{"architecture": "hopper", "cpu": "amd", "gpus": 8}`, "graphs: none"},
	} {
		if _, err := ParseTopology([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if err := Supports(collectives.AllToAll); err == nil {
		t.Error("alltoall is accepted")
	}
}
