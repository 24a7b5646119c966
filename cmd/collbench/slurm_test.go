package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collbench/bench/lab"
	"collbench/bench/store"
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
TmpFS=%[3]s/tmp-%%n
SlurmctldPidFile=%[3]s/slurmctld.pid
SlurmdPidFile=%[3]s/slurmd-%%n.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MpiParams=ports=12000-12099
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
%[4]sPartitionName=all Nodes=ALL Default=YES State=UP OverSubscribe=FORCE
`, lab.SwitchAddress, socket, c.dir, nodes.String())
	for file, content := range map[string]string{config: text, key: strings.Repeat("0123456789abcdef", 8), filepath.Join(c.dir, "cgroup.conf"): "CgroupAutomount=no\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"state", "spool-vm0", "spool-vm1", "tmp-vm0", "tmp-vm1"} {
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

func slurmTools(t *testing.T) {
	t.Helper()
	noneIn(t, map[string]string{"srun": "slurm-client", "slurmctld": "slurmctld", "slurmd": "slurmd", "munged": "munge"})
}

func TestSlurm(t *testing.T) {
	slurmTools(t)
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
	t.Run("reserved ports", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		script := c.script(t, "env | grep ^SLURM_STEP_RESV_PORTS=; exec "+os.Args[0]+" "+strings.Join(hostsAndRanks(dir), " "))
		out, err := srun("--mpi=none", "--resv-ports=2", script).CombinedOutput()
		if err != nil || strings.Count(string(out), "SLURM_STEP_RESV_PORTS=120") != 4 {
			t.Fatalf("%v\n%s", err, out)
		}
		checkHosts(t, dir, "srun")
	})
}

// TestSlurmBatch is batch scripts: ours, and what people write by hand.
func TestSlurmBatch(t *testing.T) {
	slurmTools(t)
	c := enterCluster(t)
	if c == nil {
		return
	}
	c.slurm(t)
	script, err := filepath.Abs("../../scripts/slurm.sbatch")
	if err != nil {
		t.Fatal(err)
	}
	for _, mpi := range []string{"none", "pmi2", "pmix"} {
		t.Run("our script, "+mpi, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			t.Setenv("COLLBENCH", os.Args[0])
			t.Setenv("SLURM_MPI_TYPE", mpi)
			out, err := c.batch(t, append([]string{"--ntasks-per-node=2", script}, hostsAndRanks(dir)[1:]...)...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkHosts(t, dir, "srun")
		})
	}
	// The children of mpirun find the variables of the batch script, in which each is rank 0 of Slurm.
	t.Run("mpirun", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		cmd := mpirun(t, mpiruns[0].command, 4, hostsAndRanks(dir)...)
		t.Setenv("OMPI_ALLOW_RUN_AS_ROOT", "1")
		t.Setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
		out, err := c.batch(t, "--ntasks-per-node=2", c.script(t, "exec "+strings.Join(cmd.Args, " ")))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		checkHosts(t, dir, "Open MPI")
	})
	t.Run("our launcher", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		line := append([]string{os.Args[0], "launch", "-n", "4", "--"}, fourRanks(dir)...)
		if out, err := c.batch(t, "--ntasks-per-node=2", c.script(t, "exec "+strings.Join(line, " "))); err != nil || !strings.Contains(out, "4 ranks on 1 host, started by collbench launch") {
			t.Fatalf("%v\n%s", err, out)
		}
	})
	t.Run("srun is forgotten", func(t *testing.T) {
		out, err := c.batch(t, "--ntasks-per-node=2", c.script(t, os.Args[0]+" run --bytes 8"))
		if err == nil || !strings.Contains(out, "Slurm started this process alone, but the job has room for 4") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("scancel", c.cancelled)
}

// cancelled: Slurm's SIGTERM ends all ranks, and what was measured is kept.
func (c *cluster) cancelled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	log := filepath.Join(t.TempDir(), "log")
	out, err := exec.Command("sbatch", "--parsable", "--output", log, "-N", "2", "--ntasks-per-node=2", c.script(t, "exec srun --mpi=pmix "+
		os.Args[0]+" run --bytes 64K,1M --algorithm ring --iterations 10 --launches 1000 --transport tcp --out "+dir)).Output()
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a result", func() error {
		text, err := os.ReadFile(filepath.Join(dir, "results.jsonl"))
		if err == nil && len(text) == 0 {
			err = fmt.Errorf("none yet")
		}
		return err
	})
	if n := len(processes(dir)); n < 4 {
		t.Errorf("only %d processes", n)
	}
	begin := time.Now()
	if err := exec.Command("scancel", strings.TrimSpace(string(out))).Run(); err != nil {
		t.Fatal(err)
	}
	for len(processes(dir)) > 0 && time.Since(begin) < 10*time.Second {
		time.Sleep(20 * time.Millisecond)
	}
	text, _ := os.ReadFile(log)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("%d processes %s after scancel:\n%s", len(processes(dir)), took, text)
	}
	runs, warnings, err := store.Read(dir)
	if err != nil || len(warnings) > 0 || len(runs[0].Results) < 1 || !strings.Contains(string(text), "results kept: ") {
		t.Errorf("%v %v\n%s", err, warnings, text)
	}
}

// script writes a batch script of one line.
func (c *cluster) script(t *testing.T, line string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+line+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// batch runs a batch job on both hosts and returns what it printed. (sbatch --wait asks too seldom.)
func (c *cluster) batch(t *testing.T, args ...string) (string, error) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	number, err := exec.Command("sbatch", append([]string{"--parsable", "--output", log, "-N", "2"}, args...)...).Output()
	if err != nil {
		return "", err
	}
	var state string
	await(t, "the end of the job", func() error {
		out, err := exec.Command("scontrol", "--oneliner", "show", "job", strings.TrimSpace(string(number))).CombinedOutput()
		for _, open := range []string{"PENDING", "RUNNING", "COMPLETING", "CONFIGURING"} {
			if state = string(out); err == nil && strings.Contains(state, "JobState="+open) {
				err = errors.New(open)
			}
		}
		return err
	})
	if !strings.Contains(state, "ExitCode=0:0") {
		err = errors.New(state)
	}
	text, _ := os.ReadFile(log)
	return string(text), err
}
