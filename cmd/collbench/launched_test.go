package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/store"
)

// mpiruns are the launchers that are tested where they are installed: Debian's, and those that scripts/mpi-peers
// installs.
var mpiruns = []struct {
	name, by string
	command  []string
}{
	{"Open MPI 4", "Open MPI", []string{"mpiexec.openmpi", "--oversubscribe"}},
	{"MPICH 4", "hydra", []string{"mpiexec.mpich"}},
	{"MPICH 4, PMI_PORT", "hydra", []string{"mpiexec.mpich", "-pmi-port"}},
	{"Open MPI 5", "Open MPI 5", []string{"../../build/mpi/openmpi/bin/mpirun", "--allow-run-as-root", "--map-by", "core:OVERSUBSCRIBE"}},
	{"MPICH 5", "hydra", []string{"../../build/mpi/mpich/bin/mpiexec"}},
	{"Intel MPI", "hydra", []string{"../../build/mpi/impi-rt/bin/mpiexec"}},
}

// mpirun is the command that starts n ranks of this test binary as the program.
func mpirun(t *testing.T, command []string, n int, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(command[0])
	if err != nil {
		t.Skipf("not installed here (scripts/setup and scripts/mpi-peers do): %v", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, slices.Concat(command[1:], []string{"-n", strconv.Itoa(n), self}, args)...)
	// Open MPI asks for both when it is started by root.
	cmd.Env = append(os.Environ(), "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	return cmd
}

// fourRanks is the measurement by which each launcher is tested.
func fourRanks(dir string) []string {
	return []string{"run", "--collective", "all_reduce", "--bytes", "8,1MiB", "--transport", "tcp", "--iterations", "10", "--warmup", "2",
		"--expect-ranks", "4", "--expect-hosts", "1", "--out", dir}
}

// checkFourRanks holds what the run has kept against what it has to be.
func checkFourRanks(t *testing.T, dir, by string) {
	t.Helper()
	runs, warnings, err := store.Read(dir)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	info, results := runs[0].Info, runs[0].Results
	host, _ := os.Hostname()
	locals := map[int]bool{}
	for _, r := range info.Ranks {
		locals[r.Local] = true
		if r.Host != host {
			t.Errorf("rank %d is on %s, not on %s", r.Rank, r.Host, host)
		}
	}
	if len(info.Ranks) != 4 || len(locals) != 4 || !strings.Contains(info.Launcher, by) {
		t.Errorf("launcher %q, ranks %+v", info.Launcher, info.Ranks)
	}
	for _, r := range results {
		if r.Status != bench.OK || r.Wrong == nil || *r.Wrong != 0 || len(r.Seconds) != 4 || r.Where.Hosts != 1 || r.Where.Domain != 4 {
			t.Errorf("%s: %s %s %v %+v", r.Case, r.Status, r.Error, r.Wrong, r.Where)
		}
	}
	if len(results) != 2 {
		t.Errorf("%d results", len(results))
	}
}

func TestUnderMPI(t *testing.T) {
	for _, m := range mpiruns {
		t.Run(m.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			cmd := mpirun(t, m.command, 4, fourRanks(dir)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
			}
			checkFourRanks(t, dir, m.by)
			if n := strings.Count(stdout.String(), "all_reduce"); n != 1 {
				t.Errorf("%d tables, want one, from rank 0:\n%s", n, stdout.String())
			}
			if strings.Contains(stderr.String(), "refused") {
				t.Error(stderr.String())
			}
		})
	}
}

// TestWhoamiUnderMPI holds what whoami finds against what the launcher says of itself.
func TestWhoamiUnderMPI(t *testing.T) {
	for _, m := range mpiruns {
		t.Run(m.name, func(t *testing.T) {
			out, err := mpirun(t, m.command, 4, "whoami").Output()
			if err != nil {
				t.Fatal(err)
			}
			for rank := range 4 {
				if !strings.Contains(string(out), fmt.Sprintf("rank %d of 4, by %s", rank, m.by)) {
					t.Errorf("no rank %d in\n%s", rank, out)
				}
			}
			if strings.Contains(string(out), " but ") {
				t.Errorf("the launcher contradicts itself:\n%s", out)
			}
		})
	}
}

// members starts so many ranks as plain processes, each with the variables that env gives for it. Rank 0 is the last.
func members(t *testing.T, n int, args []string, env func(rank int) []string) (list []*exec.Cmd, stderr []*bytes.Buffer) {
	t.Helper()
	list, stderr = make([]*exec.Cmd, n), make([]*bytes.Buffer, n)
	for rank := n - 1; rank >= 0; rank-- {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), env(rank)...)
		stderr[rank] = &bytes.Buffer{}
		cmd.Stderr = stderr[rank]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		list[rank] = cmd
	}
	return list, stderr
}

func TestUnderVariables(t *testing.T) {
	const secret = "COLLBENCH_SECRET=0123456789abcdef"
	file := filepath.Join(t.TempDir(), "meet")
	for _, c := range []struct {
		name, by string
		env      func(rank int) []string
	}{
		{"torchrun", "torchrun", func(rank int) []string {
			return []string{secret, fmt.Sprintf("RANK=%d", rank), "WORLD_SIZE=4", fmt.Sprintf("LOCAL_RANK=%d", 3-rank), "LOCAL_WORLD_SIZE=4",
				"MASTER_ADDR=localhost", "MASTER_PORT=29411", "TORCHELASTIC_RUN_ID=x"}
		}},
		{"srun", "srun", func(rank int) []string {
			return []string{secret, fmt.Sprintf("SLURM_PROCID=%d", rank), "SLURM_STEP_NUM_TASKS=4", "SLURM_NTASKS=4", fmt.Sprintf("SLURM_LOCALID=%d", rank),
				"SLURM_STEP_ID=0", "SLURM_JOB_ID=4711", "SLURM_STEP_NODELIST=localhost", "SLURM_STEP_TASKS_PER_NODE=4"}
		}},
		{"indexed job", "Indexed Job", func(rank int) []string {
			return []string{secret, fmt.Sprintf("JOB_COMPLETION_INDEX=%d", rank), "COLLBENCH_SIZE=4", "COLLBENCH_RENDEZVOUS=localhost:29431"}
		}},
		{"IPv6", "flags", func(rank int) []string {
			return []string{secret, fmt.Sprintf("COLLBENCH_RANK=%d", rank), "COLLBENCH_SIZE=4", "COLLBENCH_RENDEZVOUS=[::1]:29441"}
		}},
		{"file", "flags", func(rank int) []string {
			return []string{fmt.Sprintf("COLLBENCH_RANK=%d", rank), "COLLBENCH_SIZE=4", "COLLBENCH_RENDEZVOUS=file:" + file}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			list, stderr := members(t, 4, fourRanks(dir), c.env)
			for rank, cmd := range list {
				if err := cmd.Wait(); err != nil {
					t.Errorf("rank %d: %v\n%s", rank, err, stderr[rank])
				}
			}
			checkFourRanks(t, dir, c.by)
		})
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the rendezvous file is left: %v", err)
	}
}

func TestByFlags(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	file := filepath.Join(t.TempDir(), "meet")
	var list []*exec.Cmd
	for rank := range 4 {
		cmd := exec.Command(os.Args[0], append(fourRanks(dir), "--rank", strconv.Itoa(rank), "--ranks", "4", "--rendezvous", "file:"+file)...)
		cmd.Stderr = os.Stderr
		if rank > 0 {
			cmd.Stderr = nil
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		list = append(list, cmd)
	}
	for rank, cmd := range list {
		if err := cmd.Wait(); err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	checkFourRanks(t, dir, "flags")
}
