package doctor

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

var gdrKernel = Check{
	ID:   "gdr-kernel",
	What: "Whether the kernel can let RDMA devices reach GPU memory: by dma-buf, or by the older nvidia-peermem module.",
	Why:  "Without either, all data of GPUs goes through host memory, at a fraction of the NIC's rate.",
	How: "dma-buf: the open kernel module in /proc/driver/nvidia/version, its driver at least 515, Linux at least 5.12 in /proc/version, and an mlx5 device; this is what it needs, not proof that it works. " +
		"peermem: /sys/module/nvidia_peermem/version or /sys/kernel/mm/memory_peers/{nv_mem,nv_mem_nc}/version. A loaded module is no proof that it is used: NCCL's log says /GDRDMA.",
	Outcomes: []*Outcome{gdrDMABuf, gdrPeermem, gdrNeither, gdrNoDriver, noGPU, noRDMA, noPCI, unreadRDMA},
	Sources: []string{
		"https://github.com/NVIDIA/nccl/blob/master/src/transport/net_ib/gdr.cc",
		"https://docs.nvidia.com/datacenter/cloud-native/gpu-operator/latest/gpu-operator-rdma.html",
		"https://github.com/openucx/ucx/blob/master/src/uct/ib/base/ib_md.c",
	},
	Look: lookGDRKernel,
}

var (
	gdrDMABuf  = &Outcome{Status: Pass, When: "all that dma-buf needs is there"}
	gdrPeermem = &Outcome{Status: Warn, When: "only peermem is there",
		Advice: "Prefer dma-buf, as NVIDIA does: the open kernel module of driver 515 or later, and Linux 5.12 or later. Until then peermem works."}
	gdrNeither = &Outcome{Status: Fail, When: "neither is there",
		Advice: "Install the open kernel module of driver 515 or later on Linux 5.12 or later, or load nvidia-peermem (modprobe nvidia-peermem, after the RDMA driver)."}
	gdrNoDriver = &Outcome{Status: Unknown, When: "the driver, or the kernel's version, does not show, and peermem does not either",
		Advice: "Load the NVIDIA driver, or run where /proc/driver/nvidia is visible."}
)

// peermem are the files of which each shows a module for peer memory.
var peermem = []string{"sys/module/nvidia_peermem/version", "sys/kernel/mm/memory_peers/nv_mem/version", "sys/kernel/mm/memory_peers/nv_mem_nc/version"}

const driverVersion = "proc/driver/nvidia/version"

// "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build …", without Open for the other.
var nvrm = regexp.MustCompile(`NVRM version: NVIDIA UNIX (.*?) Kernel Module(?: for \S+)? +([0-9]+(?:\.[0-9]+)+)`)

// driverVersion is the version of the loaded NVIDIA driver, and whether it is the open kernel module.
func (v *View) driverVersion() (version string, open bool, err error) {
	text, err := v.read(driverVersion)
	if err != nil {
		return "", false, err
	}
	m := nvrm.FindStringSubmatch(text)
	if m == nil {
		return "", false, fsError(driverVersion, errUnlike)
	}
	return m[2], strings.Contains(m[1], "Open"), nil
}

func lookGDRKernel(v *View) []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	version, open, err := v.driverVersion()
	var where []Evidence
	if err == nil {
		where = append(where, saw(driverVersion, version+map[bool]string{true: " open", false: " proprietary"}[open]))
	} else {
		where = append(where, unread(driverVersion, err)...)
	}
	where = append(where, saw("proc/version", v.Environment.Kernel))
	kernelKnown, recent := atLeast(v.Environment.Kernel, 5, 12)
	_, modern := atLeast(version, 515, 0)
	if err == nil && open && modern && recent && v.hasMLX5() {
		return []Finding{gdrDMABuf.found(where, "open kernel module %s on Linux %s: dma-buf", version, v.Environment.Kernel)}
	}
	for _, file := range peermem {
		if text, err := v.read(file); err == nil {
			name := path.Base(path.Dir(file))
			return []Finding{gdrPeermem.found(append(where, saw(file, text)), "only the module %s", name)}
		}
	}
	if err != nil || !kernelKnown {
		return []Finding{gdrNoDriver.found(where, "neither the driver's version nor peermem shows")}
	}
	return []Finding{gdrNeither.found(append(where, saw(peermem[0], reason(errAbsent))), "driver %s on Linux %s: no dma-buf, and no peermem", version, v.Environment.Kernel)}
}

// hasMLX5 says whether an RDMA device is driven by mlx5, which knows dma-buf.
func (v *View) hasMLX5() bool {
	nics, _ := v.nics()
	for _, n := range onPCI(nics) {
		if driver, err := v.driver(pciDevice{Address: n.PCI}); err == nil && driver == "mlx5_core" {
			return true
		}
	}
	return false
}

// atLeast compares the first two numbers of a version.
func atLeast(version string, major, minor int) (known, reached bool) {
	parts := strings.FieldsFunc(version, func(c rune) bool { return c < '0' || c > '9' })
	if len(parts) < 2 {
		return false, false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil, a > major || a == major && b >= minor
}
