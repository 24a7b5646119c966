package gate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/unit"
)

// environmentFact is one thing about the conditions of a run, as text; empty: not known.
type environmentFact struct {
	name string
	of   func(bench.RunInfo) string
}

var environmentFacts = []environmentFact{
	{"cpu", func(i bench.RunInfo) string { return i.Environment.CPU }},
	{"cpus", func(i bench.RunInfo) string { return number(int64(i.Environment.CPUs)) }},
	{"memory", func(i bench.RunInfo) string { return number((i.Environment.Memory + 1<<29) >> 30) }}, // GiB: kernels keep some to themselves
	{"numa-nodes", func(i bench.RunInfo) string { return number(int64(i.Environment.NUMANodes)) }},
	{"hypervisor", func(i bench.RunInfo) string { return i.Environment.Hypervisor }},
	{"host", func(i bench.RunInfo) string { return i.Environment.Host }},
	{"os", func(i bench.RunInfo) string { return i.Environment.OS }},
	{"kernel", func(i bench.RunInfo) string { return i.Environment.Kernel }},
	{"go", func(i bench.RunInfo) string { return i.Environment.Go }},
	{"version", func(i bench.RunInfo) string { return i.Environment.Version }},
	{"launcher", func(i bench.RunInfo) string { return i.Launcher }},
	{"link-kind", func(i bench.RunInfo) string { return i.LinkKind }},
	{"links", linkRates},
	{"hosts", func(i bench.RunInfo) string {
		var hosts []string
		for _, r := range i.Ranks {
			if !slices.Contains(hosts, r.Host) {
				hosts = append(hosts, r.Host)
			}
		}
		return strings.Join(hosts, ",")
	}},
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// linkRates are the rates of the virtual cluster's links: one if all are alike.
func linkRates(i bench.RunInfo) string {
	var rates []string
	for _, l := range i.Links {
		rate := unit.BitRate(l.Transmit)
		if l.Receive != l.Transmit {
			rate += "/" + unit.BitRate(l.Receive)
		}
		rates = append(rates, rate)
	}
	if alike := slices.Compact(slices.Clone(rates)); len(alike) == 1 {
		return alike[0]
	}
	return strings.Join(rates, ",")
}

// EnvironmentNames lists what a policy may ask to be alike.
func EnvironmentNames() (names []string) {
	for _, f := range environmentFacts {
		names = append(names, f.name)
	}
	return names
}

// differences says in what the conditions of the two sides differ, a sentence each, and which of that must be alike
// and is known to differ.
func differences(base, changed []Run, same []string) (all, unlike []string) {
	all = []string{}
	facts := slices.Clone(environmentFacts)
	for _, name := range variables(base, changed) {
		facts = append(facts, environmentFact{"variable " + name, func(i bench.RunInfo) string { return i.Environment.Variables[name] }})
	}
	for _, f := range facts {
		a, b := values(base, f.of), values(changed, f.of)
		if a == b {
			continue
		}
		all = append(all, fmt.Sprintf("%s: baseline %s, now %s", f.name, orUnknown(a), orUnknown(b)))
		if a != "" && b != "" && slices.Contains(same, f.name) {
			unlike = append(unlike, f.name)
		}
	}
	return all, unlike
}

func variables(sides ...[]Run) []string {
	names := map[string]bool{}
	for _, runs := range sides {
		for _, r := range runs {
			for name := range r.Info.Environment.Variables {
				if !bench.Incidental(name) {
					names[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// values are the different values of a fact over a side's runs.
func values(runs []Run, of func(bench.RunInfo) string) string {
	var found []string
	for _, r := range runs {
		if v := of(r.Info); v != "" && !slices.Contains(found, v) {
			found = append(found, v)
		}
	}
	slices.Sort(found)
	return strings.Join(found, " | ")
}

func orUnknown(v string) string {
	if v == "" {
		return "unknown"
	}
	return strconv.Quote(v)
}
