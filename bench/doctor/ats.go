package doctor

var ats = Check{
	ID:       "ats",
	What:     "Whether RDMA devices in a virtual machine translate addresses themselves (PCIe ATS).",
	Why:      "In a virtual machine peer traffic between GPU and NIC goes up to the IOMMU and down again unless the NIC brings translated addresses: GPUDirect RDMA is then far below the NIC's rate.",
	How:      "The ATS extended capability (0x000f) in /sys/bus/pci/devices/*/config: bit 15 of its control register is Enable. More than the first 64 bytes can be read by root alone.",
	Outcomes: []*Outcome{atsOn, atsOff, atsHidden, atsPrivilege, atsNotNeeded, noRDMA, unreadRDMA},
	Sources: []string{
		"https://docs.nvidia.com/ai-enterprise/planning-resource/optimizing-vm-configuration-ai-inference/latest/appendix.html",
		"https://github.com/NVIDIA/nccl/blob/master/docs/userguide/source/troubleshooting/gpu_troubleshooting.rst",
	},
	Look: lookATS,
}

const atsAdvice = "On the host: mst start, mlxconfig -d DEVICE set ATS_ENABLED=true for each NIC, then reboot the host; to restart the virtual machine is not enough. " +
	"The ACS settings of switches and root ports must let ATS through."

var (
	atsOn     = &Outcome{Status: Pass, When: "every RDMA device has ATS enabled"}
	atsOff    = &Outcome{Status: Warn, When: "an RDMA device has ATS and does not use it", Advice: atsAdvice}
	atsHidden = &Outcome{Status: Unknown, When: "the guest does not see the capability: the hypervisor may hide it, or the NIC have it off",
		Advice: "Ask on the host: mlxconfig -d DEVICE query ATS_ENABLED. " + atsAdvice}
	atsPrivilege = &Outcome{Status: Unknown, When: "the configuration space cannot be read whole, or it does not show whether this is a virtual machine",
		Advice: "Run as root (CAP_SYS_ADMIN)."}
	atsNotNeeded = &Outcome{Status: Info, When: "this is not a virtual machine"}
)

const atsEnable = 1 << 15 // of the control register: linux/pci_regs.h, PCI_ATS_CTRL_ENABLE

func lookATS(v *View) []Finding {
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	virtual, known := v.virtual()
	switch {
	case !known:
		return []Finding{atsPrivilege.found(nil, "it does not show whether this is a virtual machine")}
	case !virtual:
		return []Finding{atsNotNeeded.found(nil, "not a virtual machine")}
	}
	nics, _ := v.nics()
	nics = onPCI(nics)
	if len(nics) == 0 {
		return []Finding{noRDMA.found(nil, "no InfiniBand or RoCE device on the PCI bus")}
	}
	var found []Finding
	for _, n := range nics {
		d := pciDevice{Address: n.PCI}
		config, err := v.config(d)
		if err != nil {
			return []Finding{atsPrivilege.found(unread(d.at("config"), err), "whether %s uses ATS cannot be read", n.Name)}
		}
		value, ok := control(config, extATS)
		where := []Evidence{part(d.at("config"), "ATSCtl", map[bool]string{true: "Enable+", false: "Enable-"}[value&atsEnable != 0])}
		switch {
		case !ok:
			where[0].Value = "no such capability"
			found = append(found, atsHidden.found(where, "%s shows no ATS capability", n.Name))
		case value&atsEnable == 0:
			found = append(found, atsOff.found(where, "%s has ATS and does not use it", n.Name))
		default:
			found = append(found, atsOn.found(where, "ATS is enabled"))
		}
	}
	return worst(found)
}
