package doctor

import (
	"path"
	"strings"
)

var nvmeSNAP = Check{
	ID:       "nvme-snap",
	What:     "Whether a DPU emulates an NVMe disk (SNAP).",
	Why:      "Such a disk's traffic shares the DPU's network with collectives.",
	How:      "\"NVMe SNAP Controller\" in /sys/class/nvme/*/model. The name can be configured, so that another name proves nothing; virtio-blk disks do not show at all.",
	Outcomes: []*Outcome{snapThere, snapVMware, snapNone, snapUnread},
	Sources: []string{
		"https://docs.nvidia.com/doca/sdk/DOCA+SNAP-3+User+Guide",
	},
	Look: lookSNAP,
}

var (
	snapThere  = &Outcome{Status: Info, When: "there is one", Advice: "Keep storage quiet while collectives are measured."}
	snapVMware = &Outcome{Status: Info, When: "there is one in a virtual machine of VMware, where SNAP is said not to be supported (no public document of NVIDIA confirms or denies it)",
		Advice: "Ask for support before relying on it; use a disk of vSphere for what matters."}
	snapNone   = &Outcome{Status: Info, Absent: true, When: "no NVMe disk says that it is one"}
	snapUnread = &Outcome{Status: Unknown, When: "the NVMe disks cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
)

const nvmeFolder = "sys/class/nvme"

func lookSNAP(v *View) []Finding {
	names, err := v.list(nvmeFolder)
	if err != nil && !isAbsent(err) {
		return []Finding{snapUnread.found(unread(nvmeFolder, err), "the NVMe disks cannot be read")}
	}
	for _, name := range names {
		file := path.Join(nvmeFolder, name, "model")
		model, err := v.read(file)
		if err != nil {
			return []Finding{snapUnread.found(unread(file, err), "the model of %s cannot be read", name)}
		}
		if strings.Contains(strings.ToLower(model), "nvme snap controller") {
			o := snapThere
			if v.vmware() {
				o = snapVMware
			}
			return []Finding{o.found([]Evidence{saw(file, model)}, "%s is emulated by a DPU", name)}
		}
	}
	return []Finding{snapNone.found(nil, "no NVMe disk says that a DPU emulates it")}
}
