package ucx

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// logFile is where UCX writes its log: memory of this process, so that nothing is left when that ends. nil where the user has it
// elsewhere. It stays open as long as the library does.
var (
	logFile  *os.File
	logMutex sync.Mutex
	logRead  int64 // so much of it was read
)

const maxLog = 64 << 10 // bytes of the log that are looked at, at once

// settle has UCX, which is opened by open, keep its log where it can be read back, and leave signals to Go. UCX reads both settings
// when it is opened; they are taken back then, as they are no business of processes that this one starts.
func settle(open func() error) error {
	settings := map[string]string{"UCX_HANDLE_ERRORS": "none"}
	if os.Getenv("UCX_LOG_FILE") == "" {
		fd, err := unix.MemfdCreate("ucx-log", unix.MFD_CLOEXEC)
		if err != nil {
			return fmt.Errorf("memory for UCX's log: %w", err)
		}
		logFile = os.NewFile(uintptr(fd), "ucx-log")
		settings["UCX_LOG_FILE"] = fmt.Sprintf("/proc/self/fd/%d", fd)
	}
	for name, value := range settings {
		if os.Getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
		defer os.Unsetenv(name)
	}
	return open()
}

// lastLogged is the last warning or error that UCX has logged since this was last asked; "" if there is none.
func lastLogged() string {
	logMutex.Lock()
	defer logMutex.Unlock()
	if logFile == nil {
		return ""
	}
	text := make([]byte, maxLog)
	n, _ := logFile.ReadAt(text, logRead) // it is shorter: io.EOF
	logRead += int64(n)
	return lastTrouble(string(text[:n]))
}

// logged takes apart a line of UCX's log: "[1700000000.1] [host:12 :0] ucp_context.c:9 UCX  WARN  transport …". From the error that
// came first the reason is more likely to show than from those that followed.
var logged = regexp.MustCompile(`(?m)^\[.*\bUCX\s+(WARN|ERROR|FATAL|DIAG)\s+(.*)$`)

func lastTrouble(text string) string {
	lines := logged.FindAllStringSubmatch(text, -1)
	if lines == nil {
		return ""
	}
	return strings.TrimSpace(lines[len(lines)-1][2])
}
