package sidebyside

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Alternate starts the commands together and lets one of them go on at a time, a slot each in turn, until all have ended: what the
// machine does meanwhile falls on all alike, however often it changes. What was under way at the end of a slot takes as long as
// the others' slots; the median over samples that are much shorter than a slot does not see it. It is the processes below a command
// that are held, not the command itself. between is called before every slot. An error is the first command's that failed; the
// others have been killed then.
func Alternate(slot time.Duration, between func(), commands ...*exec.Cmd) error {
	type end struct {
		command *exec.Cmd
		err     error
	}
	ended := make(chan end, len(commands))
	var live []*exec.Cmd
	var failed error
	for _, c := range commands {
		if failed = c.Start(); failed != nil {
			break
		}
		live = append(live, c)
		go func() { ended <- end{c, c.Wait()} }()
	}
	for turn := 0; len(live) > 0; turn++ {
		if failed != nil {
			for _, c := range live {
				signalBelow(c, syscall.SIGKILL)
				c.Process.Kill()
			}
		}
		between()
		for i := range live { // whoever is to rest does so before the other goes on
			if i != turn%len(live) {
				signalBelow(live[i], syscall.SIGSTOP)
			}
		}
		signalBelow(live[turn%len(live)], syscall.SIGCONT)
		select {
		case e := <-ended:
			live = slices.DeleteFunc(live, func(c *exec.Cmd) bool { return c == e.command })
			if e.err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", e.command, e.err)
			}
		case <-time.After(slot):
		}
	}
	return failed
}

// signalBelow sends the signal to all processes that descend from the command.
func signalBelow(c *exec.Cmd, signal syscall.Signal) {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent, err := parentOf(path); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	below := []int{c.Process.Pid}
	for len(below) > 0 {
		own := children[below[0]]
		for _, pid := range own {
			syscall.Kill(pid, signal)
		}
		below = append(below[1:], own...)
	}
}

// parentOf reads the parent in /proc/PID/stat: "PID (NAME) STATE PARENT …", where the name may hold anything.
func parentOf(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 2 {
		return 0, errors.New(path + ": no parent in it")
	}
	return strconv.Atoi(string(fields[1]))
}
