package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"collbench/bench/unit"
)

var barMMIO = Check{
	ID:       "bar-mmio",
	What:     "Whether the firmware has given every GPU its memory windows (BARs), of which the largest is BAR1.",
	Why:      "Without BAR1 the driver does not start, or GPUs and NICs cannot reach the GPU's memory directly. Large GPUs in virtual machines need a large 64-bit window that is off by default.",
	How:      "/sys/bus/pci/devices/*/resource: a window that is asked for and has no address (flag IORESOURCE_UNSET, or address 0); no window of 64 MiB or more; bar1_memory_usage of nvidia-smi -q -x.",
	Outcomes: []*Outcome{barsSet, barUnset, barSmall, barUnread, noGPU, noPCI},
	Sources: []string{
		"https://frankdenneman.nl/2023/05/30/vsphere-ml-accelerator-spectrum-deep-dive-esxi-host-bios-vm-and-vcenter-settings/",
		"https://docs.nvidia.com/datacenter/cloud-native/gpu-operator/latest/gpu-operator-rdma.html",
		"https://github.com/torvalds/linux/blob/master/include/linux/ioport.h",
	},
	Look: lookBARs,
}

const barAdvice = "vSphere: boot the virtual machine by EFI, set pciPassthru.use64bitMMIO=TRUE, raise pciPassthru.64bitMMIOSizeGB (32 unless set) to a power of two above the sum of its GPUs' windows, " +
	"and reserve all its memory. Elsewhere: enable \"Above 4G decoding\" and a large MMIO window in the firmware."

var (
	barsSet   = &Outcome{Status: Pass, When: "every window of every GPU has an address"}
	barUnset  = &Outcome{Status: Fail, When: "a window of a GPU has no address", Advice: barAdvice}
	barSmall  = &Outcome{Status: Fail, When: "a GPU has no window of 64 MiB or more, or the driver finds BAR1 empty", Advice: barAdvice}
	barUnread = &Outcome{Status: Unknown, When: "the windows cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
)

// Flags of a resource: linux/ioport.h.
const (
	resourceMemory = 0x00000200
	resourceUnset  = 0x20000000
	smallestBAR1   = 64 << 20 // bytes
	barCount       = 6
)

func lookBARs(v *View) []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	gpus, _ := v.onBus()  // also those that the driver does not show: without BAR1 it cannot
	known, _ := v.known() // absent where there is no driver: the windows show all the same
	var found []Finding
	for _, d := range gpus {
		text, err := v.read(d.at("resource"))
		if err != nil {
			return []Finding{barUnread.found(unread(d.at("resource"), err), "the windows of %s cannot be read", d.Address)}
		}
		largest, unset, err := windows(text)
		if err != nil {
			return []Finding{barUnread.found([]Evidence{saw(d.at("resource"), err.Error())}, "the windows of %s cannot be read", d.Address)}
		}
		if unset >= 0 {
			found = append(found, barUnset.found([]Evidence{part(d.at("resource"), fmt.Sprintf("region %d", unset), "no address")}, "%s: region %d has no address", d.Address, unset))
			continue
		}
		where := []Evidence{part(d.at("resource"), "largest region", unit.Bytes(largest))}
		small := largest < smallestBAR1
		for _, g := range known {
			if g.Address == d.Address && g.BAR1 == 0 && g.Mode != VGPU {
				where, small = append(where, smiSaw(g, "bar1_memory_usage/total", "0")), true
			}
		}
		if small {
			found = append(found, barSmall.found(where, "%s: the largest region has %s", d.Address, unit.Bytes(largest)))
			continue
		}
		found = append(found, barsSet.found(where, "%s: BAR1 of %s", count(len(gpus), "GPU"), unit.Bytes(largest)))
	}
	return worst(found)
}

// windows reads a resource file: lines of first address, last address and flags, of which the first six are the
// regions. It gives the size of the largest memory region and the number of one without an address, or -1.
func windows(text string) (largest int64, unset int, err error) {
	unset = -1
	for i, line := range strings.Split(text, "\n") {
		if i == barCount {
			break
		}
		var n [3]uint64
		fields := strings.Fields(line)
		if len(fields) != len(n) {
			return 0, 0, fmt.Errorf("line %d: %q: want three numbers", i+1, line)
		}
		for j, f := range fields {
			if n[j], err = strconv.ParseUint(f, 0, 64); err != nil {
				return 0, 0, fmt.Errorf("line %d: %q is not a number", i+1, f)
			}
		}
		first, last, flags := n[0], n[1], n[2]
		if flags&resourceMemory == 0 {
			continue
		}
		if (flags&resourceUnset != 0 || first == 0) && unset < 0 {
			unset = i
		}
		if last >= first && last-first < 1<<62 {
			largest = max(largest, int64(last-first)+1)
		}
	}
	return largest, unset, nil
}
