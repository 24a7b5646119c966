package nccl

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"

	"collbench/bench"
	"collbench/bench/counters"
	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
	"collbench/cgo/nvml"
	"collbench/collectives"
)

// gauges are the counters and sensors of this rank's device and of its host's network ports. What is not there, or fails,
// is unknown: nothing depends on it.
type gauges struct {
	device      *nvml.Device // nil without NVML
	root        fs.FS        // the host's files
	ports       bool         // all hosts have InfiniBand ports that count
	local       int          // ranks of this host
	description bench.Device
}

// open finds the gauges, and describes the device.
func (g *gauges) open(p cuda.Properties, version nccl.Version, group bench.Group) {
	g.root = os.DirFS("/")
	for v := range group.Ranks() {
		if group.Host(collectives.Node(v)) == group.Host(group.Node()) {
			g.local++
		}
	}
	_, ports, err := counters.InfiniBand(g.root)
	g.ports = err == nil && ports > 0
	g.description = bench.Device{Name: p.Name, UUID: p.UUID, PCI: p.PCI, Library: fmt.Sprintf("NCCL %s", version), StandIn: cuda.StandIn() || nccl.StandIn()}
	library, err := nvml.Open()
	if err != nil {
		return
	}
	if device, err := library.Device(p.PCI); err == nil {
		g.device = &device
		describe(&g.description, library, device)
	}
}

// describe adds what NVML knows of the device.
func describe(d *bench.Device, library *nvml.Library, device nvml.Device) {
	if driver, err := library.Driver(); err == nil {
		d.Driver, d.CUDA = driver.Version, driver.CUDA
	}
	if id, err := device.Identity(); err == nil {
		d.MIG, d.Virtualization = id.MIG, id.Virtualization
	}
	if links, err := device.Links(); err == nil && len(links) > 0 {
		d.NVLink = linkState(links)
	}
	if f, err := device.Fabric(); err == nil && f != nil {
		d.Fabric = &bench.Fabric{State: f.State, Status: f.Status, Cluster: f.Cluster, Clique: f.Clique}
	}
	d.Peers = peers(d.PCI, library, device)
}

func linkState(links []nvml.Link) *bench.NVLink {
	s := &bench.NVLink{}
	for _, l := range links {
		if !l.Active {
			s.Down = append(s.Down, l.Number)
			continue
		}
		s.Active++
		s.Version = max(s.Version, l.Version)
		if l.Remote != "" && !slices.Contains(s.Remotes, l.Remote) {
			s.Remotes = append(s.Remotes, l.Remote)
		}
	}
	return s
}

// peers are the other devices of the host, those together that are reached in the same way.
func peers(own string, library *nvml.Library, device nvml.Device) (list []bench.Peers) {
	others, err := library.Devices()
	if err != nil {
		return nil
	}
	for _, other := range others {
		id, err := other.Identity()
		if err != nil || id.PCI == own {
			continue
		}
		way, err := device.Peer(other)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(list, func(p bench.Peers) bool {
			return p.Ancestor == way.Ancestor && fmt.Sprint(p.P2P) == fmt.Sprint(way.P2P)
		})
		if i < 0 {
			i, list = len(list), append(list, bench.Peers{Ancestor: way.Ancestor, P2P: way.P2P})
		}
		list[i].PCI = append(list[i].PCI, id.PCI)
	}
	return list
}

// Device implements bench.Described.
func (c *communicator) Device() *bench.Device { return &c.gauges.description }

// reading is what the gauges show at a moment.
type reading struct {
	bytes  *bench.LinkBytes // since an unknown time; nil: nothing counts
	clocks *bench.Clocks
}

// link is what the case's data go over: NVLink among the ranks of one NVLink domain, the network between hosts otherwise.
func link(c bench.Case) string {
	if c.Where.Hosts < 2 || c.Where.Domain >= c.Where.Ranks {
		return bench.OnNVLink
	}
	return bench.OnInfiniBand
}

// read reads the clocks, and the counters of the link.
func (g *gauges) read(link string) (r reading) {
	switch {
	case link == bench.OnInfiniBand && g.ports:
		if sum, n, err := counters.InfiniBand(g.root); err == nil && n > 0 {
			share := float64(g.local)
			r.bytes = &bench.LinkBytes{Sent: sum.Sent / share, Received: sum.Received / share}
		}
	case link == bench.OnNVLink && g.device != nil:
		if b, known, err := g.device.LinkBytes(); err == nil && known {
			r.bytes = &bench.LinkBytes{Sent: float64(b.Sent), Received: float64(b.Received)}
		}
	}
	if g.device == nil {
		return r
	}
	if c, err := g.device.Clocks(); err == nil {
		r.clocks = &bench.Clocks{SM: c.SM, MaxSM: c.MaxSM, Throttled: c.Throttled}
	}
	return r
}

// observe is what the gauges have shown since before. All ranks of a host see its ports' bytes: they read them when the
// last of them is done.
func (c *communicator) observe(ctx context.Context, link string, before reading) (o bench.Observation, err error) {
	if link == bench.OnInfiniBand && c.gauges.ports {
		if _, err := c.group.Exchange(ctx, nil); err != nil {
			return o, fmt.Errorf("waiting for the others before the ports' counters are read: %w", err)
		}
	}
	after := c.gauges.read(link)
	if before.bytes != nil && after.bytes != nil {
		d := bench.LinkBytes{Sent: after.bytes.Sent - before.bytes.Sent, Received: after.bytes.Received - before.bytes.Received}
		if math.Min(d.Sent, d.Received) >= 0 { // else they were reset meanwhile
			o.Counted, o.CountedOn = &d, link
		}
	}
	if o.Clocks = after.clocks; o.Clocks != nil && before.clocks != nil {
		for _, reason := range before.clocks.Throttled {
			if !slices.Contains(o.Clocks.Throttled, reason) {
				o.Clocks.Throttled = append(o.Clocks.Throttled, reason)
			}
		}
	}
	return o, nil
}

// Observation implements bench.Observer.
func (o *operation) Observation() bench.Observation { return o.observation }
