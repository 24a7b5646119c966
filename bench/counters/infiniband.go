// Package counters reads what links have carried from the kernel's own counters.
//
// It serves backends that hold the bytes of their timed iterations against what an algorithm must move.
package counters

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"collbench/bench"
)

// word is the unit of an InfiniBand port's data counters in bytes (Documentation/ABI/stable/sysfs-class-infiniband).
const word = 4

// InfiniBand sums what the active InfiniBand and RoCE ports of a host have carried, in bytes with headers, and says how
// many ports that are. The root is the file system's; ports without counters, as of some virtual functions, are left out.
func InfiniBand(root fs.FS) (sum bench.LinkBytes, ports int, err error) {
	folders, err := fs.Glob(root, "sys/class/infiniband/*/ports/*")
	if err != nil {
		return sum, 0, err
	}
	for _, port := range folders {
		state, err := fs.ReadFile(root, path.Join(port, "state"))
		if err != nil || !strings.HasPrefix(string(state), "4:") { // "4: ACTIVE"
			continue
		}
		sent, known, err := count(root, path.Join(port, "counters/port_xmit_data"))
		if err != nil {
			return sum, 0, err
		}
		received, too, err := count(root, path.Join(port, "counters/port_rcv_data"))
		if err != nil {
			return sum, 0, err
		}
		if known && too {
			sum.Sent, sum.Received = sum.Sent+sent, sum.Received+received
			ports++
		}
	}
	return sum, ports, nil
}

// count reads a counter, in bytes; known is false where there is none.
func count(root fs.FS, name string) (bytes float64, known bool, err error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false, nil
	}
	words, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%s: %q is no count", name, strings.TrimSpace(string(text)))
	}
	return float64(words) * word, true, nil
}
