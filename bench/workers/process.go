package workers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is a worker as the parent sees it.
type process struct {
	cmd    *exec.Cmd
	conn   net.Conn
	errors *tail
	exited chan struct{} // closed when the process has been waited for
}

var (
	forks    = make(chan func())
	forkOnce sync.Once
)

// onForkThread carries out f on a thread that never ends: a worker's death signal is tied to the thread that
// forked it, and Go may end a thread at any time.
func onForkThread(f func() error) error {
	forkOnce.Do(func() {
		go func() {
			runtime.LockOSThread()
			for f := range forks {
				f()
			}
		}()
	})
	answer := make(chan error)
	forks <- func() { answer <- f() }
	return <-answer
}

// startProcess starts a worker with the files as descriptors 4, 5, …
func (p *Pool) startProcess(node int, files []*os.File) (*process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("control connection: %w", err)
	}
	mine, theirs := os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control")
	defer mine.Close()
	defer theirs.Close()
	conn, err := net.FileConn(mine)
	if err != nil {
		return nil, fmt.Errorf("control connection: %w", err)
	}
	w := &process{conn: conn, errors: &tail{}, exited: make(chan struct{})}
	w.cmd = exec.Command(p.Command[0], p.Command[1:]...)
	w.cmd.Env = p.Env
	w.cmd.Stderr = w.errors
	w.cmd.ExtraFiles = append([]*os.File{theirs}, files...)
	w.cmd.WaitDelay = grace
	// A process group of its own: Ctrl-C is for the parent, which then ends its workers.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	start := p.Nodes[node].Start
	if start == nil {
		start = (*exec.Cmd).Start
	}
	if err := onForkThread(func() error { return start(w.cmd) }); err != nil {
		conn.Close()
		return nil, fmt.Errorf("starting %s: %w", p.name(node), err)
	}
	return w, nil
}

// death says how the process ended: "was killed by signal 9 (SIGKILL)".
func (w *process) death() string {
	state := w.cmd.ProcessState
	status, ok := state.Sys().(syscall.WaitStatus)
	text := "ended"
	switch {
	case ok && status.Signaled():
		text = fmt.Sprintf("was killed by signal %d (%s)", status.Signal(), unix.SignalName(status.Signal()))
	case state.ExitCode() > 0:
		text = fmt.Sprintf("ended with exit code %d", state.ExitCode())
	}
	if said := w.errors.last(); said != "" {
		text += fmt.Sprintf(" (it said: %s)", said)
	}
	return text
}

// stopped says whether the process is stopped, by a signal or a debugger.
func (w *process) stopped() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses and may hold anything.
	text := string(stat)
	state := strings.TrimSpace(text[strings.LastIndexByte(text, ')')+1:])
	return strings.HasPrefix(state, "T") || strings.HasPrefix(state, "t")
}

// tail keeps the last of what a worker writes to its standard error.
type tail struct {
	mutex sync.Mutex
	text  []byte
}

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = t.text[over:]
	}
	return len(p), nil
}

// last is the line that says most: where Go's runtime or a panic begins to speak, else the last one.
func (t *tail) last() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	line := ""
	for l := range strings.Lines(string(t.text)) {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "panic:") || strings.HasPrefix(l, "fatal error:") || strings.HasPrefix(l, "SIG") {
			return l
		}
		if l != "" {
			line = l
		}
	}
	return line
}
