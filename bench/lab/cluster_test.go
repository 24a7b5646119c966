package lab

import (
	"fmt"
	"slices"
	"testing"

	"collbench/bench"
)

func TestPlacesOfNodes(t *testing.T) {
	links, err := ParseLinks("80Mbit,vm1:rx=40Mbit", 2)
	if err != nil {
		t.Fatal(err)
	}
	paced, err := NewPaced(links, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer paced.Close()
	real := &Cluster{Links: links, RanksPerVM: 2, Kind: KindKernel, network: &Network{}}
	for _, c := range []struct {
		cluster *Cluster
		want    []string
		started bool
	}{
		{paced, []string{"vm0 127.0.0.1", "vm0 127.0.0.1", "vm1 127.0.0.1", "vm1 127.0.0.1", "switch 127.0.0.1"}, false},
		{real, []string{"vm0 10.77.0.2", "vm0 10.77.0.2", "vm1 10.77.0.3", "vm1 10.77.0.3", "switch 10.77.0.1"}, true},
	} {
		pool := c.cluster.Pool([]string{"collbench", "worker"}, 1)
		var got []string
		for i, n := range pool.Nodes {
			got = append(got, n.Host+" "+n.Address)
			if inside := n.Start != nil; inside != (c.started && i < 4) {
				t.Errorf("%s: node %d is started in a VM: %v", c.cluster.Kind, i, inside)
			}
			if i < pool.Ranks && c.cluster.Host(i) != n.Host {
				t.Errorf("%s: rank %d is said to be on %s, and is on %s", c.cluster.Kind, i, c.cluster.Host(i), n.Host)
			}
		}
		if !slices.Equal(got, c.want) || pool.Ranks != 4 || c.cluster.Ranks() != 4 {
			t.Errorf("%s: %d ranks, nodes %v, want %v", c.cluster.Kind, pool.Ranks, got, c.want)
		}
		if counts := pool.Links != nil; counts != (c.cluster == real) {
			t.Errorf("%s: counts bytes: %v", c.cluster.Kind, counts)
		}
		if held := pool.Pace != nil; held != (c.cluster == paced) {
			t.Errorf("%s: senders hold back: %v", c.cluster.Kind, held)
		}
	}
	machine, err := paced.Machine()
	if err != nil {
		t.Fatal(err)
	}
	nic := machine.NIC
	if nic.Bandwidth.Value != 10e6 || len(nic.Links) != 1 || nic.Links[0].Receive.Value != 5e6 || machine.Domain.Ranks.Value != 2 {
		t.Errorf("the machine is not that of the links: %+v", machine)
	}
}

func TestRanksShareTheirVMsBytes(t *testing.T) {
	vms := []bench.LinkBytes{{Sent: 6, Received: 9}, {Sent: 3, Received: 0}}
	if got, want := fmt.Sprint(shares(vms, 3)), "[{2 3} {2 3} {2 3} {1 0} {1 0} {1 0}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
