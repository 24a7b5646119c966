package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Refused says why this machine has no place for a virtual cluster. The same can then run over paced TCP.
type Refused struct{ Reason string }

// Error gives the reason.
func (r *Refused) Error() string { return r.Reason }

// lineVariable tells a process that Enter started it and where its line to the outer process is.
const lineVariable = "COLLBENCH_LAB_LINE"

// lineNumber is that file's number: the first that exec.Cmd passes on.
const lineNumber = 3

// Enter runs this program once more with the same arguments, in a network, a process and a mount namespace of its
// own, and waits for it. As root it does so without a user namespace where it can, otherwise the inner process is
// root of a new user namespace and nobody special outside. SIGINT, SIGTERM and SIGHUP are passed on, the second time
// as SIGKILL. The death of this process, however sudden, is the death of the inner one, which takes along all
// processes and links inside.
//
// The exit code is the inner process's. An error that is a *Refused says that no such process could do its work
// here; any other that the inner process died.
func Enter() (code int, err error) {
	var reasons []string
	for _, way := range ways(os.Geteuid()) {
		code, err = enter(way)
		var refused *Refused
		if !errors.As(err, &refused) {
			return code, err
		}
		reasons = append(reasons, refused.Reason)
	}
	return 0, &Refused{strings.Join(reasons, "; ")}
}

// ways are the namespaces to try, as clone's flags.
func ways(euid int) []uintptr {
	const own = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	if euid == 0 {
		return []uintptr{own, own | syscall.CLONE_NEWUSER}
	}
	return []uintptr{own | syscall.CLONE_NEWUSER}
}

func enter(flags uintptr) (int, error) {
	// The inner process dies with the thread that started it, so this thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mine, theirs, err := line()
	if err != nil {
		return 0, err
	}
	defer mine.Close()
	inner := innerCommand(flags, theirs)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	err = inner.Start()
	theirs.Close()
	if err != nil {
		return 0, &Refused{whyRefused(flags, err, os.ReadFile)}
	}
	done := make(chan struct{})
	defer close(done)
	go passOn(signals, inner.Process, done)
	reason, _ := io.ReadAll(mine) // until the inner process ends
	err = inner.Wait()
	if len(reason) > 0 {
		return 0, &Refused{string(reason)}
	}
	return exitCode(err)
}

// oneSignal is the time within which a signal that comes twice is one: timeout(1) sends it to its child and to their group.
const oneSignal = time.Second

// passOn passes signals on, each kind once. Whoever sends one again is out of patience.
func passOn(signals <-chan os.Signal, to *os.Process, done <-chan struct{}) {
	for seen := map[os.Signal]time.Time{}; ; {
		select {
		case s := <-signals:
			switch first, again := seen[s]; {
			case !again:
				seen[s] = time.Now()
			case time.Since(first) < oneSignal:
				continue
			default:
				s = unix.SIGKILL
			}
			_ = to.Signal(s) // it may just have ended
		case <-done:
			return
		}
	}
}

// line is a pair of connected sockets: through one end the inner process says why it cannot work, and sees the
// outer one go.
func line() (mine, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("line to the inner process: %w", err)
	}
	return os.NewFile(uintptr(pair[0]), "line"), os.NewFile(uintptr(pair[1]), "line"), nil
}

func innerCommand(flags uintptr, line *os.File) *exec.Cmd {
	c := exec.Command("/proc/self/exe") // as it is after the fork: the program even if its file has gone
	c.Args = os.Args
	c.Env = append(os.Environ(), lineVariable+"="+strconv.Itoa(lineNumber))
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{line}
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: flags,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // a terminal's Ctrl-C comes through the outer process, once
	}
	if flags&syscall.CLONE_NEWUSER != 0 {
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		c.SysProcAttr.GidMappingsEnableSetgroups = false // else an unprivileged user may not map the group
	}
	return c
}

// exitCode is what the outer process ends with when the inner one ended so.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if err == nil {
		return 0, nil
	}
	if !errors.As(err, &exit) {
		return 0, fmt.Errorf("waiting for the process inside the namespaces: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 0, fmt.Errorf("the process inside the namespaces was ended by a signal: %v", status.Signal())
	}
	return exit.ExitCode(), nil
}

// Line is the inner process's way to the outer one.
type Line struct{ file *os.File }

// Entered says whether Enter started this process. From now on it ends as soon as the outer process is gone.
func Entered() (*Line, bool) {
	if os.Getenv(lineVariable) != strconv.Itoa(lineNumber) || os.Getpid() != 1 {
		return nil, false // a variable alone must not have a network built on the machine itself
	}
	os.Unsetenv(lineVariable) // it is not for this process's children
	unix.CloseOnExec(lineNumber)
	ownProc()
	line := &Line{os.NewFile(lineNumber, "line")}
	go func() {
		var b [1]byte
		if _, err := line.file.Read(b[:]); err == io.EOF {
			os.Exit(128 + int(unix.SIGKILL))
		}
	}()
	return line, true
}

// Refuse tells the outer process why the work cannot be done here. The process has to end then.
func (l *Line) Refuse(reason error) { _, _ = io.WriteString(l.file, reason.Error()) }

// ownProc shows this process namespace's numbers in /proc, to this process and its children alone. Where /proc is
// partly covered, as in containers, an unprivileged process may not: then a worker that is stopped from outside is
// not told from one that hangs, and nothing else is lost.
func ownProc() {
	if unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") == nil {
		_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	}
}
