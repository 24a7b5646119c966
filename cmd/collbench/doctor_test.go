package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"collbench/bench/doctor"
)

// asUser runs doctor as a user and gives what it says of this machine.
func asUser(t *testing.T, program string, id uint32) doctor.Diagnosis {
	t.Helper()
	cmd := exec.Command(program, "doctor", "--format", "json")
	cmd.Dir = "/"
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH")}
	if id != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	// On a busy machine the clock says little of us; what we worked does.
	if worked := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); worked > time.Second || time.Since(start) > 10*time.Second && exec.Command("nvidia-smi").Err != nil {
		t.Errorf("as user %d: it took %v, and worked for %v", id, time.Since(start), worked)
	}
	if failed := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &failed) || failed.ExitCode() != exitFailed) {
		t.Fatalf("as user %d: %v\n%s", id, err, stderr.String())
	}
	var d doctor.Diagnosis
	if err := json.Unmarshal(stdout.Bytes(), &d); err != nil || len(d.Reports) != 1 {
		t.Fatalf("as user %d: %v\n%s", id, err, stdout.String())
	}
	return d
}

// TestDoctorWithoutPrivileges looks at this machine as root and as nobody. What nobody sees otherwise is unknown: it is
// never better and never fails where root sees no failure. It takes less than a second of work.
func TestDoctorWithoutPrivileges(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("to run as another user needs root")
	}
	dir, err := os.MkdirTemp("", "doctor") // unlike the test's own, open to everybody
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "collbench")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(program, text, 0o755)); err != nil {
		t.Fatal(err)
	}
	root := asUser(t, program, 0)
	nobody := asUser(t, program, 65534)
	by := map[string]doctor.Status{}
	for _, f := range root.Reports[0].Findings {
		by[f.Check] = max(by[f.Check], f.Status)
	}
	for _, f := range nobody.Reports[0].Findings {
		if f.Status != doctor.Unknown && f.Status != by[f.Check] {
			t.Errorf("%s: nobody sees %s (%s), root sees %s", f.Check, f.Status, f.Seen, by[f.Check])
		}
	}
}
