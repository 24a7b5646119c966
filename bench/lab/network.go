package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"

	"collbench/bench"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Network is a bridge with one network namespace per VM plugged into it by a rate-limited veth pair. All of it
// hangs on the open files of this process and on its own network namespace: when they go, it goes.
//
// The process's own network namespace is the switch's: the bridge has an address there, without a rate of its own.
type Network struct {
	links *netlink.Handle
	vms   []vm
}

type vm struct {
	space *os.File // its network namespace
	port  int      // index of the bridge's end of its link
}

const (
	bridgeName = "switch"
	portInside = "eth0"
)

// SwitchAddress is the address of the switch processes, Address that of VM i.
const SwitchAddress = "10.77.0.1"

// Address is the IP address of VM i, counted from 0.
func Address(i int) string { return net.IPv4(10, 77, byte((i+2)>>8), byte(i+2)).String() }

// Build makes the network in the network namespace of the calling process, which has to be one that Enter made. A
// link per VM, in their order; routes between VMs may have rates of their own. Errors say which step the kernel refused.
func Build(links []bench.LinkInfo, routes ...bench.RouteInfo) (_ *Network, err error) {
	if len(links) < 1 || len(links) > MaxVMs {
		return nil, fmt.Errorf("%d VMs: want 1 … %d", len(links), MaxVMs)
	}
	n := &Network{}
	defer func() {
		if err != nil {
			n.Close()
		}
	}()
	tune()
	if n.links, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	if err = up(n.links, "lo"); err != nil {
		return nil, err
	}
	bridge, err := n.addBridge()
	if err != nil {
		return nil, err
	}
	for i, link := range links {
		if err = n.plug(i, link, bridge); err != nil {
			return nil, fmt.Errorf("%s: %w", link.Host, err)
		}
	}
	for i, link := range links {
		if err = n.route(i, link, links, routes); err != nil {
			return nil, fmt.Errorf("%s: %w", link.Host, err)
		}
	}
	return n, nil
}

// Close takes the network down. The kernel would do it by itself when the process ends.
func (n *Network) Close() error {
	var errs []error
	for _, v := range n.vms {
		errs = append(errs, v.space.Close())
	}
	n.vms = nil
	if n.links != nil {
		n.links.Close()
		n.links = nil
	}
	return errors.Join(errs...)
}

func (n *Network) addBridge() (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = bridgeName, MTU
	snooping := false // its queries would be counted as the VMs' bytes
	if err := n.links.LinkAdd(&netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snooping}); err != nil {
		return nil, fmt.Errorf("making a bridge: %w", err)
	}
	if err := address(n.links, bridgeName, SwitchAddress); err != nil {
		return nil, err
	}
	return n.links.LinkByName(bridgeName)
}

// plug makes VM i: its namespace and its link to the bridge.
func (n *Network) plug(i int, link bench.LinkInfo, bridge netlink.Link) error {
	space, err := newSpace()
	if err != nil {
		return err
	}
	n.vms = append(n.vms, vm{space: space})
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.MasterIndex = link.Host, MTU, bridge.Attrs().Index
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerNamespace, veth.PeerMTU = portInside, netlink.NsFd(int(space.Fd())), MTU
	if err := n.links.LinkAdd(veth); err != nil {
		return fmt.Errorf("making a veth pair: %w", err)
	}
	port, err := n.links.LinkByName(link.Host)
	if err != nil {
		return fmt.Errorf("finding its port on the bridge: %w", err)
	}
	n.vms[i].port = port.Attrs().Index
	if err := whole(n.links, port); err != nil {
		return err
	}
	if err := limit(n.links, port, link.Receive); err != nil {
		return err
	}
	if err := up(n.links, link.Host); err != nil {
		return err
	}
	return n.Inside(i, func() error { return configure(Address(i), link.Transmit) })
}

// configure sets up a VM from the inside.
func configure(ip string, transmit float64) error {
	tune()
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink socket: %w", err)
	}
	defer h.Close()
	if err := up(h, "lo"); err != nil {
		return err
	}
	port, err := h.LinkByName(portInside)
	if err != nil {
		return fmt.Errorf("finding %s: %w", portInside, err)
	}
	if err := whole(h, port); err != nil {
		return err
	}
	if err := limit(h, port, transmit); err != nil {
		return err
	}
	return address(h, portInside, ip)
}

func up(h *netlink.Handle, name string) error {
	link, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetUp(link)
	}
	if err != nil {
		return fmt.Errorf("setting %s up: %w", name, err)
	}
	return nil
}

// address gives an interface its address, in the one network all share, and sets it up.
func address(h *netlink.Handle, name, ip string) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("finding %s: %w", name, err)
	}
	a := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(ip), Mask: net.CIDRMask(16, 32)}}
	if err := h.AddrAdd(link, a); err != nil {
		return fmt.Errorf("address %s for %s: %w", ip, name, err)
	}
	return up(h, name)
}

// thisSpace is the network namespace of the calling thread. It is not looked up by process number: /proc may be
// that of an outer process namespace.
const thisSpace = "/proc/thread-self/ns/net"

// newSpace makes a network namespace, which lives as long as the file is open or a process sits in it.
func newSpace() (space *os.File, err error) {
	err = away(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() (err error) {
		space, err = os.Open(thisSpace)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", err)
	}
	return space, nil
}

// Inside runs f on a thread that sits in VM i's network namespace. Sockets that f opens and processes that it
// starts sit there for good.
func (n *Network) Inside(i int, f func() error) error {
	enter := func() error { return unix.Setns(int(n.vms[i].space.Fd()), unix.CLONE_NEWNET) }
	return away(enter, f)
}

// Start starts a command in VM i.
func (n *Network) Start(i int, c *exec.Cmd) error { return n.Inside(i, c.Start) }

// away takes the calling goroutine's thread to another network namespace, runs f there and brings it back. The
// thread has to live on: the death of the thread that started a process is the death of the process's parent
// (PR_SET_PDEATHSIG). Only a thread that cannot be brought back is given up.
func away(leave, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(thisSpace)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := leave(); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("returning to the own network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}
