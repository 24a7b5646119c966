package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// tinyDisk names a folder on which enterTinyDisk mounts a file system with hardly any room.
const tinyDisk = "COLLBENCH_TEST_TINY_DISK"

func enterTinyDisk() {
	if dir := os.Getenv(tinyDisk); dir != "" && os.Getpid() == 1 {
		if err := syscall.Mount("tiny", dir, "tmpfs", 0, "size=24k"); err != nil {
			fmt.Fprintln(os.Stderr, "no tiny disk:", err)
			os.Exit(99)
		}
	}
}

// measured is a run under way.
type measured struct {
	cmd    *exec.Cmd
	dir    string
	stderr bytes.Buffer
}

// startRun starts a run that takes a few seconds: its budget, since no machine is so quiet that it reaches the
// precision before.
func startRun(t *testing.T, args ...string) *measured {
	t.Helper()
	m := &measured{dir: filepath.Join(t.TempDir(), "run")}
	m.cmd = exec.Command(os.Args[0], append([]string{"run", "-n", "3", "--out", m.dir, "--algorithm", "ring,nvls",
		"--bytes", "64K,1M", "--budget", "3s", "--precision", "0.0001%", "--timeout", "2s"}, args...)...)
	m.cmd.Stderr = &m.stderr
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.cmd.Process.Kill() })
	return m
}

// end waits for the run and returns its exit code and what it kept. No process of it may be left.
func (m *measured) end(t *testing.T, within time.Duration, workers []int) (code int, results []bench.Result) {
	t.Helper()
	timer := time.AfterFunc(within, func() { m.cmd.Process.Kill() })
	m.cmd.Wait()
	if !timer.Stop() {
		t.Fatalf("the run did not end within %s:\n%s", within, m.stderr.String())
	}
	for _, pid := range workers {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("worker %d is left: %v", pid, err)
		}
	}
	runs, warnings, err := store.Read(m.dir)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("reading the run folder: %v %v", err, warnings)
	}
	return m.cmd.ProcessState.ExitCode(), runs[0].Results
}

// children lists the processes that the run has started, as soon as there are so many.
func (m *measured) children(t *testing.T, n int) []int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		var pids []int
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", m.cmd.Process.Pid))
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			for word := range strings.FieldsSeq(string(text)) {
				pid, _ := strconv.Atoi(word)
				pids = append(pids, pid)
			}
		}
		if len(pids) >= n {
			return pids
		}
	}
	t.Fatalf("no %d workers:\n%s", n, m.stderr.String())
	return nil
}

// TestFaultsAtAnyMoment kills or stops a node at a random moment. The run goes on: the case in hand fails with a
// message that names the node, the others are measured, and nothing is left.
func TestFaultsAtAnyMoment(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range 6 {
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP}[i%2]
		m := startRun(t)
		workers := m.children(t, 4)
		delay := time.Duration(random.IntN(1500)) * time.Millisecond
		victim := random.IntN(len(workers))
		time.Sleep(delay)
		workers = m.children(t, 4)
		if err := syscall.Kill(workers[victim], signal); err != nil {
			t.Logf("seed %d, fault %d: %v: the run was over", seed, i, err)
		}
		code, results := m.end(t, 30*time.Second, workers)
		failed := 0
		for _, r := range results {
			switch r.Status {
			case bench.Failed:
				failed++
				want := map[syscall.Signal]string{syscall.SIGKILL: "was killed by signal 9 (SIGKILL)", syscall.SIGSTOP: "is stopped"}[signal]
				if !strings.Contains(r.Error, fmt.Sprintf("(pid %d) %s", workers[victim], want)) {
					t.Errorf("seed %d, fault %d: %s", seed, i, r.Error)
				}
			case bench.OK:
			default:
				t.Errorf("seed %d, fault %d: %s is %s: %s", seed, i, r.Case, r.Status, r.Error)
			}
		}
		switch {
		case code == exitEnvironment && len(results) == 0: // struck while the processes started
			if !strings.Contains(m.stderr.String(), fmt.Sprintf("(pid %d)", workers[victim])) {
				t.Errorf("seed %d, fault %d: %s", seed, i, m.stderr.String())
			}
		case code != exitFailed || failed != 1 || len(results) != 4:
			t.Errorf("seed %d, fault %d (%v after %s): exit %d, %d of %d results failed\n%s", seed, i, signal, delay, code, failed, len(results), m.stderr.String())
		}
	}
}

func TestInterruptAtAnyMoment(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 0))
	for i := range 4 {
		signal := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2]
		m := startRun(t, "--budget", "60s")
		workers := m.children(t, 1)
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		workers = m.children(t, 1)
		m.cmd.Process.Signal(signal)
		code, results := m.end(t, 5*time.Second, workers)
		if code != exitInterrupted || !strings.Contains(m.stderr.String(), "interrupted: ") {
			t.Errorf("%v: exit %d\n%s", signal, code, m.stderr.String())
		}
		for _, r := range results {
			if r.Status != bench.OK && r.Status != bench.Interrupted {
				t.Errorf("%s is %s: %s", r.Case, r.Status, r.Error)
			}
		}
	}
}

func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	cmd := exec.Command(os.Args[0], "run", "-n", "2", "--bytes", "8:4K:x2", "--iterations", "100", "--warmup", "0",
		"--format", "json", "--out", filepath.Join(disk, "run"))
	cmd.Env = append(os.Environ(), tinyDisk+"="+disk)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99 {
		t.Skipf("no namespace to mount a small disk in: %v %s", err, stderr.String())
	}
	if code := cmd.ProcessState.ExitCode(); code != exitEnvironment || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit %d\n%s", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), `"status":"ok"`) {
		t.Error("nothing was measured before the disk was full")
	}
}
