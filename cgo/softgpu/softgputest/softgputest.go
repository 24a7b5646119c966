// Package softgputest builds the stand-in libraries of cgo/softgpu for tests, and says where they are. Only tests
// import it.
package softgputest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Libraries builds the stand-ins, if they are not up to date, and gives their folder: a test's child finds them with
// LD_LIBRARY_PATH (Environment). It skips the test, with the reason, where there is no g++ or make.
func Libraries(t testing.TB) string {
	t.Helper()
	for _, tool := range []string{"g++", "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the stand-in libraries need %s: %v", tool, err)
		}
	}
	if output, err := build(); err != nil {
		t.Fatalf("make softgpu: %v\n%s", err, output)
	}
	return filepath.Join(Root(t), "build", "softgpu")
}

// build is done once in a process, and by one process at a time.
var build = sync.OnceValues(func() (string, error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(root, "build", "softgpu")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(folder, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	command := exec.Command("make", "-s", "-j2", "-C", filepath.Join(root, "cgo", "softgpu"), "OUT="+folder)
	command.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	output, err := command.CombinedOutput()
	return string(output), err
})

// Environment is this process's with the stand-ins' folders before any other: those of an NCCL release such as "2.21",
// or the newest for "". More settings, "NAME=value", come after it; what this process has of the stand-ins' and NCCL's
// settings is left out.
func Environment(libraries, release string, more ...string) []string {
	var env []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "SOFTGPU_") && !strings.HasPrefix(setting, "NCCL_") && !strings.HasPrefix(setting, "LD_LIBRARY_PATH=") {
			env = append(env, setting)
		}
	}
	path := libraries
	if release != "" {
		path = filepath.Join(libraries, "nccl-"+release) + ":" + path
	}
	if other := os.Getenv("LD_LIBRARY_PATH"); other != "" {
		path += ":" + other
	}
	return append(append(env, "LD_LIBRARY_PATH="+path), more...)
}

// Without copies a library, such as "libnccl.so.2", into a new folder, but for a symbol, which is not found in the copy.
func Without(t testing.TB, libraries, library, symbol string) string {
	t.Helper()
	folder := t.TempDir()
	script := filepath.Join(Root(t), "cgo", "softgpu", "without.sh")
	if output, err := exec.Command(script, filepath.Join(libraries, library), symbol, filepath.Join(folder, library)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return folder
}

// Root is the folder of the project.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func root() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(folder, "go.mod")); missing == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", os.ErrNotExist
		}
		folder = filepath.Dir(folder)
	}
	return "", err
}
