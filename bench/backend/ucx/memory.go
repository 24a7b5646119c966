package ucx

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"collbench/bench/unit"
)

// fits says why so many bytes for each of the ranks of a host, which are all touched, are more than it has: the kernel would give them
// all the same, and end a process when they are touched. Where nothing tells, it says nothing.
func fits(bytes int64, ranks int) error {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var kilobytes int64
		text, ok := strings.CutPrefix(lines.Text(), "MemAvailable:")
		if !ok {
			continue
		}
		if _, err := fmt.Sscan(text, &kilobytes); err == nil && bytes > kilobytes<<10/int64(max(1, ranks)) {
			return fmt.Errorf("%s of memory for each of %d ranks of this host: it has %.1f GiB left", unit.Bytes(bytes), ranks, float64(kilobytes)/(1<<20))
		}
	}
	return nil
}
