package doctor

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

var vgpuDriver = Check{
	ID:   "vgpu-driver",
	What: "Whether the hypervisor's vGPU manager accepts this guest's driver.",
	Why:  "A guest driver that the host does not accept gives no GPU at all, or one with only the features that both know: peer access, multicast and GPUDirect may be among those lost.",
	How: "The host's driver stands in the guest's PCI configuration space: the vendor-specific capability (0x09) of a vGPU has the signature \"VF\" and in record 0 version and branch. " +
		"More than its first 64 bytes can be read by root alone. The guest's driver: /proc/driver/nvidia/version.",
	Outcomes: []*Outcome{vgpuSame, vgpuMinor, vgpuPrevious, vgpuPreviousLTS, vgpuNewer, vgpuOlder, vgpuUntabled, vgpuPrivilege, vgpuNoGuest, vgpuRecord, noVGPU, noGPU, noPCI},
	Sources: []string{
		"https://docs.nvidia.com/vgpu/19.0/grid-vgpu-release-notes-vmware-vsphere/index.html (1.2)",
		"https://docs.nvidia.com/grid/latest/grid-vgpu-release-notes-generic-linux-kvm/index.html (1.2, of 15.1)",
		"https://github.com/NVIDIA/k8s-device-plugin/tree/main/internal/vgpu",
	},
	Look: lookVGPUDriver,
}

var (
	vgpuSame  = &Outcome{Status: Pass, When: "host and guest have drivers of the same release"}
	vgpuMinor = &Outcome{Status: Warn, When: "host and guest have different releases of one branch",
		Advice: "Install the guest driver that came with the host's vGPU release."}
	vgpuPrevious = &Outcome{Status: Warn, When: "the guest's driver is of the branch before the host's: it works, with the features that both know",
		Advice: "Install the guest driver that came with the host's vGPU release."}
	vgpuPreviousLTS = &Outcome{Status: Warn, When: "the guest's driver is of the long-term support branch before the host's, which is one too: it works, with the features that both know",
		Advice: "Install the guest driver that came with the host's vGPU release."}
	vgpuNewer = &Outcome{Status: Fail, When: "the guest's driver is of a newer branch than the host's",
		Advice: "Install the guest driver that came with the host's vGPU release, or have the host's vGPU manager updated first."}
	vgpuOlder = &Outcome{Status: Fail, When: "the guest's driver is of an older branch than the host accepts",
		Advice: "Install the guest driver that came with the host's vGPU release."}
	vgpuUntabled = &Outcome{Status: Unknown, When: "a branch is not in the table of vGPU releases",
		Advice: "Look the pair up in the release notes of the host's vGPU software."}
	vgpuPrivilege = &Outcome{Status: Unknown, When: "the configuration space of a GPU cannot be read whole",
		Advice: "Run as root (CAP_SYS_ADMIN), or compare nvidia-smi on the host with the guest's."}
	vgpuNoGuest = &Outcome{Status: Unknown, When: "the guest's driver does not tell its version", Advice: "Install and load the NVIDIA guest driver."}
	vgpuRecord  = &Outcome{Status: Unknown, When: "the vGPU's capability has no record of the host's driver",
		Advice: "Compare nvidia-smi on the host with the guest's."}
	noVGPU = &Outcome{Status: Info, Absent: true, When: "no GPU here is a vGPU"}
)

// vgpuBranches are the driver branches of vGPU releases in their order. Releases 13, 16 and 19 have long-term support.
// Source: https://docs.nvidia.com/vgpu (the release notes of each), of which 1.2 says which pairs work.
var vgpuBranches = []struct {
	branch, release int
	longTerm        bool
}{
	{460, 12, false}, {470, 13, true}, {510, 14, false}, {525, 15, false}, {535, 16, true}, {550, 17, false}, {570, 18, false}, {580, 19, true},
}

// pairing is what becomes of a host's and a guest's driver of given versions such as "580.65.05".
func pairing(host, guest string) *Outcome {
	if release(host) == release(guest) {
		return vgpuSame
	}
	h, g := branchIndex(host), branchIndex(guest)
	switch {
	case h < 0 || g < 0:
		return vgpuUntabled
	case h == g:
		return vgpuMinor
	case g > h:
		return vgpuNewer
	case g == h-1:
		return vgpuPrevious
	}
	for previous := h - 1; vgpuBranches[h].longTerm && previous >= 0; previous-- {
		if vgpuBranches[previous].longTerm {
			if previous == g {
				return vgpuPreviousLTS
			}
			break
		}
	}
	return vgpuOlder
}

// release is what the drivers of one vGPU release share: host 580.65.05 and Linux guest 580.65.06 are both of 19.0.
func release(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func branchIndex(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return -1
	}
	for i, b := range vgpuBranches {
		if b.branch == n {
			return i
		}
	}
	return -1
}

func lookVGPUDriver(v *View) []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	gpus, _ := v.gpus()
	var found []Finding
	for _, d := range gpus {
		config, err := v.config(d)
		if errors.Is(err, errPrivilege) && v.notVGPU() {
			continue
		}
		if err != nil {
			return []Finding{vgpuPrivilege.found(unread(d.at("config"), err), "whether %s is a vGPU, and with which host driver, cannot be read", d.Address)}
		}
		vendor := vendorCapability(config)
		if !isVGPU(vendor) {
			continue
		}
		host, branch, ok := hostDriver(vendor)
		if !ok {
			return []Finding{vgpuRecord.found([]Evidence{saw(d.at("config"), "no record 0")}, "%s is a vGPU that does not name its host's driver", d.Address)}
		}
		where := []Evidence{part(d.at("config"), "capability 0x09, record 0", host+" "+branch)}
		guest, _, err := v.driverVersion()
		if err != nil {
			return []Finding{vgpuNoGuest.found(append(where, unread(driverVersion, err)...), "host driver %s; the guest's is not known", host)}
		}
		where = append(where, saw(driverVersion, guest))
		found = append(found, pairing(host, guest).found(where, "host driver %s, guest driver %s", host, guest))
	}
	if len(found) == 0 {
		return []Finding{noVGPU.found(nil, "no GPU here is a vGPU")}
	}
	return worst(found)
}

// notVGPU says whether the driver says of every GPU that it is none.
func (v *View) notVGPU() bool {
	gpus, err := v.known()
	return err == nil && len(gpus) > 0 && !slices.ContainsFunc(gpus, func(g GPU) bool { return g.Mode == VGPU || g.Mode == "" })
}
