package doctor

import (
	"regexp"
	"slices"
	"strings"
)

var gds = Check{
	ID:   "gds",
	What: "Whether GPUDirect Storage has what it needs.",
	Why:  "Without it cuFile reads and writes through host memory, beside the traffic of collectives, and says nothing.",
	How: "/proc/driver/nvidia-fs/version, or use_pci_p2pdma in /etc/cufile.json, which needs no nvidia-fs. " +
		"The line \"Mellanox PeerDirect Supported\" of /proc/driver/nvidia-fs/stats is compiled in and proves nothing.",
	Outcomes: []*Outcome{gdsLoaded, gdsP2PDMA, gdsAmpere, gdsAbsent, gdsUnread, noGPU, noPCI},
	Sources: []string{
		"https://github.com/NVIDIA/gds-nvidia-fs/blob/main/src/nvfs-stat.c",
		"https://docs.nvidia.com/deploy/gds-support-for-nvme/setting-cufilejson-configuration.html",
		"https://docs.nvidia.com/ai-enterprise/release-8/8.0/infra-software/vgpu/features/gpudirect.html",
	},
	Look: lookGDS,
}

var (
	gdsLoaded = &Outcome{Status: Pass, When: "nvidia-fs is loaded"}
	gdsP2PDMA = &Outcome{Status: Pass, When: "cufile.json asks for the kernel's own peer DMA, without nvidia-fs", Advice: "gdscheck -p must say NVMe P2PDMA : Supported."}
	gdsAmpere = &Outcome{Status: Fail, When: "a vGPU of Ampere: it has no GPUDirect Storage", Advice: "Pass the GPU through, or use vGPUs of Ada or later with the open kernel module."}
	gdsAbsent = &Outcome{Status: Info, Absent: true, When: "nvidia-fs is not loaded", Advice: "Install nvidia-gds and load nvidia-fs, then run gdscheck -p."}
	gdsUnread = &Outcome{Status: Unknown, When: "nvidia-fs does not tell its version", Advice: "Run where /proc/driver/nvidia-fs can be read."}
)

const (
	nvidiaFS   = "proc/driver/nvidia-fs/version"
	cufileJSON = "etc/cufile.json"
)

// cufile.json has comments, so that it is not read as JSON.
var p2pDMA = regexp.MustCompile(`(?m)^\s*"use_pci_p2pdma"\s*:\s*true`)

func lookGDS(v *View) []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	gpus, _ := v.known()
	version, err := v.read(nvidiaFS)
	config, _ := v.read(cufileJSON)
	asked := p2pDMA.MatchString(config)
	if i := slices.IndexFunc(gpus, func(g GPU) bool { return g.Mode == VGPU && g.Architecture == "Ampere" }); i >= 0 && (err == nil || asked) {
		return []Finding{gdsAmpere.found([]Evidence{smiSaw(gpus[i], "product_architecture", "Ampere")}, "%s is a vGPU of Ampere", gpus[i].Address)}
	}
	switch {
	case err == nil && strings.HasPrefix(version, "version:"):
		return []Finding{gdsLoaded.found([]Evidence{saw(nvidiaFS, version)}, "nvidia-fs %s", strings.TrimSpace(strings.TrimPrefix(version, "version:")))}
	case asked:
		return []Finding{gdsP2PDMA.found([]Evidence{part(cufileJSON, "use_pci_p2pdma", "true")}, "cufile.json asks for the kernel's peer DMA")}
	case isAbsent(err):
		return []Finding{gdsAbsent.found(unread(nvidiaFS, err), "nvidia-fs is not loaded")}
	case err == nil:
		err = fsError(nvidiaFS, errUnlike)
	}
	return []Finding{gdsUnread.found(unread(nvidiaFS, err), "nvidia-fs does not tell its version")}
}
