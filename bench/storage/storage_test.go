package storage

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func settings(dir string) Settings {
	return Settings{Directory: dir, Bytes: 8 << 20, Block: 1 << 20, Threads: 3, Passes: 2}
}

func TestMeasure(t *testing.T) {
	dir := t.TempDir()
	r, err := Measure(t.Context(), settings(dir))
	if errors.Is(err, ErrNoDirect) {
		t.Skip(err)
	}
	if err != nil || len(r.Write) != 2 || len(r.Read) != 2 || r.Write[0] <= 0 || r.Read[1] <= 0 || r.Wrong != 0 || r.Schema != Schema {
		t.Errorf("%+v, %v", r, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, settings(dir)); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}

// TestOtherFileSystems has a file system that knows no O_DIRECT, and one without room.
func TestOtherFileSystems(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("storage-test", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("no file system can be mounted: %v (needs root)", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	_, err := Measure(t.Context(), settings(dir)) // newer kernels have O_DIRECT on tmpfs
	if !errors.Is(err, ErrNoDirect) && !errors.Is(err, unix.ENOSPC) {
		t.Errorf("on a tmpfs of 1 MiB: %v", err)
	}
	if _, err := Measure(t.Context(), settings("/proc")); err == nil {
		t.Error("on /proc: no error")
	}
	if _, err := Measure(t.Context(), settings(dir+"/nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nowhere: %v", err)
	}
}

func TestSettings(t *testing.T) {
	for want, change := range map[string]func(*Settings){
		"block of 1000 bytes":   func(s *Settings) { s.Block = 1000 },
		"multiple of the block": func(s *Settings) { s.Bytes++ },
		"0 threads":             func(s *Settings) { s.Threads = 0 },
		"0 passes":              func(s *Settings) { s.Passes = 0 },
	} {
		s := settings(".")
		change(&s)
		if _, err := Measure(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestWrongBlock sees that a block at another's place is noticed.
func TestWrongBlock(t *testing.T) {
	b := buffer{make([]byte, Alignment)}
	b.stamped(3 * Alignment)
	if !b.right(3*Alignment) || b.right(4*Alignment) {
		t.Error("a block is taken for another one")
	}
	b.data[len(b.data)-1] ^= 1
	if b.right(3 * Alignment) {
		t.Error("a block with a wrong end is taken for a right one")
	}
}
