package workers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"collbench/bench"
	"collbench/bench/threads"

	"golang.org/x/sys/unix"
)

// process is a worker as the team sees it, wherever it runs.
type process struct {
	handle
	pid      int
	exited   chan struct{}   // closed when the process is gone
	progress *bench.Progress // as far as it is known here: see starter.refresh
}

// handle is what can be asked of a process.
type handle interface {
	// death says how the process ended: "was killed by signal 9 (SIGKILL)".
	death() string
	// trouble says why the process does not go on, if that shows: "is stopped (SIGSTOP or a debugger)"; else "".
	trouble() string
	// still is how long the process has been where it is.
	still() time.Duration
}

// starter starts the processes of a launch.
type starter interface {
	// start starts all nodes, with the environment besides their own. heard is told what they say. Those that it
	// returns have to be ended, also after an error.
	start(ctx context.Context, environment []string, heard func(event)) ([]*process, error)
	// broadcast gives all nodes the same message. The error names one that cannot be reached.
	broadcast(m message) error
	// dismiss lets the nodes end by themselves.
	dismiss()
	// kill ends them at once.
	kill()
	// refresh brings what is known of the processes up to date: progress and trouble.
	refresh()
	// end gives back what the processes shared, when they are gone.
	end()
}

// child is a worker that this process has started.
type child struct {
	cmd    *exec.Cmd
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

// fork starts a worker with the files as descriptors 3, 4, …, in the way of start, or of cmd.Start if that is nil.
func fork(command, env []string, start func(*exec.Cmd) error, files []*os.File) (*child, error) {
	c := &child{errors: &tail{}, exited: make(chan struct{})}
	c.cmd = exec.Command(command[0], command[1:]...)
	c.cmd.Env = env
	c.cmd.Stderr = c.errors
	c.cmd.ExtraFiles = files
	c.cmd.WaitDelay = grace
	// A process group of its own: Ctrl-C is for the parent, which then ends its workers.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if start == nil {
		start = (*exec.Cmd).Start
	}
	_ = threads.Yield() // where it is refused, the worker is interrupted more often
	if err := onForkThread(func() error { return start(c.cmd) }); err != nil {
		return nil, err
	}
	go func() {
		c.cmd.Wait()
		close(c.exited)
	}()
	return c, nil
}

// startWorker starts a worker with a control connection, its progress page, and the files that it shares with others.
func startWorker(command, env []string, start func(*exec.Cmd) error, page *os.File, shared []*os.File) (*child, net.Conn, error) {
	conn, theirs, err := controlPair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	c, err := fork(command, env, start, append([]*os.File{theirs, page}, shared...))
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return c, conn, nil
}

// controlPair makes the two ends of a control connection.
func controlPair() (mine net.Conn, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("control connection: %w", err)
	}
	file := os.NewFile(uintptr(pair[0]), "control")
	defer file.Close()
	theirs = os.NewFile(uintptr(pair[1]), "control")
	if mine, err = net.FileConn(file); err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("control connection: %w", err)
	}
	return mine, theirs, nil
}

func (c *child) kill() { c.cmd.Process.Kill() }

func (c *child) death() string {
	state := c.cmd.ProcessState
	status, ok := state.Sys().(syscall.WaitStatus)
	text := "ended"
	switch {
	case ok && status.Signaled():
		text = fmt.Sprintf("was killed by signal %d (%s)", status.Signal(), unix.SignalName(status.Signal()))
	case state.ExitCode() > 0:
		text = fmt.Sprintf("ended with exit code %d", state.ExitCode())
	}
	if said := c.errors.last(); said != "" {
		text += fmt.Sprintf(" (it said: %s)", said)
	}
	return text
}

// isStopped is the trouble of a process that a signal or a debugger has stopped.
const isStopped = "is stopped (SIGSTOP or a debugger)"

func (c *child) trouble() string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return ""
	}
	// The state follows the name, which is in parentheses and may hold anything.
	text := string(stat)
	state := strings.TrimSpace(text[strings.LastIndexByte(text, ')')+1:])
	if strings.HasPrefix(state, "T") || strings.HasPrefix(state, "t") {
		return isStopped
	}
	return ""
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
