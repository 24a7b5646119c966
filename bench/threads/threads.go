// Package threads keeps whatever else runs in collbench's processes off the back of the thread that measures.
//
// A launcher commonly binds a rank to one core, and everything that the rank starts: its agent, and the threads of Go's runtime,
// one of which wakes every 20 µs at first when a thread is in a long call. Each wake interrupts the measuring thread, and with it
// all ranks that wait for this one. Threads of the kind that Linux calls batch do not interrupt on waking: they take their turn
// at the next tick of the clock, some milliseconds later, or when the core is free.
package threads

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Yield has all threads of this process give way to others on the same core, and with them what they start: threads and processes.
func Yield() error { return change(unix.SCHED_NORMAL, unix.SCHED_BATCH, "") }

// Measure has the calling thread, which its goroutine keeps (runtime.LockOSThread), go before the others of its process, and what
// it starts with it.
func Measure() error {
	if err := Yield(); err != nil {
		return err
	}
	return change(unix.SCHED_BATCH, unix.SCHED_NORMAL, strconv.Itoa(unix.Gettid()))
}

// change gives threads that have the one policy the other: the one named, or all. Whoever has been given another kind of place, a
// real-time one for example, keeps it.
func change(from, to uint32, only string) error {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("listing this process's threads: %w", err)
	}
	for _, e := range entries {
		tid, err := strconv.Atoi(e.Name())
		if err != nil || only != "" && e.Name() != only {
			continue
		}
		attr, err := unix.SchedGetAttr(tid, 0)
		if err != nil || attr.Policy != from {
			continue
		}
		attr.Policy = to
		if err := unix.SchedSetAttr(tid, attr, 0); err != nil && err != unix.ESRCH { // ESRCH: it has ended
			return fmt.Errorf("scheduling thread %d: %w", tid, err)
		}
	}
	return nil
}
