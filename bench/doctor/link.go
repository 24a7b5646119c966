package doctor

import (
	"strconv"
	"strings"
)

var link = Check{
	ID:   "link",
	What: "Whether GPUs and RDMA devices run their PCIe link at full width, and RDMA devices at full speed.",
	Why:  "A link of half the width halves what the device can move, and looks like a slow fabric.",
	How: "current_link_width, max_link_width and, for RDMA devices, current_link_speed and max_link_speed in /sys/bus/pci/devices. " +
		"An idle GPU lowers its speed, so that it is not looked at. What a virtual machine shows is not believed: hypervisors make it up.",
	Outcomes: []*Outcome{linkFull, linkNarrow, linkSlow, linkVirtual, linkUnread, noDevices},
	Sources: []string{
		"https://github.com/torvalds/linux/blob/master/Documentation/ABI/testing/sysfs-bus-pci",
		"https://docs.nvidia.com/deploy/nvidia-smi/index.html (GPU Link information)",
	},
	Look: lookLink,
}

var (
	linkFull   = &Outcome{Status: Pass, When: "every link has its full width, and RDMA devices their full speed"}
	linkNarrow = &Outcome{Status: Warn, When: "a link is narrower than it could be",
		Advice: "Reseat the card, look at the slot's width and the firmware's bifurcation, and at risers."}
	linkSlow    = &Outcome{Status: Warn, When: "an RDMA device's link is slower than it could be", Advice: "Look at the slot's generation, the firmware's link speed and signal errors (mlxlink)."}
	linkVirtual = &Outcome{Status: Unknown, When: "this is a virtual machine, or may be one: it does not show the real link",
		Advice: "Look on the host (lspci -vv, LnkSta), or measure copies between host and device: below 85 % of what the slot gives, the link is the cause."}
	linkUnread = &Outcome{Status: Unknown, When: "the link cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
	noDevices  = &Outcome{Status: Info, Absent: true, When: "there is neither an NVIDIA GPU nor an RDMA device that depends on its PCIe link"}
)

func lookLink(v *View) []Finding {
	gpus, errGPU := v.gpus()
	nics, errNIC := v.nics()
	nics = onPCI(nics)
	switch {
	case errGPU != nil:
		return []Finding{linkUnread.found(unread(pciDevices, errGPU), "the PCI bus cannot be read")}
	case errNIC != nil:
		return []Finding{linkUnread.found(unread(infiniband, errNIC), "the RDMA devices cannot be read")}
	case len(gpus)+len(nics) == 0:
		return []Finding{noDevices.found(nil, "neither a GPU nor an RDMA device")}
	}
	if virtual, known := v.virtual(); virtual || !known {
		return []Finding{linkVirtual.found(nil, "the real PCIe links do not show in a virtual machine")}
	}
	var found []Finding
	look := func(d pciDevice, name string, speed bool) {
		width, most, err := v.linkPair(d, "link_width")
		if err == nil && width < most {
			found = append(found, linkNarrow.found([]Evidence{linkSaw(d, "current_link_width", width)}, "%s runs at width %g of %g", name, width, most))
			return
		}
		if err == nil && speed {
			width, most, err = v.linkPair(d, "link_speed")
			if err == nil && width < most {
				found = append(found, linkSlow.found([]Evidence{linkSaw(d, "current_link_speed", width)}, "%s runs at %g of %g GT/s", name, width, most))
				return
			}
		}
		if err != nil {
			found = append(found, linkUnread.found(unread(d.at(""), err), "the link of %s cannot be read", name))
			return
		}
		found = append(found, linkFull.found(nil, "%s and %s at full width", count(len(gpus), "GPU"), count(len(nics), "RDMA device")))
	}
	for _, g := range gpus {
		if !v.linkedToCPU(g) { // whose traffic is on NVLink
			look(g, "GPU "+g.Address, false)
		}
	}
	for _, n := range nics {
		look(pciDevice{Address: n.PCI}, n.Name, true)
	}
	if len(found) == 0 {
		return []Finding{noDevices.found(nil, "no device whose PCIe link matters: GPUs are linked to the CPU by NVLink")}
	}
	return worst(found)
}

func linkSaw(d pciDevice, file string, value float64) Evidence {
	return saw(d.at(file), strconv.FormatFloat(value, 'g', -1, 64))
}

// linkPair reads what a link has and what it could have: lanes, or GT/s of "16.0 GT/s PCIe".
func (v *View) linkPair(d pciDevice, what string) (current, most float64, err error) {
	for file, to := range map[string]*float64{"current_" + what: &current, "max_" + what: &most} {
		text, err := v.read(d.at(file))
		if err != nil {
			return 0, 0, err
		}
		first, _, _ := strings.Cut(text, " ")
		if *to, err = strconv.ParseFloat(first, 64); err != nil {
			return 0, 0, fsError(d.at(file), errUnlike)
		}
	}
	return current, most, nil
}
