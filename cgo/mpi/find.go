package mpi

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// pathVariable names the library's file where the search would find another one, or none.
const pathVariable = "COLLBENCH_LIBMPI"

// Family is a kind of MPI library: those of one family understand the same settings.
type Family string

// The families. Intel MPI shares MPICH's ABI, not its settings.
const (
	OpenMPI Family = "Open MPI"
	MPICH   Family = "MPICH"
	Intel   Family = "Intel MPI"
)

// started is what one kind of launcher shows of itself: a variable, and the sonames of the libraries that fit it.
var started = []struct {
	variable string
	families []Family // that it may be of
	sonames  []string
}{
	{"OMPI_COMM_WORLD_SIZE", []Family{OpenMPI}, []string{"libmpi.so.40"}},
	{"PMI_FD", []Family{MPICH, Intel}, []string{"libmpi.so.12", "libmpich.so.12"}},
	{"PMI_PORT", []Family{MPICH, Intel}, []string{"libmpi.so.12", "libmpich.so.12"}},
}

// sonames are what is tried after that.
var sonames = []string{"libmpi.so.40", "libmpi.so.12", "libmpich.so.12", "libmpi.so"}

// Candidates lists the libraries to try: what the user says, alone; else those of the launcher that has started us, beside its
// own files (prefixes in the environment; ../lib of the programs that are our ancestors), then by the soname that fits it, then
// any.
func Candidates(env func(string) string) []string { return candidates(env, ancestors()) }

func candidates(env func(string) string, programs []string) (list []string) {
	if path := env(pathVariable); path != "" {
		return []string{path}
	}
	var fit, folders []string
	for _, s := range started {
		if env(s.variable) != "" {
			fit = append(fit, s.sonames...)
		}
	}
	for _, name := range []string{"I_MPI_ROOT", "OPAL_PREFIX", "PRTE_PREFIX", "PMIX_PREFIX"} {
		if root := env(name); root != "" && (name == "I_MPI_ROOT") == (env("OMPI_COMM_WORLD_SIZE") == "") {
			folders = append(folders, filepath.Join(root, "lib"), filepath.Join(root, "lib", "release"))
		}
	}
	for _, program := range programs {
		root := filepath.Dir(filepath.Dir(program))
		folders = append(folders, filepath.Join(root, "lib"), filepath.Join(root, "lib", "release"), filepath.Join(root, "lib64"))
	}
	if len(fit) > 0 { // not started by a launcher, the library beside a shell's program is nothing special
		for _, folder := range folders {
			for _, name := range fit {
				list = add(list, filepath.Join(folder, name))
			}
		}
	}
	for _, name := range append(fit, sonames...) {
		list = add(list, name)
	}
	return list
}

func add(list []string, name string) []string {
	for _, have := range list {
		if have == name {
			return list
		}
	}
	return append(list, name)
}

// ancestors lists the files of the programs that have started this process, the nearest first: the agent, the launcher or its
// proxy, and who started that.
func ancestors() (list []string) {
	for pid, steps := os.Getppid(), 0; pid > 1 && steps < 8; steps++ {
		if program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
			list = append(list, program)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			break
		}
		// "pid (name) state ppid …", and the name may hold anything.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 2 {
			break
		}
		if pid, err = strconv.Atoi(fields[1]); err != nil {
			break
		}
	}
	return list
}

// Guess lists the families that the library may be of, by what the launcher shows of itself; nil where nothing tells.
func Guess(env func(string) string) []Family {
	for _, s := range started {
		if env(s.variable) != "" {
			return s.families
		}
	}
	return nil
}

// FamilyOf finds the family in what the library says of itself; "" for one that is not known.
func FamilyOf(version string) Family {
	for _, f := range []Family{Intel, OpenMPI, MPICH} {
		if strings.Contains(strings.ToLower(version), strings.ReplaceAll(strings.ToLower(string(f)), "intel mpi", "intel(r) mpi")) {
			return f
		}
	}
	return ""
}

// mpichMajor finds the 4 of "MPICH Version: 4.0.2"; 0 for other libraries.
func mpichMajor(version string) (major int) {
	_, rest, _ := strings.Cut(version, "MPICH Version:")
	fmt.Sscanf(strings.TrimSpace(rest), "%d", &major)
	return major
}

// Mismatch says what is wrong with a world of so many ranks, by what the launcher says in its variables; nil where nothing is.
// A library that does not belong to the launcher makes a world of one rank of every process.
func Mismatch(env func(string) string, library string, rank, size int) error {
	for _, v := range []struct {
		name string
		what string
		have int
		fits func(said, have int) bool
	}{
		{"OMPI_COMM_WORLD_SIZE", "ranks", size, equal}, {"PMI_SIZE", "ranks", size, equal},
		{"MPI_LOCALNRANKS", "ranks on this host alone", size, atMost},
		{"OMPI_COMM_WORLD_RANK", "as this process's rank", rank, equal}, {"PMI_RANK", "as this process's rank", rank, equal},
	} {
		said, err := strconv.Atoi(env(v.name))
		if err != nil || v.fits(said, v.have) {
			continue
		}
		return fmt.Errorf("the launcher says %d %s (%s), but %s makes this process rank %d of %d: it is another MPI's library; name the launcher's own in %s",
			said, v.what, v.name, library, rank, size, pathVariable)
	}
	return nil
}

func equal(said, have int) bool  { return said == have }
func atMost(said, have int) bool { return said <= have }
