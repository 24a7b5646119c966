package history

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asWriter is the variable that makes the test binary a process that adds the folders of its arguments to the history
// that the variable names, over and over if its first argument is "forever". It prints the ID of each run that is in.
const asWriter = "COLLBENCH_TEST_HISTORY"

func TestMain(m *testing.M) {
	if path := os.Getenv(asWriter); path != "" {
		os.Exit(writeHistory(path, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func writeHistory(path string, folders []string) int {
	if os.Getpid() == 1 { // of a namespace of its own: on a disk with little room
		if err := syscall.Mount("tiny", filepath.Dir(path), "tmpfs", 0, "size=256k"); err != nil {
			fmt.Fprintln(os.Stderr, "no tiny disk:", err)
			return 99
		}
	}
	forever := folders[0] == "forever"
	if forever {
		folders = folders[1:]
	}
	ctx := context.Background()
	index, err := Open(ctx, path, true)
	for again := true; again && err == nil; again = forever {
		for _, folder := range folders {
			var added Added
			if added, err = (History{index}).Add(ctx, folder); err != nil {
				break
			}
			fmt.Println(added.Runs[0].ID)
		}
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if index != nil {
		runs, err := index.Runs(ctx, Query{})
		fmt.Fprintln(os.Stderr, "after it:", len(runs), "runs", err)
	}
	return 1
}

func writerProcess(path string, folders ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], folders...)
	cmd.Env = append(os.Environ(), asWriter+"="+path)
	return cmd
}

// madeFolders writes so many run folders, without adding them.
func madeFolders(t testing.TB, n int, prefix string) (folders []string) {
	root := t.TempDir()
	for i := range n {
		id := fmt.Sprintf("%s-%03d", prefix, i)
		folders = append(folders, session{id: id, day: i, launches: 2}.write(t, filepath.Join(root, id)))
	}
	return folders
}

// Several processes make the same file and write to it at once.
func TestWritersLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "history.db")
	const writers, each = 4, 15
	var processes []*exec.Cmd
	for w := range writers {
		cmd := writerProcess(path, madeFolders(t, each, fmt.Sprint("writer", w))...)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		processes = append(processes, cmd)
	}
	for _, cmd := range processes {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	h := openAt(t, path)
	runs, err := h.Index.Runs(t.Context(), Query{})
	if err != nil || len(runs) != writers*each {
		t.Fatalf("%d runs of %d, %v", len(runs), writers*each, err)
	}
	series, err := h.Index.Series(t.Context(), runs[0].Machine.Fingerprint, madeCase(1<<20), Span{})
	if err != nil || len(series) != writers*each {
		t.Errorf("%d points of %d, %v", len(series), writers*each, err)
	}
}

// A writer that is killed, whatever it is doing, leaves a good file in which all is that it said was in.
func TestKilledWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	folders := madeFolders(t, 10, "run")
	said := map[string]bool{}
	for range 12 {
		cmd := writerProcess(path, append([]string{"forever"}, folders...)...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		first := true
		for lines := bufio.NewScanner(out); lines.Scan(); first = false {
			said[lines.Text()] = true
			if first {
				time.AfterFunc(time.Duration(rand.IntN(50_000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("the writer ended by itself: %v", err)
		}
	}
	h := openAt(t, path)
	var verdict string
	if err := h.Index.(*SQLite).db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
	for id := range said {
		if points, err := h.Index.Points(t.Context(), id); err != nil || len(points) != len(madeSizes) {
			t.Errorf("run %s: %d points of %d, %v", id, len(points), len(madeSizes), err)
		}
	}
	// What others put in while a rebuild reads folders stays.
	known, err := h.contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	late := madeFolders(t, 1, "late")
	if _, err := h.Add(t.Context(), late[0]); err != nil {
		t.Fatal(err)
	}
	if err := h.Index.Replace(t.Context(), known, Contents{}); err != nil {
		t.Fatal(err)
	}
	if runs, _ := h.Index.Runs(t.Context(), Query{}); len(runs) != 1 || runs[0].ID != "late-000" {
		t.Errorf("after the rebuild: %v", runs)
	}
}

func TestLocked(t *testing.T) {
	defer func(was time.Duration) { patience = was }(patience)
	patience = 200 * time.Millisecond
	h := newHistory(t)
	folders := addSessions(t, h, session{})
	index := h.Index.(*SQLite)
	other := openAt(t, index.path)
	err := index.write(t.Context(), "hold", func(*sql.Tx) error {
		_, err := other.Add(t.Context(), folders[0])
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "another process has been writing to it for 200ms") {
		t.Errorf("%v", err)
	}
	if _, err := other.Add(t.Context(), folders[0]); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	cmd := writerProcess(filepath.Join(disk, "history.db"), madeFolders(t, 60, "run")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99 {
		t.Skipf("no namespace to mount a small disk in: %v %s", err, stderr.String())
	}
	in := strings.Count(string(out), "\n")
	if cmd.ProcessState.ExitCode() != 1 || in == 0 || !strings.Contains(stderr.String(), "no room is left on its file system") ||
		!strings.Contains(stderr.String(), fmt.Sprintf("after it: %d runs <nil>", in)) {
		t.Errorf("%d runs were in; %v\n%s", in, err, stderr.String())
	}
}

func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "history.db")
	if _, err := Open(t.Context(), path, false); !errors.Is(err, ErrNoHistory) {
		t.Errorf("no file: %v", err)
	}
	os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 200)), 0o644)
	if _, err := Open(t.Context(), path, true); !errors.Is(err, ErrUnusable) {
		t.Errorf("no database: %v", err)
	}
	os.Remove(path)
	h := openAt(t, path)
	if _, err := h.Index.(*SQLite).db.Exec("PRAGMA user_version=7"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, true); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "its version is 7, want 1") {
		t.Errorf("another version: %v", err)
	}
	if _, err := Open(t.Context(), "/proc/nothing/history.db", true); err == nil {
		t.Error("a file was made in /proc")
	}
}

func TestJournal(t *testing.T) {
	for kind, want := range map[int64]bool{0xEF53: true, 0x01021994: true, 0x58465342: true, 0x6969: false, 0x0BD00BD0: false, 0x47504653: false, 0x65735546: false} {
		if isLocal(kind) != want {
			t.Errorf("file system %#x: local %v, want %v", kind, !want, want)
		}
	}
	h := newHistory(t)
	var mode string
	want := "delete"
	if local(filepath.Dir(h.Index.(*SQLite).path)) {
		want = "wal"
	}
	if err := h.Index.(*SQLite).db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != want {
		t.Errorf("journal %s, want %s, %v", mode, want, err)
	}
}

// The journal of network file systems serves several writers too.
func TestRollbackJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	done := make(chan error)
	const writers, each = 3, 8
	for w := range writers {
		folders := madeFolders(t, each, fmt.Sprint("writer", w))
		index, err := open(t.Context(), path, "DELETE")
		if err != nil {
			t.Fatal(err)
		}
		defer index.Close()
		go func() {
			var err error
			for _, folder := range folders {
				_, failed := History{index}.Add(t.Context(), folder)
				err = errors.Join(err, failed)
			}
			done <- err
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	index, err := open(t.Context(), path, "DELETE")
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	if runs, err := index.Runs(t.Context(), Query{}); err != nil || len(runs) != writers*each {
		t.Errorf("%d runs of %d, %v", len(runs), writers*each, err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a write-ahead log is there: %v", err)
	}
}
