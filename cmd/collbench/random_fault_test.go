package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// mishap is what can happen to a rank: to the worker that measures, or to the agent that the launcher has started.
type mishap struct {
	agent  bool
	signal syscall.Signal
}

var mishaps = []mishap{
	{false, syscall.SIGKILL}, {false, syscall.SIGSTOP}, {true, syscall.SIGKILL}, {true, syscall.SIGTERM}, {false, syscall.SIGKILL}, {true, syscall.SIGSTOP},
}

// TestRandomFaultsOfAFleet strikes a random rank of six, whose agents are a deep tree, at a random moment, so often as
// COLLBENCH_TEST_FAULTS says. What strikes a worker fails one case, by name, and the others are measured; without an
// agent the run ends, and says whose it was. No case that was finished before is lost, and no process, socket or file
// is left.
func TestRandomFaultsOfAFleet(t *testing.T) {
	const seed = 3
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range faults(t) {
		m, rank := mishaps[i%len(mishaps)], random.IntN(6)
		if m.agent && m.signal == syscall.SIGSTOP {
			rank = 1 + random.IntN(5) // nobody is left to say anything of rank 0, and its launcher would wait
		}
		delay := time.Duration(random.IntN(800)) * time.Millisecond
		t.Run(fmt.Sprintf("%d: %v of rank %d after %s, agent %v", i, m.signal, rank, delay, m.agent), func(t *testing.T) { strike(t, m, rank, delay) })
	}
}

func strike(t *testing.T, m mishap, rank int, delay time.Duration) {
	mark := fmt.Sprintf("COLLBENCH_TEST_MARK=%d", time.Now().UnixNano())
	before := sockets(t)
	f := startRanks(t, 6, []string{mark, "COLLBENCH_TEST_FANOUT=2"}, "--budget", "1s")
	f.all(t)
	time.Sleep(delay)
	workers := f.all(t)
	victim := f.ranks[rank].Process.Pid
	if !m.agent {
		victim = workersOf(t, f.ranks[rank])[0]
	}
	kept, _ := os.ReadFile(filepath.Join(f.dir, "results.jsonl"))
	if err := syscall.Kill(victim, m.signal); err != nil {
		t.Logf("%v: the run was over", err)
	}
	codes := f.end(t, 40*time.Second, workers)
	now, _ := os.ReadFile(filepath.Join(f.dir, "results.jsonl"))
	if lines := kept[:bytes.LastIndexByte(kept, '\n')+1]; !bytes.HasPrefix(now, lines) {
		t.Error("a finished case is lost")
	}
	if _, err := os.Stat(f.meet); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left in which the ranks met: %v", err)
	}
	f.nothingLeft(t, mark, before)
	if m.agent && rank == 0 && m.signal == syscall.SIGKILL {
		return // nobody can say anything
	}
	runs, _, err := store.Read(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, r := range runs[0].Results {
		if r.Status == bench.Failed {
			failed++
		}
	}
	said, total := f.stderr[0].String(), len(runs[0].Results)
	named := strings.Contains(said, fmt.Sprintf("(pid %d) ", victim)) || m.signal == syscall.SIGTERM && (rank == 0 || strings.Contains(said, fmt.Sprintf("rank %d on", rank)))
	over := codes[0] == 0 && failed == 0 && total == 4 // struck after the last case: nobody minds
	ended := m.agent && named && codes[0] != 0
	if !over && !ended && (codes[0] != exitFailed || failed != 1 || !named || total != 4) {
		t.Errorf("exit codes %v, %d of %d failed, named %v\n%s", codes, failed, total, named, said)
	}
}

// nothingLeft waits until no process with the mark in its environment is left, and no socket that was not there before.
func (f fleet) nothingLeft(t *testing.T, mark string, before map[string]bool) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		left = nil
		for _, pid := range (&labRun{mark: mark}).processes(t) {
			left = append(left, "process "+strconv.Itoa(pid))
		}
		for name := range sockets(t) {
			if !before[name] {
				left = append(left, "socket "+name)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("left behind: %s", strings.Join(left, ", "))
}

// sockets lists our sockets at abstract addresses.
func sockets(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if i := strings.Index(line, "@collbench-"); i >= 0 {
			list[strings.TrimSpace(line[i:])] = true
		}
	}
	return list
}

// faults is how many faults are tried: COLLBENCH_TEST_FAULTS, or a few.
func faults(t *testing.T) int {
	t.Helper()
	text := os.Getenv("COLLBENCH_TEST_FAULTS")
	if text == "" {
		return 4
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
