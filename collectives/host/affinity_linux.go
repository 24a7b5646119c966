package host

import (
	"sync"

	"golang.org/x/sys/unix"
)

// CPUs are the processors that the process may use, as it found them when it first asked.
var CPUs = sync.OnceValue(func() (cpus []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return []int{0}
	}
	for i := 0; len(cpus) < set.Count(); i++ {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus
})

// Pin keeps the calling thread on one CPU until the function that it returns is called. Where that is refused, the
// thread stays free: only timings suffer.
func Pin(cpu int) (unpin func()) {
	var before, set unix.CPUSet
	if unix.SchedGetaffinity(0, &before) != nil {
		return func() {}
	}
	set.Set(cpu)
	if unix.SchedSetaffinity(0, &set) != nil {
		return func() {}
	}
	return func() { _ = unix.SchedSetaffinity(0, &before) }
}
