package doctor

import (
	"regexp"
	"strings"
)

var vgpuLicense = Check{
	ID:       "vgpu-license",
	What:     "Whether vGPUs are licensed, and of the compute kind that NVIDIA AI Enterprise brings.",
	Why:      "An unlicensed vGPU is slowed down and then refuses CUDA; one made for graphics has other scheduling and features than collectives need.",
	How:      "vgpu_software_licensed_product of nvidia-smi -q -x; the last letter of the vGPU's name is its series: C compute, Q workstation, B desktop, A applications.",
	Outcomes: []*Outcome{licensed, unlicensed, graphics, licenseUntold, noVGPU, noGPU, noPCI, noDriver},
	Sources: []string{
		"https://docs.nvidia.com/vgpu/latest/grid-licensing-user-guide/index.html",
		"https://docs.nvidia.com/vgpu/latest/grid-vgpu-user-guide/index.html",
	},
	Look: lookVGPULicense,
}

var (
	licensed   = &Outcome{Status: Pass, When: "every vGPU is licensed and of the C series"}
	unlicensed = &Outcome{Status: Fail, When: "a vGPU is not licensed, or its licence has expired",
		Advice: "See that nvidia-gridd runs, that its client token is in /etc/nvidia/ClientConfigToken, and that the licence service can be reached."}
	graphics = &Outcome{Status: Warn, When: "a vGPU is of a series for graphics (Q, B, A), or licensed as one",
		Advice: "Give the virtual machine a profile of the C series: the host needs NVIDIA AI Enterprise's package (NVD-AIE), not the one for graphics."}
	licenseUntold = &Outcome{Status: Unknown, When: "the driver does not tell the licence", Advice: "Ask nvidia-smi -q as root, or look into the log of nvidia-gridd."}
)

// series is the end of a vGPU's name: "GRID A100-40C", "NVIDIA H100XM-80C", "NVIDIA A100-4-20C".
var series = regexp.MustCompile(`-[0-9]+([A-Z])$`)

func lookVGPULicense(v *View) []Finding {
	if f := v.withoutDriver(); f != nil {
		return f
	}
	gpus, _ := v.known()
	var found []Finding
	for _, g := range gpus {
		if g.Mode != VGPU {
			continue
		}
		where := []Evidence{smiSaw(g, "license_status", g.License), smiSaw(g, "licensed_product_name", g.Product), smiSaw(g, "product_name", g.Name)}
		kind := series.FindStringSubmatch(g.Name)
		forGraphics := kind != nil && kind[1] != "C" || strings.Contains(g.Product, "Workstation") || strings.Contains(g.Product, "Virtual PC") || strings.Contains(g.Product, "Virtual Applications")
		switch {
		case g.License == "":
			found = append(found, licenseUntold.found(where, "the licence of %s is not told", g.Address))
		case !strings.HasPrefix(g.License, "Licensed"):
			found = append(found, unlicensed.found(where, "%s at %s: %s", g.Name, g.Address, g.License))
		case forGraphics:
			found = append(found, graphics.found(where, "%s at %s is licensed as %s", g.Name, g.Address, g.Product))
		default:
			found = append(found, licensed.found(where, "%s: %s", g.Name, g.License))
		}
	}
	if len(found) == 0 {
		return []Finding{noVGPU.found(nil, "no GPU here is a vGPU")}
	}
	return worst(found)
}
