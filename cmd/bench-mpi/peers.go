package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// peer is one MPI library: how to build the program for it and how to start two ranks.
type peer struct {
	name   string
	mpicc  string
	launch []string // mpiexec and its options
	env    []string
}

// peers lists the MPI libraries found: Debian's by name and those that scripts/mpi-peers put under build/mpi.
func peers(ranks int) []peer {
	n := fmt.Sprint(ranks)
	local := func(parts ...string) string {
		path, _ := filepath.Abs(filepath.Join(append([]string{"build", "mpi"}, parts...)...))
		return path
	}
	root := []string{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"}
	intel := local("impi-rt")
	all := []peer{
		{"Open MPI 4 (Debian)", "mpicc.openmpi", []string{"mpiexec.openmpi", "-n", n, "--bind-to", "core"}, root},
		{"Open MPI 5", local("openmpi", "bin", "mpicc"), []string{local("openmpi", "bin", "mpirun"), "-n", n, "--map-by", "core", "--bind-to", "core"}, root},
		{"MPICH 4 (Debian)", "mpicc.mpich", []string{"mpiexec.mpich", "-n", n}, nil},
		{"MPICH 5", local("mpich", "bin", "mpicc"), []string{local("mpich", "bin", "mpiexec"), "-n", n}, nil},
		// The wheel has no compiler wrapper: MPICH's serves, since both have the MPICH ABI and the same soname.
		{"Intel MPI 2021", local("mpich", "bin", "mpicc"), []string{filepath.Join(intel, "bin", "mpiexec.hydra"), "-n", n},
			[]string{"I_MPI_ROOT=" + intel, "LD_LIBRARY_PATH=" + filepath.Join(intel, "lib")}},
	}
	var found []peer
	for _, p := range all {
		_, noCompiler := exec.LookPath(p.mpicc)
		_, noLauncher := exec.LookPath(p.launch[0])
		if noCompiler != nil || noLauncher != nil {
			fmt.Fprintf(os.Stderr, "bench-mpi: %s is not installed and not measured\n", p.name)
			continue
		}
		found = append(found, p)
	}
	return found
}

// build compiles the program for the peer and returns its path.
func (p peer) build(source, dir string) (string, error) {
	binary := filepath.Join(dir, "allreduce-"+filepath.Base(p.launch[0])+"-"+sanitize(p.name))
	out, err := exec.Command(p.mpicc, "-O2", "-o", binary, source).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w\n%s", p.name, p.mpicc, err, out)
	}
	return binary, nil
}

func sanitize(s string) string {
	clean := []rune(s)
	for i, r := range clean {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			clean[i] = '-'
		}
	}
	return string(clean)
}
