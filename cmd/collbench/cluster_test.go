package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/lab"
	"collbench/bench/store"
)

// asCluster is the variable that makes the test binary run a test inside the namespaces of a cluster.
const asCluster = "COLLBENCH_TEST_AS_CLUSTER"

// cluster is two VMs of a virtual cluster, vm0 and vm1, that are hosts also for mpirun, ssh and Slurm: each with a
// network, a host's name and servers of its own. The test itself runs beside them, as on a login node.
type cluster struct {
	network *lab.Network
	dir     string
}

// vms is how many hosts a cluster has; each gets so many ranks.
const vms, perVM = 2, 2

// enterCluster runs the calling test once more, inside the namespaces of a cluster, and returns nil: the test is
// over then. Inside it returns the cluster. When the inner test ends, so do all processes and links in there.
func enterCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv(asCluster) != "" && os.Getpid() == 1 {
		return buildCluster(t)
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: servers that change users in VMs of a virtual cluster")
	}
	runtime.LockOSThread() // the inner process dies with the thread that started it
	defer runtime.UnlockOSThread()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "3m")
	cmd.Env = append(os.Environ(), asCluster+"=1", asProgram+"=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS}
	cmd.WaitDelay = time.Second
	name, _ := os.Hostname()
	out, err := cmd.CombinedOutput()
	if after, _ := os.Hostname(); after != name {
		t.Fatalf("the cluster has renamed this machine from %s to %s", name, after)
	}
	if cmd.ProcessState == nil {
		t.Skipf("no virtual cluster here: %v", err)
	}
	if text := strings.TrimSpace(string(out)); err != nil {
		t.Errorf("inside the cluster: %v\n%s", err, text)
	} else if strings.Contains(text, "--- SKIP") {
		t.Logf("inside the cluster:\n%s", text)
	}
	return nil
}

func buildCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{dir: t.TempDir()}
	if err := c.mounts(); err != nil {
		t.Skipf("no virtual cluster here: %v", err)
	}
	links, err := lab.ParseLinks("400Mbit", vms)
	if err != nil {
		t.Fatal(err)
	}
	if c.network, err = lab.Build(links); err != nil {
		t.Skipf("no virtual cluster here: %v", err)
	}
	t.Cleanup(func() { c.network.Close() })
	return c
}

// mounts gives the cluster its own /proc, /run and names of hosts.
func (c *cluster) mounts() error {
	names := "127.0.0.1 localhost\n" + lab.SwitchAddress + " login\n"
	for i := range vms {
		names += fmt.Sprintf("%s vm%d\n", lab.Address(i), i)
	}
	file := filepath.Join(c.dir, "hosts")
	return errors.Join(
		os.WriteFile(file, []byte(names), 0o644),
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("proc", "/proc", "proc", 0, ""),
		syscall.Mount("run", "/run", "tmpfs", 0, ""),
		syscall.Mount(file, "/etc/hosts", "", syscall.MS_BIND, ""),
		syscall.Sethostname([]byte("login")),
	)
}

// start starts a command on a host of the cluster, or beside them if there is no such VM.
func (c *cluster) start(i int, cmd *exec.Cmd) error {
	name := "login"
	if i < vms {
		name = fmt.Sprintf("vm%d", i)
	}
	hosted := exec.Command("sh", append([]string{"-c", `hostname "$0" && exec "$@"`, name}, cmd.Args...)...)
	cmd.Path, cmd.Args = hosted.Path, hosted.Args
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUTS
	if i < vms {
		return c.network.Start(i, cmd)
	}
	return cmd.Start()
}

// shell starts an ssh server in every VM.
func (c *cluster) shell(t *testing.T) *shell {
	t.Helper()
	s := newShell(t, 22)
	for i := range vms {
		s.serve(t, lab.Address(i), func(cmd *exec.Cmd) error { return c.start(i, cmd) },
			func() error { return c.network.Inside(i, func() error { return dialed(lab.Address(i) + ":22") }) })
	}
	return s
}

// hostsAndRanks is the measurement by which each launcher is tested on several hosts.
func hostsAndRanks(dir string) []string {
	return []string{"run", "--collective", "all_reduce", "--bytes", "8,1MiB", "--transport", "tcp", "--iterations", "5", "--warmup", "1",
		"--expect-ranks", "4", "--expect-hosts", "2", "--out", dir}
}

// checkHosts holds what the run has kept against what it has to be: two ranks on each of two hosts, host by host.
func checkHosts(t *testing.T, dir, by string) {
	t.Helper()
	runs, warnings, err := store.Read(dir)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	info, results := runs[0].Info, runs[0].Results
	seats := map[string][]int{}
	for _, r := range info.Ranks {
		seats[r.Host] = append(seats[r.Host], r.Local)
	}
	for _, local := range seats {
		slices.Sort(local) // Open MPI 5 may count them in another order
	}
	if want := []int{0, 1}; len(seats) != 2 || !slices.Equal(seats["vm0"], want) || !slices.Equal(seats["vm1"], want) || !strings.Contains(info.Launcher, by) {
		t.Errorf("launcher %q, ranks %+v", info.Launcher, info.Ranks)
	}
	for _, r := range results {
		if r.Status != bench.OK || r.Wrong == nil || *r.Wrong != 0 || len(r.Seconds) != 4 || r.Where.Hosts != 2 || r.Where.Domain != perVM {
			t.Errorf("%s: %s %s %v %+v", r.Case, r.Status, r.Error, r.Wrong, r.Where)
		}
	}
	if len(results) != 2 {
		t.Errorf("%d results", len(results))
	}
}

// TestLaunchOnHosts: our own launcher over ssh, on hosts that are none of this one's.
func TestLaunchOnHosts(t *testing.T) {
	c := enterCluster(t)
	if c == nil {
		return
	}
	s := c.shell(t)
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(os.Args[0], s.launch("vm0:2,vm1:2", append([]string{"--"}, hostsAndRanks(dir)...)...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkHosts(t, dir, "collbench launch")
}

// TestMPIOnHosts: each mpirun over ssh.
func TestMPIOnHosts(t *testing.T) {
	c := enterCluster(t)
	if c == nil {
		return
	}
	s := c.shell(t)
	agent := filepath.Join(s.dir, "agent")
	if err := os.WriteFile(agent, []byte("#!/bin/sh\nexec "+s.command+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, m := range mpiruns {
		t.Run(m.name, func(t *testing.T) {
			command, hosts := m.command, []string{}
			switch m.by {
			case "Open MPI":
				hosts = []string{"--host", "vm0:2,vm1:2", "--mca", "plm_rsh_agent", agent}
			case "Open MPI 5":
				command = m.command[:1] // it would fill the cores of one host
				hosts = []string{"--allow-run-as-root", "--map-by", "ppr:2:node:OVERSUBSCRIBE", "--host", "vm0:2,vm1:2", "--prtemca", "plm_ssh_agent", agent}
			default:
				hosts = []string{"-hosts", "vm0,vm1", "-ppn", "2", "-launcher", "ssh", "-launcher-exec", agent}
			}
			dir := filepath.Join(t.TempDir(), "run")
			cmd := mpirun(t, command, 4, hostsAndRanks(dir)...)
			at := slices.Index(cmd.Args, "-n")
			cmd.Args = slices.Insert(cmd.Args, at, hosts...)
			cmd.Args[slices.Index(cmd.Args, os.Args[0])] = s.binary
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkHosts(t, dir, m.by)
		})
	}
}

// TestVariablesOnHosts: torchrun's variables and those of an Indexed Job on several hosts, as plain processes.
func TestVariablesOnHosts(t *testing.T) {
	c := enterCluster(t)
	if c == nil {
		return
	}
	for by, env := range map[string]func(rank int) []string{
		"torchrun": func(rank int) []string {
			return []string{fmt.Sprintf("RANK=%d", rank), "WORLD_SIZE=4", fmt.Sprintf("LOCAL_RANK=%d", rank%perVM), "LOCAL_WORLD_SIZE=2",
				"MASTER_ADDR=vm0", "MASTER_PORT=29400", "TORCHELASTIC_RUN_ID=x"}
		},
		"Indexed Job": func(rank int) []string {
			return []string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", rank), "COLLBENCH_SIZE=4", "COLLBENCH_RENDEZVOUS=vm0:4712"}
		},
	} {
		t.Run(by, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			var ranks []*exec.Cmd
			for rank := range vms * perVM {
				cmd := exec.Command(os.Args[0], hostsAndRanks(dir)...)
				cmd.Env = append(append(os.Environ(), "COLLBENCH_SECRET=0123456789abcdef"), env(rank)...)
				cmd.Stderr = os.Stderr
				if err := c.start(rank/perVM, cmd); err != nil {
					t.Fatal(err)
				}
				ranks = append(ranks, cmd)
			}
			for rank, cmd := range ranks {
				if err := cmd.Wait(); err != nil {
					t.Errorf("rank %d: %v", rank, err)
				}
			}
			checkHosts(t, dir, by)
		})
	}
}

// noneIn skips if a program is missing, with the package that has it.
func noneIn(t *testing.T, tools map[string]string) {
	t.Helper()
	for tool, packet := range tools {
		if _, err := exec.LookPath(tool); errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			t.Skipf("%s is not installed here (scripts/setup installs %s)", tool, packet)
		}
	}
}
