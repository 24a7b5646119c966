package doctor

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

var ibPort = Check{
	ID:   "ib-port",
	What: "Whether the ports of RDMA devices are up, at one rate, with RoCE v2 addresses where they are Ethernet, and without errors.",
	Why:  "A port that is down or slow takes its share of every collective with it; errors are sent again and again, and NCCL waits.",
	How: "state, phys_state, rate, link_layer, gid_attrs/types, counters and hw_counters in /sys/class/infiniband/*/ports/*; NCCL_IB_HCA, of which only selected devices are looked at. " +
		"Counters count since the driver was loaded: what matters is whether they grow during a run.",
	Outcomes: []*Outcome{portsUp, portsDown, portsNone, portNamedDown, portSomeDown, portRates, portNoRoCE2, portErrors, portUnread, noRDMA, unreadRDMA},
	Sources: []string{
		"https://github.com/torvalds/linux/blob/master/Documentation/ABI/stable/sysfs-class-infiniband",
		"https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html#nccl-ib-hca",
	},
	Look: lookIBPort,
}

var (
	portsUp   = &Outcome{Status: Pass, When: "every port is up, at one rate, without errors"}
	portsDown = &Outcome{Status: Fail, When: "no port is up",
		Advice: "Look at cable and switch port; phys_state Polling: no partner, LinkUp but not ACTIVE: no subnet manager."}
	portsNone     = &Outcome{Status: Fail, When: "NCCL_IB_HCA selects no device that is there", Advice: "Correct NCCL_IB_HCA: ibv_devices lists the names."}
	portNamedDown = &Outcome{Status: Fail, When: "NCCL_IB_HCA names a device of which no port is up", Advice: "Bring the port up, or take the device out of NCCL_IB_HCA."}
	portSomeDown  = &Outcome{Status: Warn, When: "some ports are up and some are not",
		Advice: "Bring them up, or name the devices to use in NCCL_IB_HCA, alike on all hosts."}
	portRates = &Outcome{Status: Warn, When: "ports that are up have different rates",
		Advice: "Name the devices of one rate in NCCL_IB_HCA: NCCL spreads its channels evenly."}
	portNoRoCE2 = &Outcome{Status: Warn, When: "an Ethernet port has no RoCE v2 address",
		Advice: "Give its network interface an IP address, and NCCL the index of a RoCE v2 address where it does not find it (NCCL_IB_GID_INDEX)."}
	portErrors = &Outcome{Status: Info, When: "error counters are not zero",
		Advice: "Read them again after a run: growing ones point to a bad cable, a lossy fabric or congestion."}
	portUnread = &Outcome{Status: Unknown, When: "the state of a port, or the kinds of its addresses, cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
)

// errorCounters count what was lost or had to be sent again.
var errorCounters = []string{
	"counters/symbol_error", "counters/link_downed", "counters/port_rcv_errors", "counters/local_link_integrity_errors",
	"hw_counters/out_of_sequence", "hw_counters/packet_seq_err", "hw_counters/local_ack_timeout_err", "hw_counters/rnr_nak_retry_err",
}

func lookIBPort(v *View) []Finding {
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	nics, _ := v.nics()
	var rates, down []string
	var where, errors []Evidence
	var found []Finding
	for _, n := range nics {
		selected, named := selectsHCA(v.variable("NCCL_IB_HCA"), n.Name)
		if !selected {
			continue
		}
		up := 0
		for _, p := range n.Ports {
			if p.State == "" {
				return []Finding{portUnread.found([]Evidence{saw(path.Join(p.Path, "state"), "cannot be read")}, "the state of %s cannot be read", n.Name)}
			}
			where = append(where, saw(path.Join(p.Path, "state"), p.State+", "+p.Physical+", "+p.Rate))
			if !p.active() {
				down = append(down, n.Name+"/"+p.Number)
				continue
			}
			up++
			rates = append(rates, p.Rate)
			if f := v.roce(n, p); f != nil {
				found = append(found, *f)
			}
			errors = append(errors, v.errorsOf(p)...)
		}
		if named && up == 0 {
			found = append(found, portNamedDown.found(where, "NCCL_IB_HCA names %s, of which no port is up", n.Name))
		}
	}
	switch {
	case len(where) == 0:
		found = append(found, portsNone.found([]Evidence{setting("NCCL_IB_HCA", v.variable("NCCL_IB_HCA"))}, "NCCL_IB_HCA selects none of %s", count(len(nics), "RDMA device")))
	case len(rates) == 0:
		found = append(found, portsDown.found(where, "no port is up: %s", each(down)))
	case len(down) > 0:
		found = append(found, portSomeDown.found(where, "not up: %s", each(down)))
	case each(rates) != rates[0]:
		found = append(found, portRates.found(where, "ports of different rates: %s", each(rates)))
	}
	if len(errors) > 0 {
		found = append(found, portErrors.found(errors, "%s not zero", count(len(errors), "error counter")))
	}
	if len(found) == 0 {
		return []Finding{portsUp.found(where, "%s up: %s", count(len(rates), "port"), each(rates))}
	}
	return worst(found)
}

// selectsHCA says whether NCCL_IB_HCA lets a device be used, and whether it names it: "mlx5_0:1,mlx5_1" (beginnings of
// names), "=mlx5_0" (whole names), "^mlx5_2" (all but those).
// Source: https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html#nccl-ib-hca
func selectsHCA(list, device string) (selected, named bool) {
	list, except := strings.CutPrefix(list, "^")
	list, exact := strings.CutPrefix(list, "=")
	if list == "" {
		return true, false
	}
	listed := slices.ContainsFunc(strings.Split(list, ","), func(item string) bool {
		name, _, _ := strings.Cut(item, ":")
		return name == device || !exact && name != "" && strings.HasPrefix(device, name)
	})
	return listed != except, listed && !except
}

// roce looks at the addresses of an Ethernet port. A slot without an address cannot be read, which is no trouble.
func (v *View) roce(n rdmaDevice, p rdmaPort) *Finding {
	if p.Layer != "Ethernet" {
		return nil
	}
	folder := path.Join(p.Path, "gid_attrs/types")
	indices, err := v.list(folder)
	if err != nil {
		f := portUnread.found(unread(folder, err), "the kinds of addresses of %s cannot be read", n.Name)
		return &f
	}
	for _, i := range indices {
		if kind, err := v.read(path.Join(folder, i)); err == nil && kind == "RoCE v2" {
			return nil
		}
	}
	f := portNoRoCE2.found([]Evidence{saw(folder, "no RoCE v2")}, "%s has no RoCE v2 address", n.Name)
	return &f
}

// errorsOf are the error counters of a port that are not zero. Not every device has all of them.
func (v *View) errorsOf(p rdmaPort) (found []Evidence) {
	for _, name := range errorCounters {
		file := path.Join(p.Path, name)
		var n uint64
		text, err := v.read(file)
		if _, bad := fmt.Sscan(text, &n); err == nil && bad == nil && n > 0 {
			found = append(found, saw(file, text))
		}
	}
	return found
}
