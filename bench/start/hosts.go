package start

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Host is a machine to start ranks on.
type Host struct {
	Name  string // as ssh takes it: name, address or user@name
	Slots int    // ranks that fit, 1 or more
}

// Place is the part of a job that one host gets.
type Place struct {
	Host  string
	Here  bool  // this host: reached without ssh
	Ranks []int // rising; the place in the list is the local rank
}

// maxSlots bounds the slots of a host.
const maxSlots = 1 << 16

// hostName is what may stand for a host. It does not begin with a dash: ssh would take it for an option.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9_.:@%-]*$`)

// ParseHosts reads "host1:4,user@host2:4,[fe80::1]:2": names and slots, one slot where there is no number.
func ParseHosts(text string) ([]Host, error) {
	var hosts []Host
	for part := range strings.SplitSeq(text, ",") {
		h, err := parseHost(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		hosts = join(hosts, h)
	}
	return hosts, nil
}

// parseHost reads one host.
func parseHost(text string) (Host, error) {
	name, slots, counted := strings.Cut(text, ":")
	if rest, ok := strings.CutPrefix(text, "["); ok {
		var after string
		if name, after, ok = strings.Cut(rest, "]"); !ok {
			return Host{}, fmt.Errorf("host %q: a bracket is not closed", text)
		}
		if slots, counted = strings.CutPrefix(after, ":"); !counted && after != "" {
			return Host{}, fmt.Errorf("host %q: want [ADDRESS]:SLOTS", text)
		}
	}
	h := Host{name, 1}
	if counted {
		n, err := strconv.Atoi(slots)
		if err != nil || n < 1 || n > maxSlots {
			return Host{}, fmt.Errorf("host %q: want NAME:SLOTS with 1 … %d slots, an IPv6 address in brackets", text, maxSlots)
		}
		h.Slots = n
	}
	if !hostName.MatchString(h.Name) {
		return Host{}, fmt.Errorf("host %q: want NAME or NAME:SLOTS", text)
	}
	return h, nil
}

// join adds a host; the slots of one that is there already add up.
func join(hosts []Host, h Host) []Host {
	if i := slices.IndexFunc(hosts, func(o Host) bool { return o.Name == h.Name }); i >= 0 {
		hosts[i].Slots = min(hosts[i].Slots+h.Slots, maxSlots)
		return hosts
	}
	return append(hosts, h)
}

// ReadHosts reads a hostfile: a host a line, written "host1", "host1:4" (MPICH's way) or "host1 slots=4" (Open MPI's),
// with # before a remark. Errors name the line.
func ReadHosts(r io.Reader) (hosts []Host, err error) {
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		h, err := parseHost(words[0])
		for _, word := range words[1:] {
			slots, ok := strings.CutPrefix(word, "slots=")
			n, bad := strconv.Atoi(slots)
			if err == nil && (!ok || bad != nil || n < 1 || n > maxSlots) {
				err = fmt.Errorf("%q: want slots=NUMBER", word)
			}
			h.Slots = n
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		hosts = join(hosts, h)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("no host in it")
	}
	return hosts, nil
}

// Spread lays n ranks over the hosts in order, each filled up before the next; n 0: as many as there are slots. Hosts
// that get none are left out.
func Spread(hosts []Host, n int) ([]Place, error) {
	total := 0
	for _, h := range hosts {
		total += h.Slots
	}
	if n == 0 {
		n = total
	}
	if n > total {
		return nil, fmt.Errorf("%d ranks, but the hosts have %d slots: want NAME:SLOTS with more, or fewer ranks", n, total)
	}
	var places []Place
	rank := 0
	for _, h := range hosts {
		p := Place{Host: h.Name, Here: isHere(h.Name)}
		for ; len(p.Ranks) < h.Slots && rank < n; rank++ {
			p.Ranks = append(p.Ranks, rank)
		}
		if len(p.Ranks) > 0 {
			places = append(places, p)
		}
	}
	return places, nil
}

// lookupTime bounds how long the name service is asked whether a name is this host's.
const lookupTime = 2 * time.Second

// isHere says whether a name is this host's: its own, localhost, or one with an address that an interface has.
func isHere(name string) bool {
	if own, err := os.Hostname(); err == nil && name == own || name == "localhost" {
		return true
	}
	if strings.Contains(name, "@") {
		return false // another user, perhaps
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, name)
	if err != nil {
		return false // ssh may know the name all the same
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(addresses, func(a net.IPAddr) bool {
		return slices.ContainsFunc(own, func(o net.Addr) bool {
			prefix, ok := o.(*net.IPNet)
			return ok && prefix.IP.Equal(a.IP)
		})
	})
}
