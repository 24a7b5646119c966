package summary

import (
	"fmt"
	"math"
	"strings"

	"collbench/bench"
	"collbench/bench/unit"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// What the counters of links have to agree with the program in: tolerance is the part that may be missing or too much,
// comparable the bytes that a rank has to move in an iteration for flags, headers and barriers not to matter. Every rank's
// program is counted, which takes too long with more ranks than countable.
const (
	tolerance  = 0.1
	comparable = 256 << 10
	countable  = 1024
)

// Contradiction says how the links' counters of a library's collective contradict its program, and the likely cause; ""
// where they agree, or where there is nothing to compare. Means over the ranks are compared: how a library lays a tree or
// a ring over its ranks is its own matter, but not what all of them move together.
func Contradiction(r bench.Result) string {
	if len(r.Counted) == 0 || r.CountedOn == "" || r.Status == bench.Failed {
		return ""
	}
	name := r.Evidence.Observed
	if name == "" {
		name = r.Case.What.Algorithm
	}
	want, ok := mean(r, name)
	if !ok || math.Max(want.Sent, want.Received) < comparable {
		return ""
	}
	var got LinkTraffic
	for _, c := range r.Counted {
		got.Sent, got.Received = got.Sent+c.Sent/float64(len(r.Counted)), got.Received+c.Received/float64(len(r.Counted))
	}
	for _, d := range []struct {
		verb      string
		got, want float64
	}{{"sent", got.Sent, want.Sent}, {"received", got.Received, want.Received}} {
		if ratio := d.got / d.want; d.want >= comparable && !agree(ratio, 1) {
			return fmt.Sprintf("%s counted %s %s by a rank in an iteration, %s by the program of %s: %s", links[r.CountedOn], unit.BytesAbout(d.got), d.verb,
				unit.BytesAbout(d.want), name, cause(r, name, got, ratio))
		}
	}
	return ""
}

// links are what people call the links.
var links = map[string]string{bench.OnNVLink: "NVLink", bench.OnInfiniBand: "InfiniBand ports"}

// cause is the likely cause of so many times the bytes.
func cause(r bench.Result, name string, got LinkTraffic, ratio float64) string {
	if strings.Contains(r.Evidence.Detail, " LL,") && agree(ratio, 2) {
		return "protocol LL sends a flag with each 4 bytes of data"
	}
	for _, a := range algorithms.For(r.Case.What.Collective) {
		other, ok := mean(r, a.Name)
		if ok && a.Name != name && likely[a.Name] && agree(got.Sent/other.Sent, 1) && agree(got.Received/other.Received, 1) {
			return "it is what " + a.Name + " moves"
		}
	}
	switch {
	case ratio < 0.01:
		return "the data went another way, such as PCI Express, shared memory or another network"
	case ratio < 1:
		return "a part of the data went another way, such as PCI Express, shared memory or another network"
	}
	return "something else used the links, or data crossed them more than once"
}

// likely are algorithms that a library could have taken instead.
var likely = map[string]bool{"ring": true, "nvls": true, "sharp": true, "nvls+sharp": true}

func agree(ratio, want float64) bool { return math.Abs(ratio/want-1) <= tolerance }

// mean is what the program of the algorithm has a rank move over the links that were counted, in bytes, on the average.
func mean(r bench.Result, name string) (t LinkTraffic, ok bool) {
	c := r.Case
	g := c.Where.Ranks / max(1, c.Where.Hosts) // ranks of a host
	nvlink := r.CountedOn == bench.OnNVLink
	switch {
	case c.Where.Ranks > countable, c.What.Operation != "":
		return t, false
	case nvlink && strings.Contains(name, "sharp"), !nvlink && c.Where.Ranks != g*c.Where.Hosts:
		return t, false
	case !nvlink && name == "sharp" && g > 1: // the GPUs of a host reduce first
		name = "nvls+sharp"
	case !nvlink && name == "tree" && g > 1: // hosts make the tree, not ranks
		return t, false
	}
	r.Evidence.Observed = name
	a, s, ok := program(r)
	if !ok {
		return t, false
	}
	var home func(collectives.Node) int
	if !nvlink {
		home = behindPorts(a, s, g)
	}
	for v := range s.Ranks {
		n := collectives.CountAcross(a, s, collectives.Node(v), home)
		t.Sent, t.Received = t.Sent+float64(n.Sent), t.Received+float64(n.Received)
	}
	scale := float64(c.What.DataType.Size()) / float64(s.Ranks)
	return LinkTraffic{Sent: t.Sent * scale, Received: t.Received * scale}, true
}

// behindPorts is the host of each node where g ranks are on each: an NVSwitch is in its ranks' host, any other switch in
// the network.
func behindPorts(a collectives.Algorithm, s collectives.Shape, g int) func(collectives.Node) int {
	hosts := collectives.Hosts(s, g)
	return func(v collectives.Node) int {
		if int(v) >= s.Ranks && a.Place != nil {
			if level, index := a.Place(s, v); level == 0 {
				return index
			}
		}
		return hosts(v)
	}
}
