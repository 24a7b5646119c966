package lab

import (
	"fmt"

	"collbench/bench"
)

// Counters reads what each VM's link has carried so far, in both directions and with all headers, from the kernel's
// counters of the bridge's ports: what came in there is what the VM sent, behind its rate limit.
func (n *Network) Counters() ([]bench.LinkBytes, error) {
	counted := make([]bench.LinkBytes, len(n.vms))
	for i, v := range n.vms {
		port, err := n.links.LinkByIndex(v.port)
		if err != nil {
			return nil, fmt.Errorf("counters of %s's link: %w", HostName(i), err)
		}
		s := port.Attrs().Statistics
		if s == nil {
			return nil, fmt.Errorf("counters of %s's link: the kernel gives none", HostName(i))
		}
		counted[i] = bench.LinkBytes{Sent: float64(s.RxBytes), Received: float64(s.TxBytes)}
	}
	return counted, nil
}
