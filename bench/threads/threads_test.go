package threads

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func policy(t *testing.T, tid int) uint32 {
	t.Helper()
	attr, err := unix.SchedGetAttr(tid, 0)
	if err != nil {
		t.Skipf("this system does not tell how threads are scheduled: %v", err)
	}
	return attr.Policy
}

// TestMeasure: the thread that measures is an ordinary one, whatever it came from; the others, and what they start, give way.
func TestMeasure(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if before := policy(t, 0); before != unix.SCHED_NORMAL && before != unix.SCHED_BATCH {
		t.Skipf("this test was started with scheduling policy %d", before)
	}
	for range 2 {
		if err := Measure(); err != nil {
			t.Fatal(err)
		}
		if got := policy(t, 0); got != unix.SCHED_NORMAL {
			t.Errorf("the measuring thread has policy %d", got)
		}
		others, _ := os.ReadDir("/proc/self/task")
		for _, o := range others {
			if text, err := os.ReadFile("/proc/self/task/" + o.Name() + "/sched"); err == nil && o.Name() != strconv.Itoa(unix.Gettid()) && !strings.Contains(squeezed(text), "policy : 3") {
				t.Errorf("thread %s does not give way:\n%s", o.Name(), text)
			}
		}
		if err := Yield(); err != nil {
			t.Fatal(err)
		}
		if got := policy(t, 0); got != unix.SCHED_BATCH {
			t.Errorf("the thread has policy %d after Yield", got)
		}
	}
	out, err := exec.Command("cat", "/proc/self/sched").Output()
	if err == nil && !strings.Contains(squeezed(out), "policy : 3") {
		t.Errorf("a process that was started then does not give way:\n%s", out)
	}
}

func squeezed(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }
