package doctor

import (
	"path"
	"strconv"
)

// netCounters count what a network interface lost to errors.
var netCounters = []string{"rx_errors", "tx_errors", "rx_crc_errors", "rx_missed_errors"}

// counters are the error counters of RDMA ports, and of network interfaces with a device behind them, by path; in a
// container, whose interfaces have none, those of all but loopback.
func (v *View) counters() map[string]uint64 {
	found := map[string]uint64{}
	note := func(file string) {
		text, err := v.read(file)
		if n, bad := strconv.ParseUint(text, 10, 64); err == nil && bad == nil {
			found[file] = n
		}
	}
	nics, _ := v.nics() // a tree that cannot be read is said by the checks of RDMA
	for _, n := range nics {
		for _, p := range n.Ports {
			for _, name := range errorCounters {
				note(path.Join(p.Path, name))
			}
		}
	}
	names, _ := v.list(netFolder)
	var behind, others []string
	for _, name := range names {
		if _, err := v.link(path.Join(netFolder, name, "device")); err == nil {
			behind = append(behind, name)
		} else if name != "lo" {
			others = append(others, name)
		}
	}
	if len(behind) == 0 {
		behind = others
	}
	for _, name := range behind {
		for _, counter := range netCounters {
			note(path.Join(netFolder, name, "statistics", counter))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

const netFolder = "sys/class/net"
