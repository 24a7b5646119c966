// Package mpis lists the MPI libraries that tests and benchmarks use where they are installed: Debian's, which scripts/setup
// installs, and those that scripts/mpi-peers puts under build/mpi.
package mpis

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// MPI is one of them.
type MPI struct {
	Name     string
	Compiler string   // its mpicc; Intel's wheel has none, and MPICH's serves: they share the ABI and the soname
	Launcher string   // its mpiexec
	Crowd    []string // options by which there may be more ranks than CPUs
	Bind     []string // options by which each rank has a core; none where that is the default, or there is no way
	Env      []string // "NAME=VALUE", needed to start it
}

// All lists them; root is the top of this repository.
func All(root string) []MPI {
	local := func(parts ...string) string {
		path, _ := filepath.Abs(filepath.Join(append([]string{root, "build", "mpi"}, parts...)...))
		return path
	}
	// Open MPI asks for both when it is started by root.
	asRoot := []string{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"}
	intel := local("impi-rt")
	return []MPI{
		{"Open MPI 4 (Debian)", "mpicc.openmpi", "mpiexec.openmpi", []string{"--oversubscribe"}, []string{"--bind-to", "core"}, asRoot},
		{"Open MPI 5", local("openmpi", "bin", "mpicc"), local("openmpi", "bin", "mpirun"),
			[]string{"--map-by", "core:OVERSUBSCRIBE"}, []string{"--map-by", "core", "--bind-to", "core"}, asRoot},
		{"MPICH 4 (Debian)", "mpicc.mpich", "mpiexec.mpich", nil, nil, nil},
		{"MPICH 5", local("mpich", "bin", "mpicc"), local("mpich", "bin", "mpiexec"), nil, nil, nil},
		{"Intel MPI 2021", local("mpich", "bin", "mpicc"), filepath.Join(intel, "bin", "mpiexec.hydra"), nil, nil,
			[]string{"I_MPI_ROOT=" + intel, "LD_LIBRARY_PATH=" + filepath.Join(intel, "lib")}},
	}
}

// Missing says what of it is not installed; nil if nothing is.
func (m MPI) Missing() error {
	for _, program := range []string{m.Compiler, m.Launcher} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	return nil
}

// Command is the command line that starts n ranks of a program.
func (m MPI) Command(options []string, n int, program ...string) []string {
	return append(append(append([]string{m.Launcher}, options...), "-n", strconv.Itoa(n)), program...)
}

// Build compiles a C program for it into the folder and returns the program's path.
func (m MPI) Build(source, dir string) (string, error) {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, filepath.Base(source)+"-"+m.Name)
	program := filepath.Join(dir, name)
	out, err := exec.Command(m.Compiler, "-O2", "-o", program, source).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w\n%s", m.Name, m.Compiler, err, out)
	}
	return program, nil
}
