package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/unit"
)

// Machine is what must be the same for two runs to be compared. It holds what a machine is and how the ranks lie on
// it, and leaves out what changes from day to day (names of hosts, which a scheduler picks, kernel, driver and
// library versions, variables): those are what a history is asked about, and it names them beside a change. Memory
// is left out because the part that a kernel reports differs from release to release.
type Machine struct {
	Fingerprint  string   `json:"fingerprint"` // the first 12 hexadecimal digits of the SHA-256 of the rest
	CPU          string   `json:"cpu,omitempty"`
	CPUs         int      `json:"cpus,omitempty"` // that the first process may use
	NUMANodes    int      `json:"numa_nodes,omitempty"`
	Hypervisor   string   `json:"hypervisor,omitempty"`
	RanksPerHost []int    `json:"ranks_per_host,omitempty"` // ascending
	LinkKind     string   `json:"link_kind,omitempty"`
	Links        []string `json:"links,omitempty"` // of a virtual cluster's hosts: rates, ascending by text
}

// MachineOf is the machine of a run. ok is false where the run does not say what it ran on, as an imported log.
func MachineOf(info bench.RunInfo) (m Machine, ok bool) {
	e := info.Environment
	m = Machine{CPU: e.CPU, CPUs: e.CPUs, NUMANodes: e.NUMANodes, Hypervisor: e.Hypervisor, LinkKind: info.LinkKind}
	perHost := map[string]int{}
	for _, r := range info.Ranks {
		perHost[r.Host]++
	}
	for _, n := range perHost {
		m.RanksPerHost = append(m.RanksPerHost, n)
	}
	slices.Sort(m.RanksPerHost)
	for _, l := range info.Links {
		m.Links = append(m.Links, unit.BitRate(l.Transmit)+" out, "+unit.BitRate(l.Receive)+" in")
	}
	slices.Sort(m.Links)
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(text)
	m.Fingerprint = hex.EncodeToString(sum[:6])
	return m, (e.CPU != "" || e.CPUs > 0) && len(info.Ranks) > 0
}

// String describes the machine in a line.
func (m Machine) String() string {
	ranks := 0
	for _, n := range m.RanksPerHost {
		ranks += n
	}
	parts := []string{count(ranks, "rank") + " on " + count(len(m.RanksPerHost), "host")}
	if m.CPU != "" {
		parts = append(parts, m.CPU)
	}
	if m.CPUs > 0 {
		parts = append(parts, count(m.CPUs, "CPU"))
	}
	if m.Hypervisor != "" && m.Hypervisor != "none" {
		parts = append(parts, "hypervisor "+m.Hypervisor)
	}
	if len(m.Links) > 0 {
		links := slices.Compact(slices.Clone(m.Links))
		text := links[0]
		if len(links) > 1 {
			text += fmt.Sprintf(" and %d other rates", len(links)-1)
		}
		parts = append(parts, m.LinkKind+" links of "+text)
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// commitVariables name the commit of what is measured; the first that is set counts.
var commitVariables = []string{"COLLBENCH_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"}

// CommitOf is the commit of what was measured, as continuous integration names it in the environment; "" if it
// does not.
func CommitOf(info bench.RunInfo) string {
	for _, name := range commitVariables {
		if c := info.Environment.Variables[name]; c != "" {
			return c
		}
	}
	return ""
}

// Facts are what may change between two runs on a machine and explain a change of their figures. What is not known
// is absent.
func Facts(info bench.RunInfo) map[string]string {
	e := info.Environment
	facts := map[string]string{"OS": e.OS, "kernel": e.Kernel, "Go": e.Go, "collbench": e.Version, "launcher": info.Launcher, "hosts": hosts(info.Ranks)}
	if e.Memory > 0 {
		facts["memory"] = unit.BytesAbout(float64(e.Memory))
	}
	for name, value := range e.Variables {
		if !bench.Incidental(name) && !slices.Contains(commitVariables, name) {
			facts[name] = value
		}
	}
	for name, value := range facts {
		if value == "" {
			delete(facts, name)
		}
	}
	return facts
}

// mostHosts is the most hosts that are named.
const mostHosts = 16

func hosts(ranks []bench.RankInfo) string {
	var names []string
	for _, r := range ranks {
		names = append(names, r.Host)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) <= mostHosts {
		return strings.Join(names, " ")
	}
	sum := sha256.Sum256([]byte(strings.Join(names, " ")))
	return fmt.Sprintf("%s … %s (%d, %x)", names[0], names[len(names)-1], len(names), sum[:4])
}

// Differences says what differs between two runs, one line a fact: "kernel: 6.1.0 → 6.2.0".
func Differences(before, after Run) (changes []string) {
	names := map[string]bool{}
	for name := range before.Environment {
		names[name] = true
	}
	for name := range after.Environment {
		names[name] = true
	}
	for _, name := range sortedKeys(names) {
		if a, b := before.Environment[name], after.Environment[name]; a != b {
			changes = append(changes, fmt.Sprintf("%s: %s → %s", name, known(a), known(b)))
		}
	}
	return changes
}

// known writes a value that may be missing.
func known(value string) string {
	if value == "" {
		return "(not set)"
	}
	return value
}
