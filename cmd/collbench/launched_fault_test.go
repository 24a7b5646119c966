package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// fleet is ranks that met through a file and measure for long.
type fleet struct {
	ranks  []*exec.Cmd
	stderr []*bytes.Buffer
	dir    string
	meet   string // the file through which they met
}

func startFleet(t *testing.T, args ...string) fleet { return startRanks(t, 4, nil, args...) }

// startRanks starts so many ranks with the environment besides their own.
func startRanks(t *testing.T, n int, environment []string, args ...string) fleet {
	t.Helper()
	f := fleet{dir: filepath.Join(t.TempDir(), "run"), meet: filepath.Join(t.TempDir(), "meet")}
	args = append([]string{"run", "--bytes", "64K,1M", "--algorithm", "ring,nvls", "--timeout", "2s", "--out", f.dir}, args...)
	f.ranks, f.stderr = members(t, n, args, func(rank int) []string {
		return append([]string{fmt.Sprintf("COLLBENCH_RANK=%d", rank), fmt.Sprintf("COLLBENCH_SIZE=%d", n), "COLLBENCH_RENDEZVOUS=file:" + f.meet}, environment...)
	})
	return f
}

// workersOf lists the processes that a rank has started, as soon as there are any.
func workersOf(t *testing.T, cmd *exec.Cmd) []int {
	return (&measured{cmd: cmd}).children(t, 1)
}

// end waits until all ranks have ended, and returns their exit codes.
func (f fleet) end(t *testing.T, within time.Duration, workers []int) (codes []int) {
	t.Helper()
	timer := time.AfterFunc(within, func() {
		for _, cmd := range f.ranks {
			cmd.Process.Kill()
		}
	})
	for _, cmd := range f.ranks {
		cmd.Wait()
		codes = append(codes, cmd.ProcessState.ExitCode())
	}
	if !timer.Stop() {
		t.Errorf("not all ended within %s:\n%s", within, f.stderr[0])
	}
	for _, pid := range workers {
		for deadline := time.Now().Add(2 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("worker %d is left", pid)
				break
			}
		}
	}
	return codes
}

// all lists the workers of all ranks.
func (f fleet) all(t *testing.T) (list []int) {
	for _, cmd := range f.ranks {
		list = append(list, workersOf(t, cmd)...)
	}
	return list
}

// TestAWorkerOfAFleetIsNamed: a worker that dies or stops fails its case, by name; the others are measured.
func TestAWorkerOfAFleetIsNamed(t *testing.T) {
	host, _ := os.Hostname()
	for signal, want := range map[syscall.Signal]string{syscall.SIGKILL: "was killed by signal 9 (SIGKILL)", syscall.SIGSTOP: "is stopped"} {
		f := startFleet(t, "--budget", "2s")
		workers := f.all(t)
		time.Sleep(300 * time.Millisecond)
		victim := workersOf(t, f.ranks[2])[0]
		syscall.Kill(victim, signal)
		codes := f.end(t, 30*time.Second, workers)
		if !slices.Equal(codes, []int{exitFailed, 0, 0, 0}) {
			t.Errorf("exit codes %v\n%s", codes, f.stderr[0])
		}
		runs, _, err := store.Read(f.dir)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for _, r := range runs[0].Results {
			if r.Status == bench.Failed {
				failed++
				if !strings.Contains(r.Error, fmt.Sprintf("rank 2 on %s (pid %d) %s", host, victim, want)) {
					t.Errorf("%v: %s", signal, r.Error)
				}
			}
		}
		if failed != 1 || len(runs[0].Results) != 4 {
			t.Errorf("%v: %d of %d cases failed\n%s", signal, failed, len(runs[0].Results), f.stderr[0])
		}
	}
}

// TestAnAgentIsNamed: without the agent of a rank the job cannot go on. It ends at once and says why.
func TestAnAgentIsNamed(t *testing.T) {
	f := startFleet(t, "--budget", "60s")
	workers := f.all(t)
	time.Sleep(300 * time.Millisecond)
	f.ranks[3].Process.Kill()
	f.end(t, 8*time.Second, workers)
	host, _ := os.Hostname()
	if want := fmt.Sprintf("rank 3 on %s: its agent (pid %d) is gone", host, f.ranks[3].Process.Pid); !strings.Contains(f.stderr[0].String(), want) {
		t.Errorf("want %s in\n%s", want, f.stderr[0])
	}
}

// TestRankZeroIsKilled: the others and their workers end too.
func TestRankZeroIsKilled(t *testing.T) {
	f := startFleet(t, "--budget", "60s")
	workers := f.all(t)
	f.ranks[0].Process.Kill()
	for rank, code := range f.end(t, 5*time.Second, workers)[1:] {
		if code != exitEnvironment || !strings.Contains(f.stderr[rank+1].String(), "is gone") {
			t.Errorf("rank %d: exit %d %s", rank+1, code, f.stderr[rank+1])
		}
	}
}

// TestAnyRankEndsAll: Ctrl-C or SIGTERM on any rank ends all within five seconds, and what was measured is kept.
func TestAnyRankEndsAll(t *testing.T) {
	for rank, signal := range map[int]syscall.Signal{0: syscall.SIGINT, 2: syscall.SIGTERM} {
		f := startFleet(t, "--budget", "60s")
		workers := f.all(t)
		time.Sleep(500 * time.Millisecond)
		f.ranks[rank].Process.Signal(signal)
		codes := f.end(t, 5*time.Second, workers)
		if codes[0] != exitInterrupted || codes[rank] != exitInterrupted {
			t.Errorf("rank %d, %v: exit codes %v\n%s", rank, signal, codes, f.stderr[0])
		}
		if want := fmt.Sprintf("rank %d on", rank); rank > 0 && !strings.Contains(f.stderr[0].String(), want) {
			t.Errorf("want %q in\n%s", want, f.stderr[0])
		}
		if _, _, err := store.Read(f.dir); err != nil {
			t.Error(err)
		}
	}
}

// TestAStoppedAgentIsNamed: nobody waits for it for ever, not even its launcher; neither in the middle of a run nor
// at its end.
func TestAStoppedAgentIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as an agent may be silent")
	}
	for _, args := range [][]string{{"--budget", "60s", "--precision", "0.001%"}, {"--budget", "2s"}} {
		f := startFleet(t, args...)
		workers := f.all(t)
		f.ranks[1].Process.Signal(syscall.SIGSTOP)
		f.end(t, 20*time.Second, workers)
		host, _ := os.Hostname()
		if want := fmt.Sprintf("rank 1 on %s: its agent (pid %d) does not answer", host, f.ranks[1].Process.Pid); !strings.Contains(f.stderr[0].String(), want) {
			t.Errorf("%s: want %s in\n%s", args, want, f.stderr[0])
		}
	}
}
