package doctor

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

var numa = Check{
	ID:   "numa",
	What: "Whether this process, the GPUs and the RDMA devices are on the same NUMA nodes.",
	Why:  "What crosses from one NUMA node to another pays latency on every message and shares the links between sockets.",
	How: "/sys/devices/system/node/node*/cpulist, Cpus_allowed_list of /proc/self/status, and numa_node of each device in /sys/bus/pci/devices. " +
		"One virtual NUMA node may span sockets of the host, which does not show in a guest.",
	Outcomes: []*Outcome{numaNear, numaRemote, numaApart, numaUnsaid, numaOne, numaVirtual, numaUnread},
	Sources: []string{
		"https://docs.kernel.org/admin-guide/cputopology.html",
		"https://github.com/torvalds/linux/blob/master/Documentation/ABI/testing/sysfs-bus-pci",
	},
	Look: lookNUMA,
}

var (
	numaNear   = &Outcome{Status: Pass, When: "the process may run on a node of every device, and each GPU has an RDMA device on its node, if there are any"}
	numaRemote = &Outcome{Status: Fail, When: "the process may not run on the node of any GPU, or without GPUs of any RDMA device",
		Advice: "Bind the ranks to the CPUs of their GPU's node: mpirun --map-by numa --bind-to core, srun --cpu-bind, or the container's cpuset."}
	numaApart = &Outcome{Status: Warn, When: "a GPU has no RDMA device on its node, and others are elsewhere",
		Advice: "Add a NIC to the GPU's node, or move one; in a virtual machine give it both from one node of the host."}
	numaUnsaid = &Outcome{Status: Warn, When: "the firmware does not say on which of several nodes a device is (-1)",
		Advice: "Update the firmware, or in a virtual machine have the hypervisor show on which virtual NUMA node each device is."}
	numaOne     = &Outcome{Status: Pass, When: "there is one node, without virtualization"}
	numaVirtual = &Outcome{Status: Info, When: "there is one node, of a virtual machine or of what may be one",
		Advice: "Have the administrator see that it fits into one NUMA node of the host, and that the GPUs and NICs are of that node."}
	numaUnread = &Outcome{Status: Unknown, When: "the nodes, the process's CPUs or a device's node cannot be read", Advice: "Run where /sys and /proc are mounted as the kernel gives them."}
)

const (
	nodeFolder = "sys/devices/system/node"
	selfStatus = "proc/self/status"
)

func lookNUMA(v *View) []Finding {
	nodes, where, err := v.ownNodes()
	if err != nil {
		return []Finding{numaUnread.found(unread(nodeFolder, err), "NUMA nodes cannot be read")}
	}
	if v.Environment.NUMANodes == 1 {
		if virtual, known := v.virtual(); known && !virtual {
			return []Finding{numaOne.found(where, "one NUMA node")}
		}
		return []Finding{numaVirtual.found(where, "one NUMA node; how it lies on the host does not show")}
	}
	gpus, _ := v.gpus() // a bus that cannot be read is said by the checks of GPUs
	nics, _ := v.nics()
	var nicNodes, gpuNodes []int
	for _, n := range onPCI(nics) {
		node, err := v.numaNode(pciDevice{Address: n.PCI})
		if err != nil {
			return []Finding{numaUnread.found(unread(pciDevices, err), "the NUMA node of %s cannot be read", n.Name)}
		}
		nicNodes = append(nicNodes, node)
		where = append(where, saw(path.Join(pciDevices, n.PCI, "numa_node"), strconv.Itoa(node)))
	}
	for _, g := range gpus {
		node, err := v.numaNode(g)
		if err != nil {
			return []Finding{numaUnread.found(unread(pciDevices, err), "the NUMA node of %s cannot be read", g.Address)}
		}
		gpuNodes = append(gpuNodes, node)
		where = append(where, saw(g.at("numa_node"), strconv.Itoa(node)))
	}
	return []Finding{numaJudge(nodes, gpuNodes, nicNodes, where)}
}

// numaJudge judges the nodes of the process, of the GPUs and of the RDMA devices.
func numaJudge(own, gpus, nics []int, where []Evidence) Finding {
	devices := gpus
	if len(gpus) == 0 {
		devices = nics
	}
	switch {
	case slices.Contains(gpus, -1) || slices.Contains(nics, -1):
		return numaUnsaid.found(where, "a device whose NUMA node is not said, of several")
	case len(devices) > 0 && !slices.ContainsFunc(devices, func(n int) bool { return slices.Contains(own, n) }):
		return numaRemote.found(where, "this process runs on NUMA node %s, its devices are on %s", ints(own), ints(devices))
	}
	for _, g := range gpus {
		if len(nics) > 0 && !slices.Contains(nics, g) {
			return numaApart.found(where, "a GPU on NUMA node %d, RDMA devices on %s", g, ints(nics))
		}
	}
	return numaNear.found(where, "this process runs on NUMA node %s, its devices are near", ints(own))
}

func ints(values []int) string {
	var texts []string
	for _, n := range slices.Sorted(slices.Values(values)) {
		texts = append(texts, strconv.Itoa(n))
	}
	return each(texts)
}

// ownNodes are the NUMA nodes on whose CPUs this process may run.
func (v *View) ownNodes() (nodes []int, where []Evidence, err error) {
	allowed, err := v.allowedCPUs()
	if err != nil {
		return nil, nil, err
	}
	own := cpuSet(allowed)
	where = append(where, part(selfStatus, "Cpus_allowed_list", allowed))
	names, err := v.list(nodeFolder)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimPrefix(name, "node"))
		if err != nil || !strings.HasPrefix(name, "node") {
			continue
		}
		file := path.Join(nodeFolder, name, "cpulist")
		cpus, err := v.read(file)
		if err != nil {
			return nil, nil, err
		}
		where = append(where, saw(file, cpus))
		for cpu := range cpuSet(cpus) {
			if own[cpu] {
				nodes = append(nodes, n)
				break
			}
		}
	}
	return nodes, where, nil
}

// allowedCPUs is the list of CPUs that this process may use: "0-3,8".
func (v *View) allowedCPUs() (string, error) {
	text, err := v.read(selfStatus)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			return strings.TrimSpace(list), nil
		}
	}
	return "", fsError(selfStatus, errUnlike)
}

// cpuSet reads a list of CPUs. What is no list leaves no CPU.
func cpuSet(list string) map[int]bool {
	set := map[int]bool{}
	for _, part := range strings.Split(list, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		var a, b int
		if _, err := fmt.Sscan(first+" "+last, &a, &b); err != nil || b-a > 1<<16 {
			continue
		}
		for ; a <= b; a++ {
			set[a] = true
		}
	}
	return set
}
