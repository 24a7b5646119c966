package lab

import (
	"fmt"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/unit"
)

// The largest numbers of VMs, one address each, and of ranks that one machine can still be asked to start.
const (
	MaxVMs   = 1000
	MaxRanks = 10000
)

// minRate is the slowest link in bytes per second: 8 kbit/s. A frame takes nine seconds there.
const minRate = 1000

// ParseLinks reads the rates of the VMs' links: "100Mbit" for all of them and both directions, then exceptions in
// order: "100Mbit,vm3=50Mbit,vm5:tx=20Mbit,vm5:rx=1Gbit". tx is what the VM sends, rx what it receives. The result
// has a link per VM, named vm0, vm1, …. Errors name the part that is wrong.
func ParseLinks(text string, vms int) ([]bench.LinkInfo, error) {
	if vms < 1 || vms > MaxVMs {
		return nil, fmt.Errorf("%d VMs: want 1 … %d", vms, MaxVMs)
	}
	parts := strings.Split(text, ",")
	all, err := parseRate(parts[0])
	if err != nil {
		return nil, fmt.Errorf("links %q: the first part is the rate of all links: %w", text, err)
	}
	links := make([]bench.LinkInfo, vms)
	for i := range links {
		links[i] = bench.LinkInfo{Host: HostName(i), Transmit: all, Receive: all}
	}
	for _, part := range parts[1:] {
		if err := except(links, part); err != nil {
			return nil, fmt.Errorf("links %q: %q: %w", text, part, err)
		}
	}
	return links, nil
}

// HostName is the name of VM i, counted from 0.
func HostName(i int) string { return "vm" + strconv.Itoa(i) }

// except applies one exception.
func except(links []bench.LinkInfo, part string) error {
	target, value, found := strings.Cut(part, "=")
	if !found {
		return fmt.Errorf("want vmN=RATE, vmN:tx=RATE or vmN:rx=RATE")
	}
	rate, err := parseRate(value)
	if err != nil {
		return err
	}
	name, direction, directed := strings.Cut(target, ":")
	digits, isVM := strings.CutPrefix(name, "vm")
	i, err := strconv.Atoi(digits)
	if !isVM || err != nil || HostName(max(i, 0)) != name {
		return fmt.Errorf("want vmN=RATE, vmN:tx=RATE or vmN:rx=RATE")
	}
	if i >= len(links) {
		return fmt.Errorf("there is no %s: the VMs are vm0 … %s", name, HostName(len(links)-1))
	}
	switch {
	case !directed:
		links[i].Transmit, links[i].Receive = rate, rate
	case direction == "tx":
		links[i].Transmit = rate
	case direction == "rx":
		links[i].Receive = rate
	default:
		return fmt.Errorf("direction %q: want tx (what the VM sends) or rx (what it receives)", direction)
	}
	return nil
}

func parseRate(text string) (float64, error) {
	rate, err := unit.ParseRate(text)
	if err == nil && rate < minRate {
		err = fmt.Errorf("%s: want %s or more", unit.BitRate(rate), unit.BitRate(minRate))
	}
	return rate, err
}
