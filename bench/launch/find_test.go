package launch

import (
	"slices"
	"strings"
	"testing"
)

// The variables as the launchers really set them, but for those that play no part.
var fixtures = map[string]string{
	"open mpi 4": `OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 OMPI_COMM_WORLD_NODE_RANK=1 OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4
		OMPI_UNIVERSE_SIZE=8 PMIX_NAMESPACE=1848049665 PMIX_RANK=3 PMIX_SERVER_URI41=1848049664.0;tcp4://127.0.0.1:54413 PMIX_VERSION=4.2.2rc2`,
	"open mpi 5": `OMPI_COMM_WORLD_LOCAL_RANK=2 OMPI_COMM_WORLD_LOCAL_SIZE=4 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 OMPI_UNIVERSE_SIZE=2
		PMIX_NAMESPACE=prterun-vm-762@1 PMIX_RANK=1 PRTE_LAUNCHED=1`,
	"hydra":       `HYDI_CONTROL_FD=7 MPI_LOCALNRANKS=2 MPI_LOCALRANKID=1 PMI_FD=8 PMI_RANK=1 PMI_SIZE=2`,
	"hydra port":  `MPI_LOCALNRANKS=2 MPI_LOCALRANKID=1 PMI_ID=1 PMI_PORT=vm:36011`,
	"srun":        `SLURM_PROCID=5 SLURM_NTASKS=7 SLURM_STEP_NUM_TASKS=7 SLURM_LOCALID=1 SLURM_NODEID=2 SLURM_STEP_ID=0 SLURM_STEP_NODELIST=n[01-04] SLURM_STEP_TASKS_PER_NODE=2(x3),1`,
	"srun pmi2":   `SLURM_PROCID=1 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 SLURM_LOCALID=1 SLURM_STEP_ID=0 PMI_FD=9 PMI_RANK=1 PMI_SIZE=4 PMI_JOBID=3.0`,
	"srun pmix":   `SLURM_PROCID=1 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 SLURM_LOCALID=1 SLURM_STEP_ID=0 PMIX_RANK=1 PMIX_NAMESPACE=slurm.pmix.3.0`,
	"torchrun":    `RANK=2 WORLD_SIZE=4 LOCAL_RANK=0 LOCAL_WORLD_SIZE=2 MASTER_ADDR=n0 MASTER_PORT=29500 TORCHELASTIC_RUN_ID=none`,
	"indexed job": `JOB_COMPLETION_INDEX=3 COLLBENCH_SIZE=4`,
	"our own":     `COLLBENCH_RANK=3 COLLBENCH_SIZE=8 OMPI_COMM_WORLD_RANK=0`,
	"nobody":      `HOME=/ PATH=/bin`,
	// mpirun inside a batch script: its children inherit the rank of the task that mpirun itself was.
	"mpirun in sbatch": `SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_ID=2 SLURM_STEP_NUM_TASKS=2 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1 PMIX_NAMESPACE=x PMIX_RANK=3`,
	// torchrun started by srun.
	"torchrun in srun": `SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_STEP_ID=0 RANK=3 WORLD_SIZE=16 LOCAL_RANK=3`,
	"batch script":     `SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_JOB_ID=9 SLURM_NODEID=0`,
}

func fixture(name string) Variables { return Environ(strings.Fields(fixtures[name])) }

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name, launcher                   string
		rank, size, localRank, localSize int
		contradictions                   int
	}{
		{"open mpi 4", "pmix", 3, 4, 1, 2, 0},
		{"open mpi 5", "pmix", 1, 4, 2, 4, 0},
		{"hydra", "pmi1", 1, 2, 1, 2, 0},
		{"hydra port", "pmi1", 1, 0, 1, 2, 0},
		{"srun", "slurm", 5, 7, 1, 2, 0},
		{"srun pmi2", "pmi1", 1, 4, 1, 0, 0},
		{"srun pmix", "pmix", 1, 0, -1, 0, 0},
		{"torchrun", "torchrun", 2, 4, 0, 2, 0},
		{"indexed job", "indexed-job", 3, 4, -1, 0, 0},
		{"our own", "collbench", 3, 8, -1, 0, 0},
		{"nobody", "alone", 0, 1, 0, 1, 0},
		{"mpirun in sbatch", "pmix", 3, 4, 1, 0, 2},
		{"torchrun in srun", "torchrun", 3, 16, 3, 0, 2},
		{"batch script", "alone", 0, 1, 0, 1, 0},
	} {
		w, err := Find(fixture(c.name), "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := []any{w.Launcher, w.Rank, w.Size, w.LocalRank, w.LocalSize, len(w.Contradict)}
		if want := []any{c.launcher, c.rank, c.size, c.localRank, c.localSize, c.contradictions}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v: %v", c.name, got, want, w.Contradict)
		}
		for _, s := range w.From {
			if fixture(c.name)[s.Where] == "" {
				t.Errorf("%s: %s is said to come from %s", c.name, s.What, s.Where)
			}
		}
	}
	if len(fixtures) != 14 {
		t.Errorf("%d fixtures: one is not tested", len(fixtures))
	}
}

func TestFindRefuses(t *testing.T) {
	for _, c := range []struct{ variables, forced, want string }{
		{"COLLBENCH_RANK=1", "", "no COLLBENCH_SIZE"},
		{"COLLBENCH_RANK=4 COLLBENCH_SIZE=4", "", "rank 4 of 4"},
		{"PMI_FD=3 PMI_RANK=x PMI_SIZE=2", "", `PMI_RANK="x"`},
		{"PMI_FD=3 PMI_RANK=-1 PMI_SIZE=2", "", `PMI_RANK="-1"`},
		{"PMI_FD=3 PMI_RANK=0", "", "no PMI_SIZE"},
		{"RANK=0 WORLD_SIZE=99999999999", "", "WORLD_SIZE"},
		{"RANK=1 WORLD_SIZE=2 LOCAL_RANK=2 LOCAL_WORLD_SIZE=2", "", "local rank 2 of 2"},
		{"RANK=1 WORLD_SIZE=2 LOCAL_WORLD_SIZE=3", "", "3 ranks on this host"},
		{"JOB_COMPLETION_INDEX=0", "", "COLLBENCH_SIZE"},
		{"SLURM_PROCID=1 SLURM_STEP_ID=0", "", "SLURM_NTASKS"},
		{"", "slurm", "its variables are not there"},
		{"", "mpirun", "want one of collbench, pmix"},
	} {
		if _, err := Find(Environ(strings.Fields(c.variables)), c.forced); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.variables, c.forced, err, c.want)
		}
	}
}

func TestForcedLauncher(t *testing.T) {
	w, err := Find(fixture("open mpi 4"), Alone)
	if err != nil || w.Size != 1 || w.Lonely() != nil {
		t.Errorf("%+v %v", w, err)
	}
}

// TestLonely: one rank must not pass for all.
func TestLonely(t *testing.T) {
	for variables, lonely := range map[string]bool{
		fixtures["batch script"]: true,
		fixtures["nobody"]:       false,
		fixtures["open mpi 4"]:   false,
		"OMPI_COMM_WORLD_SIZE=1 OMPI_UNIVERSE_SIZE=8 PMIX_NAMESPACE=x PMIX_RANK=0":     true,
		"OMPI_COMM_WORLD_SIZE=1 OMPI_UNIVERSE_SIZE=1 PMIX_NAMESPACE=x PMIX_RANK=0":     false,
		"PMI_FD=3 PMI_RANK=0 PMI_SIZE=1 SLURM_NTASKS=4 SLURM_PROCID=2 SLURM_STEP_ID=0": true,
	} {
		w, err := Find(Environ(strings.Fields(variables)), "")
		if err != nil {
			t.Fatal(err)
		}
		if (w.Lonely() != nil) != lonely {
			t.Errorf("%s: %v", variables, w.Lonely())
		}
	}
}

func TestSlurmLists(t *testing.T) {
	for list, want := range map[string]string{
		"n1": "n1", "n1,n2": "n1", "n[01-04,7]": "n01", "n[7,9],m1": "n7", "a-b[3-4]-ib,c": "a-b3-ib", "n,m[1-2]": "n",
		"": "", "n[1-2": "", ",x": "", "n 1": "",
	} {
		got, err := firstHost(list)
		if (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%q: %q %v, want %q", list, got, err, want)
		}
	}
	for text, want := range map[string][]int{"2(x3),1": {2, 2, 2, 1}, "4": {4}, "1,2": {1, 2}, "": nil, "2(x": nil, "0": nil, "1(x9999999)": nil} {
		got, err := tasksPerNode(text)
		if !slices.Equal(got, want) && want != nil || (err == nil) != (want != nil) {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
}

func FuzzVariables(f *testing.F) {
	for _, text := range fixtures {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Find(Environ(strings.Fields(text)), "")
		if err == nil && (w.Rank < 0 || w.Size < 0 || w.Size > 0 && w.Rank >= w.Size) {
			t.Errorf("%+v", w)
		}
		if host, err := firstHost(text); err == nil && host == "" {
			t.Error("a host without a name")
		}
		_, _ = tasksPerNode(text)
		if c, err := ParseCard(text); err == nil {
			if _, err := c.Text(); err != nil {
				t.Error(err)
			}
		}
	})
}
