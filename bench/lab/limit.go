package lab

import (
	"fmt"
	"math"
	"os"

	"github.com/vishvananda/netlink"
)

// MTU is the largest IP packet on the links in bytes: jumbo frames, as networks of this kind run them. Measured with
// eight VMs at 100 Mbit/s on two CPUs: payload 99 % of the rate and bytes 1.1 % above the payload at a third of the
// CPUs; with 1500 bytes 93.7 % and 6.9 % at 95 % of the CPUs, headers and acknowledgements being the difference.
const MTU = 9000

const (
	etherHeader = 14 // what the kernel counts of a frame besides the packet

	// burstFrames and burstSeconds bound what a link may send at once after a pause. A token bucket needs one frame
	// at least and enough to bridge a late timer; more would be a present to short messages.
	burstFrames  = 2.2
	burstSeconds = 200e-6

	// queueBytes is the length of a link's queue: more than all senders' windows together, so that nothing is
	// dropped and no retransmission counted, as on a lossless fabric.
	queueBytes = 256 << 20

	// tick is the kernel's unit of a token bucket's time in nanoseconds (PSCHED_SHIFT 6 in net/pkt_sched.h).
	tick = 64
)

// limit holds an interface's transmit side to a rate in bytes per second.
func limit(h *netlink.Handle, port netlink.Link, rate float64) error {
	qdisc := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: port.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       uint64(rate),
		Limit:      queueBytes,
		Buffer:     bucket(rate),
	}
	if err := h.QdiscAdd(qdisc); err != nil {
		return fmt.Errorf("limiting the rate of %s (qdisc tbf): %w", port.Attrs().Name, err)
	}
	return nil
}

// bucket is the depth of a link's token bucket in the kernel's ticks at the link's rate.
func bucket(rate float64) uint32 {
	seconds := max(burstFrames*(MTU+etherHeader)/rate, burstSeconds)
	return uint32(min(seconds*1e9/tick, math.MaxUint32))
}

// whole makes every packet that TCP hands to the interface one frame. Otherwise the kernel would pass on up to
// 64 KiB as one packet and count its headers once.
func whole(h *netlink.Handle, port netlink.Link) error {
	if err := h.LinkSetGSOMaxSegs(port, 1); err != nil {
		return fmt.Errorf("one segment a packet on %s (gso_max_segs): %w", port.Attrs().Name, err)
	}
	return nil
}

// tune sets the calling thread's network namespace to what a quiet fabric is like. It is not essential: a read-only
// /proc/sys leaves a few packets more to be counted, and the host's congestion control.
func tune() {
	for _, setting := range [][2]string{
		{"ipv6/conf/all/disable_ipv6", "1"}, // its neighbour discovery would be counted
		{"ipv6/conf/default/disable_ipv6", "1"},
		{"ipv4/tcp_congestion_control", "reno"},  // nothing is dropped; BBR would slow down every ten seconds to measure
		{"ipv4/tcp_slow_start_after_idle", "0"},  // iterations stand apart
		{"ipv4/tcp_early_retrans", "0"},          // a probe for losses is sent when a queue fills quickly, and counted
		{"ipv4/tcp_limit_output_bytes", "65536"}, // of a connection in the port's queue: what a network card's own limit does
	} {
		_ = os.WriteFile("/proc/sys/net/"+setting[0], []byte(setting[1]), 0) // best effort, as said above
	}
}
