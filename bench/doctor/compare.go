package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parity documents Compare as the checks are documented. Its Look is nil: it looks at reports.
var Parity = Check{
	ID:   "parity",
	What: "Whether the hosts of a job are alike in versions, settings, firmware and processors.",
	Why:  "A collective waits for its slowest rank, and ranks with different libraries, algorithms or settings may hang or silently fall back.",
	How: "Each host's facts: versions of kernel, drivers, firmware and libraries, processors and CPUs that a process may use, GPUs and their mode, port rates, MTU, " +
		"and those variables of the environment that change how communication behaves.",
	Outcomes: []*Outcome{paritySame, parityBroken, parityDiffers, parityVariable, parityUnknown},
	Sources: []string{
		"https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html",
		"https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html",
	},
}

var (
	paritySame   = &Outcome{Status: Pass, When: "nothing that is known of all hosts differs"}
	parityBroken = &Outcome{Status: Fail, When: "NCCL's major or minor version, MPI, the kind or mode of GPUs, or the port rates differ",
		Advice: "Make the hosts named alike with the others, or leave them out."}
	parityDiffers = &Outcome{Status: Warn, When: "another version, the firmware, the processor, the CPUs that a process may use, or the MTU differs",
		Advice: "Make the hosts named alike with the others before figures are compared."}
	parityVariable = &Outcome{Status: Warn, When: "a variable that changes how communication behaves differs, or is not set everywhere",
		Advice: "Set it alike on all hosts: mpirun -x, srun --export, or the job's template."}
	parityUnknown = &Outcome{Status: Unknown, When: "something is known of some hosts and not of others", Advice: "Run doctor there with the rights and mounts of the others."}
)

// compared are the facts by which hosts are compared.
var compared = []struct {
	fact    string
	outcome *Outcome
	shorten func(string) string // to what matters; nil: all of it
}{
	{factMode, parityBroken, nil}, {factGPU, parityBroken, nil}, {factNCCL, parityBroken, release}, {factMPI, parityBroken, nil}, {factRate, parityBroken, nil},
	{factNCCL, parityDiffers, nil}, {factDriver, parityDiffers, nil}, {factVBIOS, parityDiffers, nil}, {factMIG, parityDiffers, nil},
	{factRDMA, parityDiffers, nil}, {factFirmware, parityDiffers, nil}, {factRDMADriver, parityDiffers, nil}, {factMTU, parityDiffers, nil},
	{factUCX, parityDiffers, nil}, {factNVSHMEM, parityDiffers, nil}, {factHPCX, parityDiffers, nil}, {factCUDA, parityDiffers, nil}, {factPython, parityDiffers, nil}, {factDCGM, parityDiffers, nil}, {factContainer, parityDiffers, nil},
	{factCPU, parityDiffers, nil}, {factCPUs, parityDiffers, nil}, {factNUMA, parityDiffers, nil}, {factHypervisor, parityDiffers, nil},
	{factKernel, parityDiffers, nil}, {factOS, parityDiffers, nil},
}

// notSet stands for a variable that is not set.
const notSet = "(not set)"

// Compare holds the reports of several hosts against each other and names those that differ from the most.
func Compare(reports []Report) []Finding {
	var found []Finding
	done := map[string]bool{}
	var same, unknown []string
	for _, c := range compared {
		values, missing := map[string]string{}, []string(nil)
		for _, r := range reports {
			value, ok := r.Facts.Values[c.fact]
			switch {
			case !ok:
				missing = append(missing, r.Host)
			case c.shorten != nil:
				values[r.Host] = c.shorten(value)
			default:
				values[r.Host] = value
			}
		}
		f, differ := differing(c.fact, c.outcome, values)
		if done[c.fact] {
			continue
		}
		switch {
		case differ:
			found, done[c.fact] = append(found, f), true
		case len(values) > 0 && len(missing) > 0:
			unknown, done[c.fact] = append(unknown, c.fact+" on "+each(missing)), true
		case len(values) > 0 && c.shorten == nil:
			same = append(same, c.fact)
		}
	}
	found = append(found, compareVariables(reports)...)
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(b.Status, a.Status) })
	if len(unknown) > 0 {
		found = append(found, parityUnknown.found(nil, "not known: %s", strings.Join(unknown, "; ")))
	}
	if Worst(found) <= Unknown {
		found = append(found, paritySame.found(nil, "%s alike in: %s", count(len(reports), "host"), each(same)))
	}
	for i, f := range found {
		found[i] = Parity.complete(f)
	}
	return found
}

// compareVariables compares the variables of the environment.
func compareVariables(reports []Report) (found []Finding) {
	names := map[string]bool{}
	for _, r := range reports {
		for name := range r.Facts.Variables {
			names[name] = names[name] || sameForAll(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		values := map[string]string{}
		for _, r := range reports {
			values[r.Host] = notSet
			if value, ok := r.Facts.Variables[name]; ok {
				values[r.Host] = value
			}
		}
		if f, differ := differing(name, parityVariable, values); differ && names[name] {
			found = append(found, f)
		}
	}
	return found
}

// sameForAll says whether a variable must be the same everywhere. A launcher's own differ from rank to rank.
func sameForAll(name string) bool {
	for _, prefix := range []string{"NCCL_", "UCX_", "UCC_", "NVSHMEM_", "SHARP_", "HCOLL_", "FI_", "MPICH_", "I_MPI_",
		"OMPI_MCA_btl", "OMPI_MCA_pml", "OMPI_MCA_mtl", "OMPI_MCA_coll", "OMPI_MCA_osc"} {
		if strings.HasPrefix(name, prefix) {
			return !strings.HasPrefix(name, "I_MPI_HYDRA") && !strings.HasSuffix(name, "RANK") && !strings.HasSuffix(name, "_ID")
		}
	}
	return slices.Contains([]string{"CUDA_DEVICE_MAX_CONNECTIONS", "OMP_NUM_THREADS", "GOMAXPROCS", "GOGC"}, name)
}

// differing says which hosts have another value than the most. If no value has the most, all hosts are named.
func differing(what string, o *Outcome, values map[string]string) (Finding, bool) {
	hosts := map[string][]string{} // by value
	for _, host := range slices.Sorted(maps.Keys(values)) {
		hosts[values[host]] = append(hosts[values[host]], host)
	}
	if len(hosts) < 2 {
		return Finding{}, false
	}
	order := slices.SortedFunc(maps.Keys(hosts), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(hosts[b]), len(hosts[a])), cmp.Compare(a, b))
	})
	most := len(hosts[order[0]]) > len(hosts[order[1]])
	var odd, seen []string
	var where []Evidence
	for i, value := range order {
		who := strings.Join(hosts[value], ", ")
		if n := len(hosts[value]); i == 0 && most && n > 3 {
			who = fmt.Sprintf("the other %d", n)
		}
		if i > 0 || !most {
			odd = append(odd, hosts[value]...)
		}
		seen = append(seen, value+" on "+who)
		where = append(where, Evidence{Path: what, Field: who, Value: value})
	}
	if most { // the odd ones first
		seen = append(seen[1:], seen[0])
	}
	f := o.found(where, "%s: %s", what, strings.Join(seen, "; "))
	f.Hosts = sorted(odd)
	return f, true
}
