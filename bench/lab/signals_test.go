package lab

import (
	"bufio"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestPassOn: a signal that comes twice at once is one, and one that comes again later is the last.
func TestPassOn(t *testing.T) {
	inner := exec.Command("sh", "-c", "trap 'echo told' INT; echo ready; while :; do sleep 0.05; done")
	said, err := inner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := inner.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	lines.Scan()
	signals, done := make(chan os.Signal, 8), make(chan struct{})
	defer close(done)
	go passOn(signals, inner.Process, done)
	signals <- syscall.SIGINT
	signals <- syscall.SIGINT
	if !lines.Scan() || lines.Text() != "told" {
		t.Errorf("the inner process says %q, want that it was told once and lives", lines.Text())
	}
	time.Sleep(oneSignal)
	signals <- syscall.SIGINT
	for lines.Scan() {
		t.Errorf("the inner process says %q", lines.Text())
	}
	_ = inner.Wait()
	if status := inner.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("%v", inner.ProcessState)
	}
}
