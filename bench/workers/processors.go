package workers

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"collbench/bench"

	"golang.org/x/sys/unix"
)

// CPUs lists the processors that this process may use.
func CPUs() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	var list []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	return list
}

// processors is the time that the usable processors have spent so far, in ticks.
type processors struct {
	busy, total uint64
	ok          bool
}

// readProcessors reads /proc/stat (proc_stat(5)): per processor user, nice, system, idle, iowait, irq, softirq,
// steal. Time stolen by the hypervisor counts as busy: it was not there to be used.
func readProcessors() (p processors) {
	file, err := os.Open("/proc/stat")
	if err != nil {
		return p
	}
	defer file.Close()
	usable := map[string]bool{}
	for _, cpu := range CPUs() {
		usable[fmt.Sprintf("cpu%d", cpu)] = true
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 9 || !usable[fields[0]] {
			continue
		}
		for i, field := range fields[1:9] {
			ticks, err := strconv.ParseUint(field, 10, 64)
			if err != nil {
				return processors{}
			}
			p.total += ticks
			if i != 3 && i != 4 { // idle, iowait
				p.busy += ticks
			}
		}
		p.ok = true
	}
	return p
}

// leastTicks is the least time, in ticks, that a fraction can be made of.
const leastTicks = 10

// since is how busy the processors were since p was read; nil where nothing tells.
func (p processors) since() *bench.CPU {
	now := readProcessors()
	if !p.ok || !now.ok || now.total < p.total+leastTicks || now.busy < p.busy {
		return nil
	}
	return &bench.CPU{Busy: min(1, float64(now.busy-p.busy)/float64(now.total-p.total))}
}
