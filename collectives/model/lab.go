package model

import (
	"fmt"
	"slices"
)

// Rates are the rates of one VM's link in bytes per second on the wire, as its token buckets are set.
type Rates struct{ Transmit, Receive float64 }

// TCP over IPv4 and Ethernet, as the token buckets of a virtual cluster count it: the frame with its header but
// without preamble, check sequence and gap.
const (
	mtu        = 9000 // as bench/lab sets it
	ethernet   = 14
	ipAndTCP   = 20 + 20 + 12 // the TCP header carries timestamps
	frame      = mtu + ethernet
	payload    = mtu - ipAndTCP
	ackFrame   = ethernet + ipAndTCP
	ackedAtOne = 2 // segments per acknowledgement (RFC 1122, delayed acknowledgements)
)

// The assumed constants of a virtual cluster: none moves a prediction of a bandwidth-bound case by more than a few
// per cent.
const (
	labNetLatency    = 100e-6 // wake-up of the receiving process, two system calls, two veth pairs
	labMemoryLatency = 10e-6  // the same through shared memory where processes share CPUs
	labMemory        = 2.5e9  // bytes/s a process copies while others do
	labReduction     = 2.5e9  // bytes/s a process combines
)

// Lab is the machine of a virtual cluster: one VM per link, so many ranks in each, which share the VM's link and
// its memory; switch processes sit at the bridge, whose own rate is no limit. Everything but the link rates is
// arithmetic or a documented assumption, so the prediction owes nothing to a measurement.
func Lab(links []Rates, ranksPerVM int) (Machine, error) {
	if len(links) == 0 {
		return Machine{}, fmt.Errorf("a virtual cluster without links")
	}
	assumed := func(v float64) Constant { return Constant{v, "assumed; see lab.go"} }
	set := func(v float64) Constant { return Constant{v, "rate of the VM's link as set"} }
	m := Machine{
		Name: "lab", About: "virtual cluster: VMs on one machine joined by rate-limited links",
		Domain: Domain{
			Ranks:   Constant{float64(ranksPerVM), "ranks per VM"},
			Latency: assumed(labMemoryLatency), Bandwidth: assumed(labMemory),
		},
		NIC: NIC{
			PerDomain: true, Latency: assumed(labNetLatency),
			Headers: Constant{float64(frame-payload) / payload, "66 bytes of Ethernet, IP and TCP headers for 8948 bytes of payload"},
			Acks:    Constant{float64(ackFrame) / (ackedAtOne * payload), "a frame of 66 bytes for two segments of 8948 (RFC 1122)"},
		},
		Reduction:       assumed(labReduction),
		CentralSwitches: true, FreeRunning: true,
	}
	fastest := 0.0
	for i, l := range links {
		if l.Transmit <= 0 || l.Receive <= 0 {
			return Machine{}, fmt.Errorf("virtual cluster: link of VM %d: rates of %g and %g bytes/s: want more than 0", i, l.Transmit, l.Receive)
		}
		fastest = max(fastest, l.Transmit, l.Receive)
	}
	m.NIC.Bandwidth = set(fastest)
	for i, l := range links {
		if l.Transmit != fastest || l.Receive != fastest {
			m.NIC.Links = append(m.NIC.Links, Link{i, set(l.Transmit), set(l.Receive)})
		}
	}
	m.NIC.Links = slices.Clip(m.NIC.Links)
	if err := m.Validate(); err != nil {
		return Machine{}, fmt.Errorf("virtual cluster: %w", err)
	}
	return m, nil
}
