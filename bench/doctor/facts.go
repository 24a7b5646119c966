package doctor

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Facts are what hosts are compared by. What could not be read is absent; what is not there is "none".
type Facts struct {
	Values    map[string]string `json:"values"`              // by the name of a fact in facts.go
	Variables map[string]string `json:"variables,omitempty"` // of the environment, by allow-list
	Counters  map[string]uint64 `json:"counters,omitempty"`  // of errors, by path: what matters is whether they grow
}

// The names of facts.
const (
	factOS         = "operating system"
	factKernel     = "kernel"
	factCPU        = "processor"
	factCPUs       = "CPUs that a process may use"
	factNUMA       = "NUMA nodes"
	factHypervisor = "hypervisor"
	factDriver     = "NVIDIA driver"
	factGPU        = "GPUs"
	factMode       = "GPU mode"
	factMIG        = "MIG"
	factVBIOS      = "GPU firmware"
	factRDMA       = "RDMA devices"
	factFirmware   = "RDMA firmware"
	factRDMADriver = "RDMA driver"
	factRate       = "port rates"
	factMTU        = "MTU"
	factNCCL       = "NCCL"
	factMPI        = "MPI"
	factUCX        = "UCX"
	factNVSHMEM    = "NVSHMEM"
	factHPCX       = "HPC-X"
	factCUDA       = "CUDA toolkit"
	factPython     = "Python packages"
	factDCGM       = "DCGM"
	factContainer  = "NGC container"
)

// readFacts reads them all.
func (v *View) readFacts() Facts {
	e := v.Environment
	f := Facts{Values: map[string]string{}, Variables: e.Variables}
	note := func(fact, value string) {
		if value != "" {
			f.Values[fact] = value
		}
	}
	note(factOS, e.OS)
	note(factKernel, e.Kernel)
	note(factCPU, e.CPU)
	if e.Hypervisor != "unknown" {
		note(factHypervisor, e.Hypervisor)
	}
	if e.NUMANodes > 0 {
		note(factNUMA, strconv.Itoa(e.NUMANodes))
	}
	allowed, _ := v.allowedCPUs()
	note(factCPUs, allowed)
	note(factMTU, v.mtu())
	f.Counters = v.counters()
	v.gpuFacts(note)
	v.rdmaFacts(note)
	for fact, value := range v.versions() {
		note(fact, value)
	}
	return f
}

// gpuFacts notes what there is of GPUs.
func (v *View) gpuFacts(note func(fact, value string)) {
	onBus, err := v.gpus()
	if err != nil {
		return
	}
	if len(onBus) == 0 {
		note(factGPU, "none")
		return
	}
	version, _, _ := v.driverVersion()
	note(factDriver, version)
	gpus, err := v.known()
	if err != nil {
		return
	}
	var names, modes, migs, firmware []string
	for _, g := range gpus {
		names, modes = append(names, g.Name), append(modes, string(g.Mode))
		migs, firmware = append(migs, g.MIG), append(firmware, g.VBIOS)
	}
	note(factGPU, tally(names))
	note(factMode, tally(modes))
	note(factMIG, each(sorted(migs)))
	note(factVBIOS, each(sorted(firmware)))
}

// rdmaFacts notes what there is of RDMA devices.
func (v *View) rdmaFacts(note func(fact, value string)) {
	nics, err := v.nics()
	if err != nil {
		return
	}
	if len(nics) == 0 {
		note(factRDMA, "none")
		return
	}
	var kinds, firmware, rates []string
	for _, n := range nics {
		kind, _ := v.read(path.Join(infiniband, n.Name, "hca_type"))
		version, _ := v.read(path.Join(infiniband, n.Name, "fw_ver"))
		kinds, firmware = append(kinds, kind), append(firmware, strings.TrimSpace(kind+" "+version))
		for _, p := range n.Ports {
			if p.active() {
				rates = append(rates, p.Rate)
			}
		}
	}
	note(factRDMA, tally(kinds))
	note(factFirmware, each(sorted(firmware)))
	note(factRate, tally(rates))
	driver, _ := v.read("sys/module/mlx5_core/version") // the kernel's own has none
	if stack, err := v.run(ofedVersion); err == nil {
		driver = strings.TrimSuffix(firstLine(stack), ":")
	}
	note(factRDMADriver, driver)
}

// mtu is the MTU of the network interfaces with a device behind them, whatever their names.
func (v *View) mtu() string {
	names, _ := v.list("sys/class/net")
	var all []string
	for _, name := range names {
		if _, err := v.link(path.Join("sys/class/net", name, "device")); err != nil {
			continue
		}
		if mtu, err := v.read(path.Join("sys/class/net", name, "mtu")); err == nil {
			all = append(all, mtu)
		}
	}
	return tally(all)
}

// packages are Python packages by the folders that installers leave.
var packages = regexp.MustCompile(`^(nvidia_nccl_cu1[0-9]|nvidia_nvshmem_cu1[0-9]|nemo_toolkit|megatron_core|tritonclient|torch|cudf_cu1[0-9]|raft_dask_cu1[0-9]|cupy_cuda1[0-9]x)-[0-9][0-9A-Za-z.+]*\.dist-info$`)

var numbered = regexp.MustCompile(`\.so\.([0-9.]+)$`)

// versions are those of the libraries in the usual folders. What lies elsewhere does not show.
func (v *View) versions() map[string]string {
	found := map[string]string{}
	for prefix, fact := range map[string]string{"libnccl.so": factNCCL, "libnvshmem_host.so": factNVSHMEM, "libdcgm.so": factDCGM} {
		found[fact] = each(v.libraryVersions(prefix, ""))
	}
	found[factMPI] = each(append(v.libraryVersions("libmpi.so", "libmpi "), v.libraryVersions("libmpich.so", "libmpich ")...))
	if v.findLibrary("libucp.so") != "" {
		if text, err := v.run(ucxVersion); err == nil {
			if _, version, ok := strings.Cut(firstLine(text), "Library version: "); ok {
				found[factUCX] = version
			}
		}
	}
	found[factCUDA] = each(v.named("usr/local", regexp.MustCompile(`^cuda-([0-9.]+)$`)))
	found[factHPCX] = each(v.named("opt", regexp.MustCompile(`^hpcx-v([0-9.]+)`)))
	if name := v.variable("NVIDIA_PRODUCT_NAME"); name != "" { // NGC's containers say what they are
		found[factContainer] = strings.TrimSpace(name + " " + v.variable("NVIDIA_BUILD_ID"))
	}
	pythons, _ := v.list("usr/local/lib")
	var all []string
	for _, python := range pythons {
		if strings.HasPrefix(python, "python3") {
			all = append(all, v.named(path.Join("usr/local/lib", python, "dist-packages"), regexp.MustCompile(`(`+packages.String()+`)`))...)
		}
	}
	for i, name := range all {
		all[i] = strings.Replace(strings.TrimSuffix(name, ".dist-info"), "-", " ", 1)
	}
	found[factPython] = each(sorted(all))
	return found
}

// libraryVersions are the versions in the names of a library's files, without those that are the beginning of another.
func (v *View) libraryVersions(prefix, before string) []string {
	var all []string
	for _, folder := range libraries {
		names, _ := v.list(folder)
		for _, name := range names {
			if m := numbered.FindStringSubmatch(name); m != nil && strings.HasPrefix(name, prefix+".") {
				all = append(all, m[1])
			}
		}
	}
	var whole []string
	for _, version := range all {
		if !slices.ContainsFunc(all, func(other string) bool { return strings.HasPrefix(other, version+".") }) {
			whole = append(whole, before+version)
		}
	}
	return sorted(whole)
}

// named are the parts of names in a folder that a pattern's group finds.
func (v *View) named(folder string, pattern *regexp.Regexp) []string {
	names, _ := v.list(folder)
	var found []string
	for _, name := range names {
		if m := pattern.FindStringSubmatch(name); m != nil {
			found = append(found, m[1])
		}
	}
	return found
}

func sorted(values []string) []string { return slices.Sorted(slices.Values(values)) }

// tally counts what is equal: "8 × NVIDIA H100".
func tally(values []string) string {
	counts := map[string]int{}
	for _, v := range values {
		counts[v]++
	}
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		if v == "" {
			return "" // not known of one: then not known
		}
		parts = append(parts, fmt.Sprintf("%d × %s", counts[v], v))
	}
	return strings.Join(parts, ", ")
}
