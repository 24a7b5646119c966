package doctor

import "path"

var hypervisor = Check{
	ID:   "hypervisor",
	What: "Whether this is a virtual machine, and of which hypervisor.",
	Why: "What a guest shows of PCI links, distances, NUMA nodes and ACS is the hypervisor's word. " +
		"Rules for virtual machines, and those for vSphere, are used only where this is known.",
	How:      "The flag hypervisor in /proc/cpuinfo (x86), sys_vendor and product_name in /sys/class/dmi/id, /sys/hypervisor/type.",
	Outcomes: []*Outcome{hypervisorNone, hypervisorNamed, hypervisorUnnamed, hypervisorUnseen},
	Sources: []string{
		"https://github.com/torvalds/linux/blob/master/arch/x86/include/asm/cpufeatures.h (X86_FEATURE_HYPERVISOR)",
		"https://knowledge.broadcom.com/external/article?legacyId=1009458 (mechanisms to determine if software is running in a VMware virtual machine)",
	},
	Look: lookHypervisor,
}

var (
	hypervisorNone    = &Outcome{Status: Info, When: "this is not a virtual machine"}
	hypervisorNamed   = &Outcome{Status: Info, When: "this is a virtual machine of a hypervisor that is known"}
	hypervisorUnnamed = &Outcome{Status: Unknown, When: "this is a virtual machine, and it does not show of which hypervisor",
		Advice: "Show DMI to this process (/sys/class/dmi/id; containers may hide it): without it, the rules for vSphere are not used."}
	hypervisorUnseen = &Outcome{Status: Unknown, When: "it does not show whether this is a virtual machine",
		Advice: "Show /proc/cpuinfo and /sys/class/dmi/id to this process. Without a hypervisor's name there, only x86 processors tell."}
)

const dmi = "sys/class/dmi/id"

func lookHypervisor(v *View) []Finding {
	name := v.Environment.Hypervisor
	where := []Evidence{}
	for _, file := range []string{"sys_vendor", "product_name"} {
		if _, err := v.read(path.Join(dmi, file)); err != nil {
			where = append(where, unread(path.Join(dmi, file), err)...)
		}
	}
	switch name {
	case "":
		return []Finding{hypervisorUnseen.found(where, "it does not show whether this is a virtual machine")}
	case "none":
		return []Finding{hypervisorNone.found(nil, "not a virtual machine")}
	case "unknown":
		return []Finding{hypervisorUnnamed.found(append(where, part("proc/cpuinfo", "flags", "hypervisor")), "a virtual machine of a hypervisor that does not show")}
	}
	return []Finding{hypervisorNamed.found(nil, "a virtual machine of %s", name)}
}
