package doctor

import "fmt"

var acs = Check{
	ID:   "acs",
	What: "Whether PCIe bridges above GPUs send peer traffic up to the root complex (ACS), and what a virtual machine cannot see of it.",
	Why: "On bare metal, ACS with redirection takes GPU-to-GPU and GPU-to-NIC traffic through the CPU: slow, or hanging. " +
		"Virtual machines need ACS: there it must not be turned off, and peer traffic needs the hypervisor's leave instead.",
	How:      "The ACS extended capability (0x000d) in /sys/bus/pci/devices/*/config of the bridges above each GPU: SrcValid, ReqRedir and CmpltRedir of its control register. More than the first 64 bytes can be read by root alone.",
	Outcomes: []*Outcome{acsOff, acsOn, acsVMware, acsVM, acsPrivilege, noGPU, noPCI},
	Sources: []string{
		"https://github.com/NVIDIA/nccl/blob/master/docs/userguide/source/troubleshooting/gpu_troubleshooting.rst",
		"https://docs.nvidia.com/datacenter/cloud-native/gpu-operator/latest/gpu-operator-rdma.html",
	},
	Look: lookACS,
}

var (
	acsOff = &Outcome{Status: Pass, When: "not a virtual machine, and no bridge above a GPU redirects"}
	acsOn  = &Outcome{Status: Warn, When: "not a virtual machine, and a bridge above a GPU redirects",
		Advice: "Where no virtual machine runs on this host, turn ACS off on these bridges: in the firmware, or with setpci -s BRIDGE ECAP_ACS+0x6.w=0000 after each boot."}
	acsVMware = &Outcome{Status: Unknown, When: "a virtual machine of VMware: a guest cannot read the settings that allow peer traffic",
		Advice: "Leave ACS on. Have the administrator see that the virtual machine has pciPassthru.allowP2P=TRUE and pciPassthru.RelaxACSforP2P=TRUE, and that GPU and NIC are in one root complex of the host."}
	acsVM        = &Outcome{Status: Info, When: "another virtual machine", Advice: "Leave ACS on: virtual machines need it. Enable ATS on the NICs instead."}
	acsPrivilege = &Outcome{Status: Unknown, When: "the configuration space of a bridge cannot be read whole, or it does not show whether this is a virtual machine",
		Advice: "Run as root (CAP_SYS_ADMIN)."}
)

// Bits of the control register that redirect: linux/pci_regs.h, PCI_ACS_SV, PCI_ACS_RR, PCI_ACS_CR.
const acsRedirect = 0x01 | 0x04 | 0x08

func lookACS(v *View) []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	virtual, known := v.virtual()
	switch {
	case !known:
		return []Finding{acsPrivilege.found(nil, "it does not show whether this is a virtual machine")}
	case v.vmware():
		return []Finding{acsVMware.found(nil, "a virtual machine of VMware: what allows peer traffic is set outside")}
	case virtual:
		return []Finding{acsVM.found(nil, "a virtual machine of %s: ACS stays on", v.Environment.Hypervisor)}
	}
	gpus, _ := v.gpus()
	var found []Finding
	for _, g := range gpus {
		chain, err := v.chain(g.Address)
		if err != nil {
			return []Finding{acsPrivilege.found(unread(pciDevices, err), "the bridges above %s cannot be read", g.Address)}
		}
		for _, bridge := range chain[1 : len(chain)-1] {
			d := pciDevice{Address: bridge}
			config, err := v.config(d)
			if err != nil {
				return []Finding{acsPrivilege.found(unread(d.at("config"), err), "ACS of the bridges above the GPUs cannot be read")}
			}
			if value, ok := control(config, extACS); ok && value&acsRedirect != 0 {
				where := []Evidence{part(d.at("config"), "ACSCtl", fmt.Sprintf("%#04x", value))}
				found = append(found, acsOn.found(where, "bridge %s above GPU %s redirects peer traffic", bridge, g.Address))
			}
		}
	}
	if len(found) == 0 {
		return []Finding{acsOff.found(nil, "no bridge above a GPU redirects peer traffic")}
	}
	return worst(found)
}
