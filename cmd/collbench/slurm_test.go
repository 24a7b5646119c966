package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collbench/bench/lab"
)

// slurm starts a whole Slurm on the cluster: munge and slurmctld beside the VMs, a slurmd in each. All it writes is
// in the cluster's folder, and it ends with the cluster.
func (c *cluster) slurm(t *testing.T) {
	t.Helper()
	key, socket := filepath.Join(c.dir, "munge.key"), filepath.Join(c.dir, "munge.socket")
	var nodes strings.Builder
	for i := range vms {
		fmt.Fprintf(&nodes, "NodeName=vm%d NodeAddr=%s CPUs=4\n", i, lab.Address(i))
	}
	config := filepath.Join(c.dir, "slurm.conf")
	text := fmt.Sprintf(`ClusterName=test
SlurmctldHost=login(%[1]s)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=%[2]s
StateSaveLocation=%[3]s/state
SlurmdSpoolDir=%[3]s/spool-%%n
SlurmctldPidFile=%[3]s/slurmctld.pid
SlurmdPidFile=%[3]s/slurmd-%%n.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
%[4]sPartitionName=all Nodes=ALL Default=YES State=UP OverSubscribe=FORCE
`, lab.SwitchAddress, socket, c.dir, nodes.String())
	for file, content := range map[string]string{config: text, key: strings.Repeat("0123456789abcdef", 8), filepath.Join(c.dir, "cgroup.conf"): "CgroupAutomount=no\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"state", "spool-vm0", "spool-vm1"} {
		if err := os.Mkdir(filepath.Join(c.dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_CONF", config)
	c.daemon(t, vms, "munged", "--foreground", "--force", "--key-file="+key, "--socket="+socket, "--pid-file="+socket+".pid", "--log-file="+socket+".log", "--seed-file="+socket+".seed")
	await(t, "munged", func() error { return exec.Command("munge", "--no-input", "--socket="+socket).Run() })
	c.daemon(t, vms, "slurmctld", "-D", "-f", config)
	for i := range vms {
		c.daemon(t, i, "slurmd", "-D", "-f", config)
	}
	await(t, "Slurm", func() error {
		out, err := exec.Command("sinfo", "--noheader", "--format=%t %D").CombinedOutput()
		if got := strings.TrimSpace(string(out)); err == nil && got != fmt.Sprintf("idle %d", vms) {
			err = fmt.Errorf("nodes: %s", got)
		}
		return err
	})
}

// daemon starts a server on a host of the cluster; what it said is shown if the test fails.
func (c *cluster) daemon(t *testing.T, i int, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	if err := c.start(i, cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			text := said.String()
			t.Logf("%s on host %d:\n%s", args[0], i, text[max(0, len(text)-4000):])
		}
	})
}

// await waits until a server is there.
func await(t *testing.T, what string, there func() error) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := there()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come: %v", what, err)
		}
	}
}

func TestSlurm(t *testing.T) {
	noneIn(t, map[string]string{"srun": "slurm-client", "slurmctld": "slurmctld", "slurmd": "slurmd", "munged": "munge"})
	c := enterCluster(t)
	if c == nil {
		return
	}
	c.slurm(t)
	t.Setenv("COLLBENCH_SECRET", "0123456789abcdef")
	srun := func(args ...string) *exec.Cmd {
		return exec.Command("srun", append([]string{"-N", "2", "-n", "4", "--ntasks-per-node", "2"}, args...)...)
	}
	for _, m := range []struct{ mpi, by string }{{"none", "srun"}, {"pmi2", "srun --mpi=pmi2"}, {"pmix", "srun --mpi=pmix"}} {
		t.Run("whoami "+m.mpi, func(t *testing.T) {
			out, err := srun("--mpi="+m.mpi, os.Args[0], "whoami").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for rank := range 4 {
				if want := fmt.Sprintf("rank %d of 4, by %s, on vm%d\n", rank, m.by, rank/2); !strings.Contains(string(out), want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
			if strings.Contains(string(out), " but ") {
				t.Errorf("Slurm contradicts itself:\n%s", out)
			}
		})
		t.Run(m.mpi, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			out, err := srun(append([]string{"--mpi=" + m.mpi, os.Args[0]}, hostsAndRanks(dir)...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkHosts(t, dir, m.by)
		})
	}
}
