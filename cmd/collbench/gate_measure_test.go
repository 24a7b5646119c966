package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGateInterrupted: Ctrl-C says what was interrupted, and where what was measured is.
func TestGateInterrupted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "gate")
	cmd := exec.Command(os.Args[0], "gate", "--launches", "100", "--out", out, "--", "run", "-n", "2", "--bytes", "8", "--iterations", "10")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	results := filepath.Join(out, "new", "results.jsonl")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if text, _ := os.ReadFile(results); len(text) > 0 {
			break
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			t.Error("nothing is measured")
			break
		}
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	said := strings.TrimSpace(stderr.String())
	if last := said[strings.LastIndexByte(said, '\n')+1:]; cmd.ProcessState.ExitCode() != exitInterrupted ||
		!strings.HasPrefix(last, "collbench: gate: interrupted in launch ") || !strings.HasSuffix(last, "is in "+out) {
		t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), said)
	}
}
