package lab

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"

	"collbench/bench"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ParseRoutes reads the rates of routes between VMs: "vm2-vm5=30Mbit" for both directions, "vm2>vm5=30Mbit" for what vm2
// sends to vm5 alone; several with commas. A later one replaces an earlier one. Errors name the part that is wrong.
func ParseRoutes(text string, vms int) (routes []bench.RouteInfo, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		between, value, _ := strings.Cut(part, "=")
		from, to, both := strings.Cut(between, "-")
		if !both {
			from, to, _ = strings.Cut(between, ">")
		}
		rate, err := parseRate(value)
		switch {
		case !isVM(from, vms) || !isVM(to, vms) || from == to:
			err = fmt.Errorf("want vmA-vmB=RATE or vmA>vmB=RATE with two of vm0 … %s", HostName(vms-1))
		case err == nil:
			routes = setRoute(routes, bench.RouteInfo{From: from, To: to, Rate: rate})
		}
		if err != nil {
			return nil, fmt.Errorf("routes %q: %q: %w", text, part, err)
		}
		if both {
			routes = setRoute(routes, bench.RouteInfo{From: to, To: from, Rate: rate})
		}
	}
	return routes, nil
}

func isVM(name string, vms int) bool {
	for i := range vms {
		if HostName(i) == name {
			return true
		}
	}
	return false
}

func setRoute(routes []bench.RouteInfo, r bench.RouteInfo) []bench.RouteInfo {
	routes = slices.DeleteFunc(routes, func(old bench.RouteInfo) bool { return old.From == r.From && old.To == r.To })
	return append(routes, r)
}

// route holds what VM i sends to single others to the rates of the routes, within the rate of its link: the link's bucket
// becomes the root of a hierarchy of them, with a branch a route.
func (n *Network) route(i int, link bench.LinkInfo, links []bench.LinkInfo, routes []bench.RouteInfo) error {
	own := slices.DeleteFunc(slices.Clone(routes), func(r bench.RouteInfo) bool { return r.From != link.Host })
	if len(own) == 0 {
		return nil
	}
	return n.Inside(i, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("netlink socket: %w", err)
		}
		defer h.Close()
		port, err := h.LinkByName(portInside)
		if err != nil {
			return fmt.Errorf("finding %s: %w", portInside, err)
		}
		tree, err := newTree(h, port, link.Transmit)
		if err != nil {
			return err
		}
		for k, r := range own {
			to := slices.IndexFunc(links, func(l bench.LinkInfo) bool { return l.Host == r.To })
			if to < 0 {
				return fmt.Errorf("route to %s: there is no such VM", r.To)
			}
			if err := tree.branch(uint16(firstBranch+k), net.ParseIP(Address(to)), min(r.Rate, link.Transmit)); err != nil {
				return fmt.Errorf("route to %s: %w", r.To, err)
			}
		}
		return nil
	})
}

// tree is a hierarchy of token buckets (HTB): its trunk has the link's rate, each branch at most that of its route.
type tree struct {
	h     *netlink.Handle
	index int // of the interface
}

// The classes of a tree.
const (
	major       = 1
	trunk       = 1
	rest        = 2 // what goes to others
	firstBranch = 3
)

// newTree puts a tree in the place of an interface's token bucket.
func newTree(h *netlink.Handle, port netlink.Link, rate float64) (*tree, error) {
	t := &tree{h, port.Attrs().Index}
	qdisc := netlink.NewHtb(netlink.QdiscAttrs{LinkIndex: t.index, Handle: netlink.MakeHandle(major, 0), Parent: netlink.HANDLE_ROOT})
	qdisc.Defcls = rest
	if err := h.QdiscDel(&netlink.Tbf{QdiscAttrs: qdisc.QdiscAttrs}); err != nil {
		return nil, fmt.Errorf("rates of routes: taking the link's own limit (qdisc tbf) away: %w", err)
	}
	if err := h.QdiscAdd(qdisc); err != nil {
		return nil, fmt.Errorf("rates of routes (qdisc htb): %w", err)
	}
	if err := t.class(trunk, 0, rate); err != nil {
		return nil, err
	}
	return t, t.class(rest, trunk, rate)
}

// class adds a class under another one, with a queue that drops nothing.
func (t *tree) class(minor, parent uint16, rate float64) error {
	buffer := uint32(max(burstFrames*(MTU+etherHeader), burstSeconds*rate))
	class := netlink.NewHtbClass(
		netlink.ClassAttrs{LinkIndex: t.index, Handle: netlink.MakeHandle(major, minor), Parent: netlink.MakeHandle(major, parent)},
		netlink.HtbClassAttrs{Rate: uint64(rate * 8), Ceil: uint64(rate * 8), Buffer: buffer, Cbuffer: buffer, Quantum: MTU + etherHeader})
	if err := t.h.ClassAdd(class); err != nil {
		return fmt.Errorf("rates of routes (class htb): %w", err)
	}
	return nil
}

// branch is a class for what goes to an address.
func (t *tree) branch(minor uint16, to net.IP, rate float64) error {
	if err := t.class(minor, trunk, rate); err != nil {
		return err
	}
	const destination = 16 // byte of the address in the IP header
	filter := &netlink.U32{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: t.index, Parent: netlink.MakeHandle(major, 0), Priority: 1, Protocol: unix.ETH_P_IP},
		ClassId:     netlink.MakeHandle(major, minor),
		Sel: &netlink.TcU32Sel{Flags: netlink.TC_U32_TERMINAL, Nkeys: 1,
			Keys: []netlink.TcU32Key{{Mask: 0xffffffff, Val: binary.BigEndian.Uint32(to.To4()), Off: destination}}},
	}
	if err := t.h.FilterAdd(filter); err != nil {
		return fmt.Errorf("rates of routes (filter u32): %w", err)
	}
	return nil
}
