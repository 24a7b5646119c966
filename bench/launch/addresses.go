package launch

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Addresses lists the IP addresses of this host by which others may reach it: those of the interface with the name,
// or within the prefix (10.0.0.0/8), or of all interfaces that are up if choice is "". Loopback comes last, for
// ranks of the same host.
func Addresses(choice string) ([]string, error) {
	prefix, err := netip.ParsePrefix(choice)
	byName := choice != "" && err != nil
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("network interfaces: %w", err)
	}
	var outer, inner []string
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || byName && i.Name != choice {
			continue
		}
		list, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("addresses of %s: %w", i.Name, err)
		}
		for _, a := range list {
			ip, err := netip.ParsePrefix(a.String())
			address := ip.Addr().Unmap()
			switch {
			case err != nil || address.IsLinkLocalUnicast() || prefix.IsValid() && !prefix.Contains(address):
			case address.IsLoopback():
				inner = append(inner, address.String())
			default:
				outer = append(outer, address.String())
			}
		}
	}
	if len(outer)+len(inner) == 0 {
		var names []string
		for _, i := range interfaces {
			names = append(names, i.Name)
		}
		return nil, fmt.Errorf("no address on an interface that is up fits %q: there are %s", choice, strings.Join(names, ", "))
	}
	return append(outer, inner...), nil
}
