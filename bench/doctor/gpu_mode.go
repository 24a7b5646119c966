package doctor

import "fmt"

var gpuMode = Check{
	ID:   "gpu-mode",
	What: "How the GPUs are given to this system: bare metal, passthrough (DirectPath I/O) or vGPU, and whether all alike.",
	Why:  "A collective is as slow as its slowest rank, and what GPUs may do with each other (peer access, GPUDirect, NVLS) depends on the mode.",
	How:  "PCI functions of NVIDIA's vendor id and display class in /sys/bus/pci/devices; gpu_virtualization_mode of nvidia-smi -q -x.",
	Outcomes: []*Outcome{
		gpuModeSame, gpuModeMixed, gpuModeHost, gpuModeFewer, gpuModeUntold, noGPU, noPCI, noDriver,
	},
	Sources: []string{
		"https://docs.nvidia.com/deploy/nvml-api/group__nvmlVirtualGpuQueries.html",
		"https://docs.nvidia.com/deploy/nvidia-smi/index.html",
	},
	Look: lookGPUMode,
}

var (
	gpuModeSame  = &Outcome{Status: Pass, When: "all GPUs are in one mode: bare metal, passthrough or vGPU"}
	gpuModeMixed = &Outcome{Status: Fail, When: "GPUs of one system are in different modes",
		Advice: "Give a virtual machine either passed-through GPUs or vGPUs, not both, or leave some out with CUDA_VISIBLE_DEVICES."}
	gpuModeHost = &Outcome{Status: Fail, When: "a GPU serves virtual machines (vGPU or vSGA host mode)",
		Advice: "Measure in a virtual machine: a host driver of vGPU runs no CUDA program."}
	gpuModeFewer = &Outcome{Status: Warn, When: "the driver knows fewer GPUs than are on the PCI bus: a container was given some of them, another driver has the rest, or one is lost",
		Advice: "If all of them should be here, look for the missing one in the kernel log (NVRM, Xid) and see that no other driver, such as vfio-pci, has it."}
	gpuModeUntold = &Outcome{Status: Unknown, When: "the driver does not tell the mode", Advice: "Use a driver whose nvidia-smi -q shows GPU Virtualization Mode."}
)

func lookGPUMode(v *View) []Finding {
	if f := v.withoutDriver(); f != nil {
		return f
	}
	onBus, _ := v.onBus()
	gpus, _ := v.known()
	var modes []string
	var where []Evidence
	for _, g := range gpus {
		where = append(where, smiSaw(g, "virtualization_mode", string(g.Mode)))
		switch g.Mode {
		case "":
			return []Finding{gpuModeUntold.found(where, "the driver does not tell the mode of %s", g.Address)}
		case HostVGPU, HostVSGA:
			return []Finding{gpuModeHost.found(where, "%s at %s is a %s", g.Name, g.Address, g.Mode)}
		}
		modes = append(modes, string(g.Mode))
	}
	all := each(modes)
	switch {
	case len(gpus) < len(onBus):
		return []Finding{gpuModeFewer.found(append(where, saw(pciDevices, count(len(onBus), "GPU"))), "%s on the PCI bus, of which the driver knows %d", count(len(onBus), "GPU"), len(gpus))}
	case all != modes[0]:
		return []Finding{gpuModeMixed.found(where, "GPUs in different modes: %s", all)}
	}
	var names []string
	for _, g := range gpus {
		names = append(names, g.Name)
	}
	seen := fmt.Sprintf("%s (%s): %s", count(len(gpus), "GPU"), each(names), all)
	if h := v.Environment.Hypervisor; h != "" && h != "none" {
		seen += ", in a virtual machine of " + h
	}
	return []Finding{gpuModeSame.found(where, "%s", seen)}
}
