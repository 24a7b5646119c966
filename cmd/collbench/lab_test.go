package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
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
	"collbench/bench/summary"
)

// labRun is a lab under way, of this test binary copied to where anybody may run it.
type labRun struct {
	cmd            *exec.Cmd
	dir, mark      string
	stdout, stderr bytes.Buffer
	ended          chan struct{} // closed when the outer process has been waited for
}

// labUsers are whom the lab runs as: oneself, and somebody unprivileged where root can become that.
func labUsers(t *testing.T, f func(t *testing.T, as *syscall.Credential)) {
	t.Run("self", func(t *testing.T) { f(t, nil) })
	t.Run("nobody", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can become somebody else; the test before ran unprivileged")
		}
		f(t, &syscall.Credential{Uid: 65534, Gid: 65534})
	})
}

func startLab(t *testing.T, as *syscall.Credential, args ...string) *labRun {
	t.Helper()
	open := t.TempDir()
	for _, dir := range []string{open, filepath.Dir(open)} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(open, "collbench")
	if out, err := exec.Command("cp", self, program).CombinedOutput(); err != nil {
		t.Fatalf("copying the program: %v: %s", err, out)
	}
	l := &labRun{dir: filepath.Join(open, "run"), mark: fmt.Sprintf("COLLBENCH_TEST_MARK=%d", time.Now().UnixNano()), ended: make(chan struct{})}
	l.cmd = exec.Command(program, append([]string{"lab", "--out", l.dir, "--format", "json"}, args...)...)
	l.cmd.Env = append(os.Environ(), l.mark)
	l.cmd.Dir = open
	l.cmd.Stdout, l.cmd.Stderr = &l.stdout, &l.stderr
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		l.cmd.Wait()
		close(l.ended)
	}()
	t.Cleanup(func() {
		l.cmd.Process.Kill()
		<-l.ended
	})
	return l
}

// end waits for the lab and for all its processes to be gone. It skips the test where namespaces are refused.
func (l *labRun) end(t *testing.T) (code int) {
	t.Helper()
	<-l.ended
	why := l.stderr.String()
	if strings.Contains(why, "refused here") {
		t.Skip(why)
	}
	if strings.Contains(why, "the CPUs, not the links, were the limit") {
		t.Skip("this machine is too busy for a virtual cluster: " + why)
	}
	var left []int
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if left = l.processes(t); len(left) == 0 {
			return l.cmd.ProcessState.ExitCode()
		}
	}
	t.Errorf("processes left behind: %v", left)
	return l.cmd.ProcessState.ExitCode()
}

// processes lists all living processes of the lab: outer, inner and workers, in the order of their start.
func (l *labRun) processes(t *testing.T) (found []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environment, _ := os.ReadFile("/proc/" + e.Name() + "/environ") // it may just have ended
		if strings.Contains(string(environment), l.mark) {
			found = append(found, pid)
		}
	}
	return found
}

// working waits until so many processes are there and the first case has ended.
func (l *labRun) working(t *testing.T, processes int) []int {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		first, _ := os.ReadFile(filepath.Join(l.dir, "results.jsonl")) // it is there as soon as a case has ended
		if found := l.processes(t); len(found) >= processes && bytes.Contains(first, []byte("\n")) {
			return found
		}
		select {
		case <-l.ended:
			l.end(t)
			t.Fatalf("ended before it was seen at work:\n%s", l.stderr.String())
		default:
		}
	}
	l.cmd.Process.Kill()
	l.end(t)
	t.Fatalf("no %d processes with a first result:\n%s", processes, l.stderr.String())
	return nil
}

// kept are the results in the run folder.
func (l *labRun) kept(t *testing.T) []bench.Result {
	t.Helper()
	runs, warnings, err := store.Read(l.dir)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("reading the run folder: %v %v", err, warnings)
	}
	return runs[0].Results
}

// rows are those on standard output, by algorithm.
func (l *labRun) rows(t *testing.T) map[string]summary.Row {
	t.Helper()
	rows := map[string]summary.Row{}
	for line := range strings.Lines(l.stdout.String()) {
		var row summary.Row
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows[row.Algorithm] = row
	}
	return rows
}

// agree checks counted bytes against the program's and the model against the clock.
func agree(t *testing.T, rows map[string]summary.Row, modelWithin float64) {
	t.Helper()
	for name, row := range rows {
		if row.Status != bench.OK || row.Counted == nil || row.Model == nil || row.Seconds == nil {
			t.Errorf("%s: %s %s: want a measured, counted and predicted row", name, row.Status, row.Error)
			continue
		}
		sent := row.Counted.BytesSent / float64(row.Operations.BytesSent)
		received := row.Counted.BytesReceived / float64(row.Operations.BytesReceived)
		if sent < 1 || sent > 1.08 || received < 1 || received > 1.08 {
			t.Errorf("%s: counted %.3f sent and %.3f received in units of the program's bytes, want 1 … 1.08", name, sent, received)
		}
		if r := row.Model.Seconds / row.Seconds.Median; math.Abs(r-1) > modelWithin {
			t.Errorf("%s: the model's %.4g s are %.3f of the measured %.4g s", name, row.Model.Seconds, r, row.Seconds.Median)
		}
		t.Logf("%s: %.4g s, model ÷ measured %.3f, counted ÷ program %.3f", name, row.Seconds.Median, row.Model.Seconds/row.Seconds.Median, sent)
	}
}

func TestLabAgreesWithProgramAndModel(t *testing.T) {
	labUsers(t, func(t *testing.T, as *syscall.Credential) {
		l := startLab(t, as, "--vms", "4", "--link", "100Mbit", "--bytes", "1MiB", "--iterations", "6", "--warmup", "1")
		if code := l.end(t); code != exitOK {
			t.Fatalf("exit %d:\n%s", code, l.stderr.String())
		}
		rows := l.rows(t)
		agree(t, rows, 0.3) // other tests share the CPUs: TestLabAcceptance is the strict one
		if ratio := rows["ring"].Seconds.Median / rows["sharp"].Seconds.Median; ratio < 1.2 || ratio > 1.65 {
			t.Errorf("ring takes %.3f times as long as sharp, want about 1.5", ratio)
		}
	})
}

func TestLabSaysThatTheCPUsWereTheLimit(t *testing.T) {
	l := startLab(t, nil, "--vms", "8", "--link", "50Gbit", "--bytes", "8MiB", "--algorithm", "ring", "--iterations", "5", "--warmup", "0")
	<-l.ended
	if strings.Contains(l.stderr.String(), "refused here") {
		t.Skip(l.stderr.String())
	}
	row := l.rows(t)["ring"]
	if code := l.cmd.ProcessState.ExitCode(); code != exitInconclusive || row.Status != bench.Unproven || row.Seconds != nil || row.BusBW != nil {
		t.Errorf("exit %d, want %d and a row without figures:\n%s%s", code, exitInconclusive, l.stdout.String(), l.stderr.String())
	}
	if !strings.Contains(row.Error, "the CPUs, not the links, were the limit") || !strings.Contains(l.stderr.String(), "unproven") {
		t.Errorf("the row says %q, the progress\n%s", row.Error, l.stderr.String())
	}
}

func TestLabRanksShareALink(t *testing.T) {
	l := startLab(t, nil, "--vms", "2", "--ranks-per-vm", "2", "--link", "100Mbit,vm1:rx=50Mbit", "--algorithm", "ring,hierarchical", "--bytes", "512KiB",
		"--iterations", "6", "--warmup", "1")
	if code := l.end(t); code != exitOK {
		t.Fatalf("exit %d:\n%s", code, l.stderr.String())
	}
	for name, row := range l.rows(t) {
		if row.Status != bench.OK || row.Transport != "shm+tcp" || row.Domain != 2 || row.Hosts != 2 {
			t.Errorf("%s: %+v", name, row)
		}
		// Both programs send S·2(V−1)/V over the link of VM 0, of which each of its two ranks has one half (the ring
		// by one of them: 2(N−1)/N).
		want := map[string]float64{"ring": 1.5 / 2, "hierarchical": 1.0 / 2}[name] * float64(row.Bytes)
		if row.Counted.BytesSent < want || row.Counted.BytesSent > 1.08*want {
			t.Errorf("%s: counted %.0f bytes a rank, want %.0f and headers", name, row.Counted.BytesSent, want)
		}
	}
}

// severalCases take a quarter of a second each on two ranks and one switch.
var severalCases = []string{"--vms", "2", "--algorithm", "nvls", "--bytes", "64K:144K:+16K", "--iterations", "20"}

func TestLabKilled(t *testing.T) {
	labUsers(t, func(t *testing.T, as *syscall.Credential) {
		l := startLab(t, as, severalCases...)
		l.working(t, 5) // outer, inner, two ranks, one switch
		l.cmd.Process.Kill()
		l.end(t)
		if len(l.kept(t)) == 0 {
			t.Error("no result was kept")
		}
	})
}

func TestLabInterrupted(t *testing.T) {
	l := startLab(t, nil, severalCases...)
	l.working(t, 5)
	l.cmd.Process.Signal(syscall.SIGINT)
	if code := l.end(t); code != exitInterrupted || !strings.Contains(l.stderr.String(), "interrupted") {
		t.Errorf("exit %d:\n%s", code, l.stderr.String())
	}
	if len(l.kept(t)) == 0 {
		t.Error("no result was kept")
	}
}

func TestLabSwitchKilled(t *testing.T) {
	l := startLab(t, nil, severalCases...)
	found := l.working(t, 5)
	if err := syscall.Kill(found[len(found)-1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := l.end(t); code != exitFailed || !strings.Contains(l.stdout.String(), "switch 0 on switch (pid ") {
		t.Errorf("exit %d: want a row that names the switch:\n%s%s", code, l.stdout.String(), l.stderr.String())
	}
}

// acceptance is the variable that asks for the strict comparison.
const acceptance = "COLLBENCH_ACCEPTANCE"

func TestLabAcceptance(t *testing.T) {
	if os.Getenv(acceptance) == "" {
		t.Skip("needs a quiet machine and three minutes: set " + acceptance + "=1")
	}
	labUsers(t, func(t *testing.T, as *syscall.Credential) {
		for _, vms := range []int{8, 4, 2} {
			t.Run(fmt.Sprint(vms), func(t *testing.T) {
				l := startLab(t, as, "--vms", strconv.Itoa(vms), "--link", "100Mbit", "--bytes", "4MiB", "--algorithm", "ring,nvls,sharp")
				if code := l.end(t); code != exitOK {
					t.Fatalf("exit %d:\n%s", code, l.stderr.String())
				}
				rows, n := l.rows(t), float64(vms)
				agree(t, rows, 0.1)
				for name, want := range map[string]float64{"sharp": 2 * (n - 1) / n, "nvls": 2 * (n - 1) / (n + 1)} {
					if got := rows["ring"].Seconds.Median / rows[name].Seconds.Median; math.Abs(got/want-1) > 0.05 {
						t.Errorf("ring ÷ %s is %.3f, want %.3f within 5 %%", name, got, want)
					} else {
						t.Logf("ring ÷ %s is %.3f of %.3f", name, got, want)
					}
				}
			})
		}
	})
}
