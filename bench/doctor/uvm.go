package doctor

import "slices"

var uvm = Check{
	ID:   "uvm",
	What: "Whether vGPUs need unified virtual memory, which a guest cannot see the setting of.",
	Why: "NVLink multicast (NVLS) of Hopper and Blackwell and the memory pools of NCCL 2.23 and later need it, and vSphere has it off. " +
		"On A100 with NVLink it does the opposite: peer access then falls back to PCIe.",
	How:      "The mode and architecture of each GPU in nvidia-smi -q -x.",
	Outcomes: []*Outcome{uvmNeeded, uvmAmpere, noVGPU, noGPU, noPCI, noDriver},
	Sources: []string{
		"https://docs.nvidia.com/ai-enterprise/release-8/8.0/infra-software/vgpu/features/nvlink-multicast.html",
		"https://docs.nvidia.com/ai-enterprise/release-8/8.0/infra-software/vgpu/features/p2p.html",
		"https://github.com/NVIDIA/nccl/blob/master/docs/userguide/source/troubleshooting/runtime_and_mpi_issues.rst (Unified Memory)",
	},
	Look: lookUVM,
}

var (
	uvmNeeded = &Outcome{Status: Unknown, When: "there are vGPUs of Hopper or a later architecture",
		Advice: "Have the administrator see that the virtual machine has pciPassthruN.cfg.enable_uvm=1 for each vGPU N."}
	uvmAmpere = &Outcome{Status: Info, When: "there are vGPUs of Ampere",
		Advice: "Where A100 are linked by NVLink the setting has two sides: with pciPassthruN.cfg.enable_uvm=1 NCCL's memory pools work and peers fall back to PCIe (PIX instead of NV12), with 0 it is the other way round. Measure both."}
)

func lookUVM(v *View) []Finding {
	if f := v.withoutDriver(); f != nil {
		return f
	}
	gpus, _ := v.known()
	gpus = slices.DeleteFunc(slices.Clone(gpus), func(g GPU) bool { return g.Mode != VGPU })
	if len(gpus) == 0 {
		return []Finding{noVGPU.found(nil, "no GPU here is a vGPU")}
	}
	var found []Finding
	for _, g := range gpus {
		where := []Evidence{smiSaw(g, "product_architecture", g.Architecture)}
		switch g.Architecture {
		case "Ampere", "Turing", "Volta", "Ada Lovelace":
			found = append(found, uvmAmpere.found(where, "vGPUs of %s", g.Architecture))
		default:
			found = append(found, uvmNeeded.found(where, "vGPUs of %s: pciPassthruN.cfg.enable_uvm does not show in the guest", g.Architecture))
		}
	}
	return worst(found)
}
