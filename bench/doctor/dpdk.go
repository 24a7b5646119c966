package doctor

import (
	"path"
	"strconv"
	"strings"
)

var dpdk = Check{
	ID:   "dpdk",
	What: "Whether memory is set aside as huge pages, as DPDK and Open vSwitch with DPDK want it.",
	Why:  "A program that polls NICs with DPDK beside the ranks takes whole processors and a share of the ports; and memory set aside for it is not there for the ranks.",
	How: "nr_hugepages and free_hugepages in /sys/kernel/mm/hugepages/hugepages-*. NVIDIA's NICs stay with mlx5_core under DPDK, and huge pages have other users too, " +
		"so that neither proves it; NICs that other drivers hold for user space are a matter of nic-driver.",
	Outcomes: []*Outcome{hugeUsed, hugeIdle, hugeNone, hugeUnread},
	Sources: []string{
		"https://doc.dpdk.org/guides/linux_gsg/sys_reqs.html",
		"https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
	},
	Look: lookDPDK,
}

var (
	hugeUsed = &Outcome{Status: Info, When: "huge pages are in use", Advice: "Find out by whom, and keep the ranks off its processors."}
	hugeIdle = &Outcome{Status: Info, When: "huge pages are set aside, and nobody uses them", Advice: "Give the memory back (vm.nr_hugepages=0) unless something is to use it."}
	hugeNone = &Outcome{Status: Info, Absent: true, When: "none are set aside"}
	// The kernel can be built without them, and then there is no folder: that is none.
	hugeUnread = &Outcome{Status: Unknown, When: "they cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
)

const hugeFolder = "sys/kernel/mm/hugepages"

func lookDPDK(v *View) []Finding {
	sizes, err := v.list(hugeFolder)
	if err != nil && !isAbsent(err) {
		return []Finding{hugeUnread.found(unread(hugeFolder, err), "huge pages cannot be read")}
	}
	var where []Evidence
	used := 0
	for _, size := range sizes {
		numbers := [2]int{}
		for i, name := range []string{"nr_hugepages", "free_hugepages"} {
			file := path.Join(hugeFolder, size, name)
			text, err := v.read(file)
			if numbers[i], _ = strconv.Atoi(text); err != nil {
				return []Finding{hugeUnread.found(unread(file, err), "huge pages cannot be read")}
			}
			if numbers[0] > 0 {
				where = append(where, saw(file, text))
			}
		}
		used += numbers[0] - numbers[1]
	}
	var kinds []string
	for _, e := range where {
		kinds = append(kinds, strings.TrimPrefix(path.Base(path.Dir(e.Path)), "hugepages-"))
	}
	switch {
	case len(where) == 0:
		return []Finding{hugeNone.found(nil, "no huge pages are set aside")}
	case used > 0:
		return []Finding{hugeUsed.found(where, "%s of %s in use", count(used, "huge page"), each(kinds))}
	}
	return []Finding{hugeIdle.found(where, "huge pages of %s are set aside and not used", each(kinds))}
}
