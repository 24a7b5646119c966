package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench/certify"
)

// smallProfile is a profile that takes a few seconds.
const smallProfile = `summary: a small one
start: lab --vms 2 --link 100Mbit --
line-rate: 100Mbit
steps:
- name: fitness
  doctor: {profile: default}
- name: all-reduce
  run: {collective: all_reduce, algorithm: ring, bytes: "8,256KiB", iterations: 5, warmup: 1}
  launches: 3
  accept: {wrong: 0, model: 60%, line-rate: 70%}
- name: training step
  train: {bytes: 512KiB, compute: 5ms, algorithm: ring, iterations: 4, warmup: 1}
- name: GPUs
  optional: true
  run: {backend: nccl, bytes: 1MiB}
- name: files
  storage: {directory: ".", bytes: 1MiB}
- name: soak
  run: {collective: all_reduce, algorithm: ring, bytes: 64KiB, iterations: 20}
  accept: {counters: unchanged}
not-run: [packet processing, security]
`

// acceptanceCall is one call of certify.
type acceptanceCall struct {
	code           int
	report         certify.Report
	stdout, stderr string
}

// certified calls certify in a folder of its own, and skips the test where a virtual cluster is refused or the machine too
// busy for one.
func certified(t *testing.T, env []string, args ...string) acceptanceCall {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"certify", "--format", "json"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Run()
	a := acceptanceCall{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	for _, why := range []string{"refused here", "the CPUs, not the links, were the limit"} {
		if strings.Contains(a.stdout+a.stderr, why) {
			t.Skip(why)
		}
	}
	if stdout.Len() > 0 {
		if err := json.Unmarshal(stdout.Bytes(), &a.report); err != nil {
			t.Fatalf("%v\n%s", err, a.stdout)
		}
	}
	return a
}

// said says whether a step has a finding of this outcome whose text holds all the parts.
func (a acceptanceCall) said(step string, o certify.Outcome, parts ...string) bool {
	for _, s := range a.report.Steps {
		if s.Name == step && slices.ContainsFunc(s.Findings, func(f certify.Finding) bool {
			return f.Outcome == o && !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(f.Text, part) })
		}) {
			return true
		}
	}
	return false
}

// smallFile writes the profile, and leads a test into its folder.
func smallFile(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("small.yaml", []byte(smallProfile), 0o644); err != nil {
		t.Fatal(err)
	}
	return "small.yaml"
}

func TestCertify(t *testing.T) {
	file := smallFile(t)
	a := certified(t, nil, "--profile", file, "--out", "out")
	if a.code != exitOK || a.report.Outcome != certify.Pass || !a.report.Virtual || len(a.report.Steps) != 6 {
		t.Fatalf("exit %d:\n%s%s", a.code, a.stdout, a.stderr)
	}
	for step, want := range map[string]string{
		"all-reduce": "of their line rate of 100 Mbit/s, want 70 % or more", "training step": "is hidden behind the other", "files": "past the page cache",
		"soak": "every element right in 1 case",
	} {
		if !a.said(step, certify.Pass, want) {
			t.Errorf("%s does not say %q:\n%s", step, want, a.stdout)
		}
	}
	if !a.said("GPUs", certify.NotRun, "is not available") || !slices.Contains(a.report.NotRun, "security") || len(a.report.NotRun) != 3 {
		t.Errorf("not run: %q", a.report.NotRun)
	}
	page, err := os.ReadFile("out/report.md")
	if err != nil || !strings.Contains(string(page), "certifies nothing") || !strings.Contains(string(page), "virtual cluster") {
		t.Errorf("%v\n%s", err, page)
	}
	if again := certified(t, nil, "--profile", file, "--out", "out"); again.code != exitUsage || !strings.Contains(again.stderr, "--resume out") {
		t.Errorf("into the same folder: exit %d: %s", again.code, again.stderr)
	}
}

// TestCertifyFails has a slow link, a rank that is killed and a wrong element, and sees each said in its own sentence.
func TestCertifyFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		env    []string
		args   []string
		said   []string
		steady string // a step that passes nevertheless
	}{
		{"slow link", nil, []string{"--start", "lab --vms 2 --link 100Mbit,vm1=50Mbit --"},
			[]string{"all_reduce 256 KiB ring (2 ranks on 2 hosts, host over tcp): the links between hosts reach ", " of their line rate of 100 Mbit/s, want 70 % or more", "the link of vm1 is set to 50 Mbit/s"}, "fitness"},
		{"killed", []string{"COLLBENCH_TEST_TROUBLE=kind=kill,node=1,stage=iterate,team=1"}, nil,
			[]string{"failed in 3 of 3 launches: rank 1 on vm1 (pid ", "was killed by signal 9 (SIGKILL)"}, "fitness"},
		{"wrong", []string{"COLLBENCH_TEST_CORRUPT=rank=1,iteration=2,element=1"}, nil,
			[]string{"all_reduce 256 KiB ring", "wrong in 3 of 3 launches: up to 1 elements"}, "files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := certified(t, c.env, append([]string{"--profile", smallFile(t), "--out", "out"}, c.args...)...)
			if a.code != exitFailed || a.report.Outcome != certify.Fail || !a.said("all-reduce", certify.Fail, c.said...) {
				t.Errorf("exit %d, want a failure that says %q:\n%s%s", a.code, c.said, a.stdout, a.stderr)
			}
			if !slices.ContainsFunc(a.report.Steps, func(s certify.StepReport) bool { return s.Name == c.steady && s.Outcome == certify.Pass }) {
				t.Errorf("%s does not pass:\n%s", c.steady, a.stdout)
			}
		})
	}
}

// TestCertifyResumes interrupts an acceptance in the middle of a step. What was done is not done again.
func TestCertifyResumes(t *testing.T) {
	file := smallFile(t)
	cmd := exec.Command(os.Args[0], "certify", "--profile", file, "--out", "out")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	first := "out/02-all-reduce/launch-1/run.json"
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(first); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no launch is done: %s", stderr.String())
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code == exitOK {
		t.Skip("it was done before it could be interrupted")
	} else if code != exitInterrupted || !strings.Contains(stderr.String(), "go on with: collbench certify --resume out") {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	done := map[string][]byte{}
	for _, pattern := range []string{"out/*/step.json", "out/*/launch-?/run.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if done[f], err = os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := certified(t, nil, "--resume", "out")
	if a.code != exitOK || len(a.report.Steps) != 6 || !strings.Contains(a.stderr, "[1/6] fitness: pass, as it was") {
		t.Fatalf("exit %d:\n%s%s", a.code, a.stdout, a.stderr)
	}
	if len(done) < 2 {
		t.Errorf("only %d files were there to be kept", len(done))
	}
	for f, before := range done {
		if after, err := os.ReadFile(f); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was made again (%v)", f, err)
		}
	}
	if left, _ := filepath.Glob("out/*/*.unfinished"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	// Only what could not be started, for want of GPUs, is tried again.
	if again := certified(t, nil, "--resume", "out"); again.code != exitOK || strings.Count(again.stderr, "…") != 1 {
		t.Errorf("a second time, exit %d: %s", again.code, again.stderr)
	}
}

// TestCertifyAcceptance carries out the profiles that come with collbench.
func TestCertifyAcceptance(t *testing.T) {
	if os.Getenv(acceptance) == "" {
		t.Skip("needs a quiet machine and five minutes: set " + acceptance + "=1")
	}
	for _, name := range certify.Names() {
		t.Chdir(t.TempDir())
		start := time.Now()
		a := certified(t, nil, "--profile", name, "--out", "out")
		if took := time.Since(start); a.code != exitOK || took > 5*time.Minute {
			t.Errorf("%s: exit %d after %v\n%s%s", name, a.code, took, a.stdout, a.stderr)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}
