package doctor

import (
	"slices"
	"testing"
)

// rule is a machine, what is changed of it, and how a check must then end.
type rule struct {
	on    string
	want  *Outcome
	edits []edit
}

func on(machine string, want *Outcome, edits ...edit) rule { return rule{machine, want, edits} }

// TestRules looks at each machine with a check, and makes changes after which it must end otherwise.
func TestRules(t *testing.T) {
	checked := map[string]map[*Outcome]bool{}
	for _, table := range []map[string][]rule{gpuRules, fabricRules, hostRules} {
		for id, rules := range table {
			i := slices.IndexFunc(All, func(c Check) bool { return c.ID == id })
			if i < 0 {
				t.Fatalf("no check %q", id)
			}
			c := All[i]
			checked[id] = map[*Outcome]bool{}
			for n, r := range rules {
				found := look(t, r.on, c, r.edits...)
				if !ends(found, r.want) {
					t.Errorf("%s on %s, rule %d: %+v, want %q", id, r.on, n, found, r.want.When)
				}
				if len(r.edits) > 0 && ends(look(t, r.on, c), r.want) {
					t.Errorf("%s on %s, rule %d: ends so without the change too: %q", id, r.on, n, r.want.When)
				}
				checked[id][r.want] = true
			}
		}
	}
	for _, c := range All {
		for _, o := range c.Outcomes {
			if !checked[c.ID][o] {
				t.Errorf("%s: no machine on which it ends so: %q", c.ID, o.When)
			}
		}
	}
}

// ends says whether one of the findings has an outcome.
func ends(found []Finding, o *Outcome) bool {
	return slices.ContainsFunc(found, func(f Finding) bool { return f.outcome == o })
}

const (
	gpu0 = "0000:19:00.0" // of bareH100
	nic0 = "0000:18:00.0"
)

var (
	noSysfs    = deny("sys/bus/pci/devices")
	noSMI      = fail(smiQuery, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
	noIB       = remove("sys/class/infiniband")
	noIBAccess = deny("sys/class/infiniband")
	bareMetal  = replace("proc/cpuinfo", " hypervisor", "")
	unsaidVM   = remove("proc/cpuinfo")
)

var gpuRules = map[string][]rule{
	"gpu-mode": {
		on(bareH100, gpuModeSame), on(esxiA100, gpuModeSame), on(kvmB200, gpuModeSame), on(vgpuH100, gpuModeSame),
		on(vgpuH100, gpuModeMixed, once(string(smiQuery), ">VGPU<", ">Pass-Through<")),
		on(bareH100, gpuModeHost, once(string(smiQuery), ">None<", ">Host VGPU<")),
		on(bareH100, gpuModeHost, replace(string(smiQuery), ">None<", ">Host VSGA<")),
		on(bareH100, gpuModeUntold, once(string(smiQuery), "<virtualization_mode>None<", "<virtualization_mode>N/A<")),
		on(bareH100, gpuModeFewer, set(pciFile("0000:aa:00.0", "modalias"), "pci:v000010DEd00002330sv000010DEsd000016C1bc03sc02i00\n")),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs), on(bareH100, noDriver, noSMI),
		on(bareH100, noPCI, set(pciFile(gpu0, "modalias"), "nonsense")),
		on(esxiA100, noDriver, remove(string(smiQuery))),
		on(esxiA100, noDriver, replace(string(smiQuery), "</nvidia_smi_log>", "")),
	},
	"vgpu-driver": {
		on(vgpuH100, vgpuSame),
		on(vgpuH100, vgpuMinor, replace(driverVersion, "580.65.06", "580.95.05")),
		on(vgpuH100, vgpuPrevious, replace(driverVersion, "580.65.06", "570.172.08")),
		on(vgpuH100, vgpuPreviousLTS, replace(driverVersion, "580.65.06", "535.261.03")),
		on(vgpuH100, vgpuOlder, replace(driverVersion, "580.65.06", "550.163.01")),
		on(vgpuH100, vgpuNewer, poke(pciFile("0000:02:00.0", "config"), 0xd0+7, []byte("570.172.07")...)),
		on(vgpuH100, vgpuUntabled, replace(driverVersion, "580.65.06", "999.65.06")),
		on(vgpuH100, vgpuPrivilege, cut(pciFile("0000:02:00.0", "config"), 64)),
		on(vgpuH100, vgpuPrivilege, deny(pciFile("0000:02:01.0", "config"))),
		on(vgpuH100, vgpuNoGuest, remove(driverVersion)),
		on(vgpuH100, vgpuNoGuest, set(driverVersion, "nonsense")),
		on(vgpuH100, vgpuRecord, poke(pciFile("0000:02:00.0", "config"), 0xd0+5, 1)),
		on(vgpuH100, noVGPU, poke(pciFile("0000:02:00.0", "config"), 0xd0+3, 'X'), poke(pciFile("0000:02:01.0", "config"), 6, 0)),
		// A user without privileges knows from the driver that there is none.
		on(bareH100, noVGPU), on(esxiA100, noVGPU),
		on(bareH100, vgpuPrivilege, cut(pciFile(gpu0, "config"), 64), noSMI),
		on(nothere, noGPU), on(vgpuH100, noPCI, noSysfs),
	},
	"vgpu-license": {
		on(vgpuH100, licensed),
		on(vgpuH100, unlicensed, once(string(smiQuery), "Licensed (Expiry: 2026-12-24 7:29:4 GMT)", "Unlicensed (Restricted)")),
		on(vgpuH100, graphics, replace(string(smiQuery), "H100XM-80C", "L40S-48Q")),
		on(vgpuH100, graphics, once(string(smiQuery), "NVIDIA Virtual Compute Server", "NVIDIA RTX Virtual Workstation")),
		on(vgpuH100, licenseUntold, replace(string(smiQuery), "Licensed (Expiry: 2026-12-24 7:29:4 GMT)", "N/A")),
		on(bareH100, noVGPU), on(nothere, noGPU), on(vgpuH100, noPCI, noSysfs), on(vgpuH100, noDriver, noSMI),
	},
	"bar-mmio": {
		on(bareH100, barsSet), on(esxiA100, barsSet), on(kvmB200, barsSet), on(vgpuH100, barsSet),
		on(esxiA100, barUnset, replace(pciFile("0000:03:00.0", "resource"), "0x000003a001000000 0x000003b000ffffff 0x000000000014220c", "0x0000000000000000 0x0000000fffffffff 0x000000000014220c")),
		on(esxiA100, barUnset, replace(pciFile("0000:0b:00.0", "resource"), "0x000003d000ffffff 0x000000000014220c", "0x000003d000ffffff 0x000000002014220c")),
		on(esxiA100, barSmall, replace(pciFile("0000:03:00.0", "resource"), "0x000003a001000000 0x000003b000ffffff 0x000000000014220c", "0x0000000000000000 0x0000000000000000 0x0000000000000000")),
		on(esxiA100, barSmall, once(string(smiQuery), "<total>131072 MiB</total>", "<total>0 MiB</total>")),
		on(esxiA100, barUnread, set(pciFile("0000:03:00.0", "resource"), "what?\n")),
		on(esxiA100, barUnread, deny(pciFile("0000:03:00.0", "resource"))),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs),
	},
	"acs": {
		on(bareH100, acsOff),
		on(bareH100, acsOn, poke(pciFile("0000:17:01.0", "config"), 0x126, 0x1d)),
		on(esxiA100, acsVMware), on(kvmB200, acsVM),
		on(bareH100, acsPrivilege, cut(pciFile("0000:15:01.0", "config"), 64)),
		on(bareH100, acsPrivilege, unsaidVM, remove("sys/class/dmi/id")),
		on(bareH100, acsPrivilege, deny("sys/bus/pci/devices/"+gpu0)),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs),
	},
	"gpu-p2p": {
		on(bareH100, p2pAll), on(esxiA100, p2pAll), on(vgpuH100, p2pAll),
		on(bareH100, p2pNVLink, replace(string(smiNVPeers), "OK", "NS")),
		on(bareH100, p2pPCIe, replace(string(smiPeers), "OK", "CNS"), remove(string(smiNVLink))),
		on(bareH100, p2pPCIe, replace(string(smiPeers), "OK", "TNS"), replace(string(smiNVLink), "26.562 GB/s", "<inactive>")),
		on(vgpuH100, p2pFraction, replace(string(smiQuery), "H100XM-80C", "H100XM-4-40C")),
		on(bareH100, p2pUnread, fail(smiPeers, "Failed to run topology matrix")),
		on(bareH100, p2pUnread, replace(string(smiPeers), " GPU1\t", " CPU1\t")),
		on(bareH100, p2pOne, remove("sys/bus/pci/devices/0000:9b:00.0"), secondGPUGone),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs), on(bareH100, noDriver, noSMI),
	},
	"uvm": {
		on(vgpuH100, uvmNeeded),
		on(vgpuH100, uvmAmpere, replace(string(smiQuery), ">Hopper<", ">Ampere<")),
		on(bareH100, noVGPU), on(nothere, noGPU), on(vgpuH100, noPCI, noSysfs), on(vgpuH100, noDriver, noSMI),
	},
	"mig": {
		on(bareH100, migOff), on(vgpuH100, migOff),
		on(bareH100, migOn, once(string(smiQuery), "<current_mig>Disabled", "<current_mig>Enabled")),
		on(bareH100, migPending, once(string(smiQuery), "<pending_mig>Disabled", "<pending_mig>Enabled")),
		on(bareH100, migUntold, replace(string(smiQuery), "_mig>Disabled<", "_mig>N/A<")),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs), on(bareH100, noDriver, noSMI),
	},
	"gds": {
		on(bareH100, gdsLoaded), on(kvmB200, gdsP2PDMA), on(esxiA100, gdsAbsent),
		on(kvmB200, gdsAbsent, replace(cufileJSON, `"use_pci_p2pdma": true`, `"use_pci_p2pdma": false`)),
		on(kvmB200, gdsAbsent, replace(cufileJSON, `"use_pci_p2pdma": true`, `// "use_pci_p2pdma": true`)),
		on(vgpuH100, gdsAmpere, set(nvidiaFS, "version: 2.26.6\n"), replace(string(smiQuery), ">Hopper<", ">Ampere<")),
		on(bareH100, gdsUnread, deny(nvidiaFS)),
		on(bareH100, gdsUnread, set(nvidiaFS, "?\n")),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs),
	},
}
