package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
)

// A test that needs namespaces starts this test binary again as a program: its outer half enters, its inner half
// plays one of the scenarios.
const scenarioVariable = "COLLBENCH_LAB_TEST"

// refusedCode is how the outer half ends where namespaces are refused.
const refusedCode = 77

var scenarios = map[string]func() error{
	"rate":  measureRate,
	"mixed": measureMixed,
	"route": measureRoutes,
	"child": waitWithChild,
	"seven": func() error { os.Exit(7); return nil },
}

func TestMain(m *testing.M) {
	name := os.Getenv(scenarioVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	line, inside := Entered()
	if !inside {
		os.Exit(outer())
	}
	if name == "refuse" {
		line.Refuse(errors.New("a reason from inside"))
		os.Exit(1)
	}
	if err := scenarios[name](); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func outer() int {
	code, err := Enter()
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		fmt.Println(refused.Reason)
		return refusedCode
	case err != nil:
		fmt.Println(err)
		return 1
	}
	return code
}

// users are whom the scenarios run as: oneself, and somebody unprivileged where root can become that.
func users(t *testing.T, f func(t *testing.T, as *syscall.Credential)) {
	t.Run("self", func(t *testing.T) { f(t, nil) })
	t.Run("nobody", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can become somebody else; this test ran as an unprivileged user already")
		}
		f(t, &syscall.Credential{Uid: 65534, Gid: 65534})
	})
}

// program is the outer half, to be started.
func program(scenario string, as *syscall.Credential) *exec.Cmd {
	c := exec.Command("/proc/self/exe")
	c.Args = []string{"lab.test"}
	c.Env = append(os.Environ(), scenarioVariable+"="+scenario)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	return c
}

// play runs a scenario to its end. It skips the test where namespaces are refused.
func play(t *testing.T, scenario string, as *syscall.Credential) string {
	t.Helper()
	out, err := program(scenario, as).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == refusedCode {
		t.Skip(string(out))
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestEnterPassesOnTheEnd(t *testing.T) {
	for _, c := range []struct {
		scenario, want string
		code           int
	}{
		{"seven", "", 7},
		{"refuse", "a reason from inside", refusedCode},
	} {
		out, err := program(c.scenario, nil).CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == refusedCode && c.code != refusedCode {
			t.Skip(string(out))
		}
		if exit == nil || exit.ExitCode() != c.code || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, %q; want code %d, %q", c.scenario, err, out, c.code, c.want)
		}
	}
}

// waitWithChild starts a child in a VM, says so, and ends with 42 on a signal.
func waitWithChild() error {
	n, err := Build([]bench.LinkInfo{{Host: "vm0", Transmit: 1e7, Receive: 1e7}})
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	child := exec.Command("sleep", os.Getenv("COLLBENCH_LAB_TEST_SLEEP"))
	if err := n.Start(0, child); err != nil {
		return err
	}
	fmt.Println("ready")
	<-signals
	os.Exit(42)
	return nil
}

// started runs waitWithChild until it is ready. sleep is unique in the machine.
func started(t *testing.T, as *syscall.Credential) (c *exec.Cmd, sleep string) {
	t.Helper()
	sleep = fmt.Sprintf("3600.%d", time.Now().UnixNano())
	c = program("child", as)
	c.Env = append(c.Env, "COLLBENCH_LAB_TEST_SLEEP="+sleep)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	first, _ := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(first) != "ready" {
		rest, _ := io.ReadAll(out)
		err := c.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == refusedCode {
			t.Skip(first)
		}
		t.Fatalf("%v: %s%s", err, first, rest)
	}
	return c, sleep
}

func TestSignalReachesTheInnerProcess(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		c, sleep := started(t, nil)
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if c.Wait(); c.ProcessState.ExitCode() != 42 {
			t.Errorf("%v: the outer process ended with %v, want 42 from the inner one", s, c.ProcessState)
		}
		gone(t, sleep)
	}
}

func TestKillLeavesNothingBehind(t *testing.T) {
	users(t, func(t *testing.T, as *syscall.Credential) {
		before := interfaces(t)
		c, sleep := started(t, as)
		if len(processes(t, sleep)) == 0 {
			t.Fatal("the child in the VM was not found")
		}
		if during := interfaces(t); during != before {
			t.Errorf("the machine's own network has changed:\n%s\nbefore\n%s", during, before)
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		gone(t, sleep)
		if after := interfaces(t); after != before {
			t.Errorf("the machine's network is left changed:\n%s\nbefore\n%s", after, before)
		}
	})
}

// gone waits until no process has the text among its arguments.
func gone(t *testing.T, text string) {
	t.Helper()
	var left []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if left = processes(t, text); len(left) == 0 {
			return
		}
	}
	t.Errorf("processes left behind: %v", left)
}

// processes lists the processes that have the text among their arguments or in their environment.
func processes(t *testing.T, text string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		arguments, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline") // it may just have ended
		environment, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if strings.Contains(string(arguments)+string(environment), text) {
			found = append(found, e.Name()+" "+string(arguments))
		}
	}
	return found
}

// interfaces lists this machine's network interfaces.
func interfaces(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
