package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench/store"
)

func TestLaunchHere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(os.Args[0], slices.Concat([]string{"launch", "-n", "4", "--"}, fourRanks(dir))...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	checkFourRanks(t, dir, "collbench launch")
	for _, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n") {
		if !strings.HasPrefix(line, "[0] ") {
			t.Errorf("stdout: %q", line)
		}
	}
	if !strings.Contains(stdout.String(), "all_reduce") || !strings.Contains(stderr.String(), "[0] collbench: 4 ranks on 1 host, started by collbench launch\n") {
		t.Errorf("%s%s", stdout.String(), stderr.String())
	}
}

func TestLaunchOverSSH(t *testing.T) {
	s := loopbackShell(t)
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(os.Args[0], s.launch("127.0.0.2:2,127.0.0.3:2", append([]string{"--"}, fourRanks(dir)...)...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkFourRanks(t, dir, "collbench launch")
}

// TestLaunchWhoami: ranks lie in order over the hosts, and get what they are given.
func TestLaunchWhoami(t *testing.T) {
	s := loopbackShell(t)
	hostfile := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hostfile, []byte("127.0.0.3 slots=1 # first\n\n127.0.0.2:3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "launch", "--ssh", s.command, "--binary", s.binary, "--hostfile", hostfile, "-n", "3", "--prefix", "host", "-x", "SLURM_NTASKS=7", "--", "whoami")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"[0,127.0.0.3] rank 0 of 3, by collbench launch", "[1,127.0.0.2] rank 1 of 3,", "[2,127.0.0.2] rank 2 of 3,",
		"[0,127.0.0.3]   local size  1,", "[1,127.0.0.2]   local rank  0,", "[2,127.0.0.2]   local rank  1,", "[2,127.0.0.2]   local size  2,",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
}

// launched is a long measurement of four ranks on two hosts behind ssh.
type launched struct {
	cmd    *exec.Cmd
	dir    string
	mark   string // in the environment of all its ranks and workers
	binary string
	stderr bytes.Buffer
}

func startLaunched(t *testing.T, s *shell, hosts string) *launched {
	t.Helper()
	dir := t.TempDir()
	l := &launched{dir: filepath.Join(dir, "run"), mark: "COLLBENCH_TEST_MARK=" + dir, binary: s.binary}
	l.cmd = exec.Command(os.Args[0], s.launch(hosts, "-x", l.mark, "--", "run", "--bytes", "64K,1M", "--algorithm", "ring", "--iterations", "10",
		"--launches", "1000", "--timeout", "10s", "--transport", "tcp", "--out", l.dir)...)
	l.cmd.Stdout, l.cmd.Stderr = &l.stderr, &l.stderr
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.cmd.Process.Kill() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if text, _ := os.ReadFile(filepath.Join(l.dir, "results.jsonl")); bytes.Count(text, []byte("\n")) > 1 {
			return l
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is measured:\n%s", l.stderr.String())
		}
	}
}

// rank finds the process of a rank.
func (l *launched) rank(t *testing.T, rank int) int {
	t.Helper()
	for _, pid := range processes(l.mark) {
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(string(environ), fmt.Sprintf("\x00COLLBENCH_RANK=%d\x00", rank)) && strings.Contains(string(command), "\x00run\x00") {
			return pid
		}
	}
	t.Fatalf("no rank %d", rank)
	return 0
}

// end waits for the launcher's end, and sees that nothing is left and that what was measured was kept.
func (l *launched) end(t *testing.T, within time.Duration) (code int, took time.Duration) {
	t.Helper()
	begin := time.Now()
	timer := time.AfterFunc(within, func() { l.cmd.Process.Kill() })
	l.cmd.Wait()
	if took = time.Since(begin); !timer.Stop() {
		t.Errorf("the launcher did not end within %s:\n%s", within, l.stderr.String())
	}
	for deadline := begin.Add(within); len(processes(l.mark)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("processes %v are left", processes(l.mark))
			break
		}
	}
	runs, warnings, err := store.Read(l.dir)
	if err != nil || len(warnings) > 0 || len(runs[0].Results) < 2 {
		t.Errorf("results: %v %v", err, warnings)
	}
	return l.cmd.ProcessState.ExitCode(), took
}

// never is longer than a job takes to end on a machine that has much else to do: 5 s where it has not.
const never = 30 * time.Second

func TestLaunchEnds(t *testing.T) {
	s := loopbackShell(t)
	for _, c := range []struct {
		name  string
		fault func(l *launched)
		code  int
		say   string
	}{
		{"a rank is killed", func(l *launched) { syscall.Kill(l.rank(t, 3), syscall.SIGKILL) }, 137, "collbench: rank 3 on 127.0.0.3 was killed by signal 9 (SIGKILL)\n"},
		{"rank 0 is killed", func(l *launched) { syscall.Kill(l.rank(t, 0), syscall.SIGKILL) }, 137, "collbench: rank 0 on 127.0.0.2 was killed by signal 9 (SIGKILL)\n"},
		{"Ctrl-C", func(l *launched) { l.cmd.Process.Signal(os.Interrupt) }, exitInterrupted, "interrupted: results kept: "},
		{"SIGTERM with a stopped rank", func(l *launched) {
			syscall.Kill(l.rank(t, 2), syscall.SIGSTOP)
			l.cmd.Process.Signal(syscall.SIGTERM)
		}, exitInterrupted, "collbench: interrupted\n"},
		{"the launcher is killed", func(l *launched) { l.cmd.Process.Kill() }, -1, ""},
		{"a host's starter is killed", func(l *launched) {
			var parent int
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.rank(t, 2)))
			fmt.Sscanf(string(stat[bytes.LastIndexByte(stat, ')')+4:]), "%d", &parent)
			syscall.Kill(parent, syscall.SIGKILL)
		}, exitEnvironment, "rank 2 on 127.0.0.3 is lost with its host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := startLaunched(t, s, "127.0.0.2:2,127.0.0.3:2")
			c.fault(l)
			code, took := l.end(t, never)
			if code != c.code || !strings.Contains(l.stderr.String(), c.say) {
				t.Errorf("exit %d after %s, want %d and %q in\n%s", code, took, c.code, c.say, l.stderr.String())
			}
		})
	}
}

// TestLaunchShowsNoSecret looks for the job's secret where others can see it.
func TestLaunchShowsNoSecret(t *testing.T) {
	s := loopbackShell(t)
	l := startLaunched(t, s, "127.0.0.2:2,127.0.0.3:2")
	secret := regexp.MustCompile(`[0-9a-fA-F]{32,}|collbench1;`) // what a card holds
	folders, _ := filepath.Glob("/proc/[0-9]*")
	seen := 0
	for _, folder := range folders {
		command, _ := os.ReadFile(folder + "/cmdline")
		environ, _ := os.ReadFile(folder + "/environ")
		if !bytes.Contains(command, []byte("COLLBENCH_TEST")) && !bytes.Contains(command, []byte(s.binary)) && !bytes.Contains(environ, []byte(l.mark)) {
			continue
		}
		seen++
		if found := secret.Find(append(command, environ...)); found != nil {
			t.Errorf("%s shows %s", folder, found)
		}
	}
	if seen < 7 { // launcher, two ssh, four ranks, and perhaps workers
		t.Errorf("only %d processes looked at", seen)
	}
	l.cmd.Process.Signal(os.Interrupt)
	l.end(t, never)
}

func TestLaunchRefusals(t *testing.T) {
	s := loopbackShell(t)
	closed := strings.Replace(s.command, fmt.Sprint("-p ", s.port), "-p 1", 1)
	mute := filepath.Join(s.dir, "mute")
	if err := os.WriteFile(mute, []byte("#!/bin/sh\nexec sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	chatty := filepath.Join(s.dir, "chatty")
	if err := os.WriteFile(chatty, []byte("#!/bin/sh\necho Welcome to this machine\nexec "+s.binary+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, ssh, binary string
		args              []string
		code              int
		say               string
	}{
		{"unreachable", closed, s.binary, nil, exitEnvironment, "launch: 127.0.0.2 cannot be reached: ssh ended with exit code 255 (ssh: connect to host 127.0.0.2 port 1: Connection refused) 127.0.0.3 cannot"},
		{"no binary", s.command, "/nowhere/collbench", nil, exitEnvironment, "/nowhere/collbench cannot be started there ("},
		{"another program", s.command, "/bin/cat", nil, exitEnvironment, "/bin/cat: starter: No such file"},
		{"no ssh", "nowhere-ssh -v", s.binary, nil, exitEnvironment, `reaching 127.0.0.2: exec: "nowhere-ssh": executable file not found`},
		{"no folder", s.command, s.binary, []string{"--workdir", "/nowhere"}, exitEnvironment, "could not be started: there is no working folder /nowhere: want one"},
		{"silent", mute, s.binary, []string{"--connect-timeout", "300ms"}, exitEnvironment, "127.0.0.2: no answer: none within 300ms"},
		{"a login that talks", s.command, chatty, nil, exitOK, "127.0.0.2: Welcome to this machine\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := slices.Concat([]string{"launch", "--ssh", c.ssh, "--binary", c.binary, "--hosts", "127.0.0.2,127.0.0.3"}, c.args, []string{"--", "whoami"})
			begin := time.Now()
			cmd := exec.Command(os.Args[0], args...)
			out, _ := cmd.CombinedOutput()
			if code, took := cmd.ProcessState.ExitCode(), time.Since(begin); code != c.code || !strings.Contains(string(out), c.say) || took > never {
				t.Errorf("exit %d after %s, want %d and %q in\n%s", code, took, c.code, c.say, out)
			}
		})
	}
}
