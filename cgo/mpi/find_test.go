package mpi

import (
	"slices"
	"strings"
	"testing"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestCandidates(t *testing.T) {
	programs := []string{"/opt/mpi/bin/hydra_pmi_proxy"}
	for _, c := range []struct {
		name  string
		env   []string
		first []string
	}{
		{"the user's", []string{"COLLBENCH_LIBMPI", "/x/libmpi.so", "PMI_FD", "4"}, []string{"/x/libmpi.so"}},
		{"hydra's", []string{"PMI_FD", "4"}, []string{"/opt/mpi/lib/libmpi.so.12", "/opt/mpi/lib/libmpich.so.12"}},
		{"Intel's", []string{"PMI_FD", "4", "I_MPI_ROOT", "/opt/intel"}, []string{"/opt/intel/lib/libmpi.so.12", "/opt/intel/lib/libmpich.so.12", "/opt/intel/lib/release/libmpi.so.12"}},
		{"Open MPI's, whatever Intel has left", []string{"OMPI_COMM_WORLD_SIZE", "2", "I_MPI_ROOT", "/opt/intel"}, []string{"/opt/mpi/lib/libmpi.so.40"}},
		{"nobody's", nil, []string{"libmpi.so.40", "libmpi.so.12", "libmpich.so.12", "libmpi.so"}},
	} {
		list := candidates(environment(c.env...), programs)
		if len(list) < len(c.first) || !slices.Equal(list[:len(c.first)], c.first) {
			t.Errorf("%s: %v, want first %v", c.name, list, c.first)
		}
		if c.name == "the user's" && len(list) != 1 {
			t.Errorf("%s: %v", c.name, list)
		}
		if c.name == "hydra's" && slices.Index(list, "libmpich.so.12") > slices.Index(list, "libmpi.so.40") {
			t.Errorf("%s: %v", c.name, list)
		}
	}
}

func TestAncestors(t *testing.T) {
	if list := ancestors(); len(list) == 0 || !strings.HasPrefix(list[0], "/") {
		t.Errorf("%v: want at least the go command", list)
	}
}

func TestMismatch(t *testing.T) {
	for _, c := range []struct {
		env        []string
		rank, size int
		want       string
	}{
		{nil, 0, 1, ""},
		{[]string{"OMPI_COMM_WORLD_SIZE", "2", "OMPI_COMM_WORLD_RANK", "1"}, 1, 2, ""},
		{[]string{"OMPI_COMM_WORLD_SIZE", "2"}, 0, 1, "OMPI_COMM_WORLD_SIZE"},
		{[]string{"PMI_SIZE", "4"}, 0, 1, "PMI_SIZE"},
		{[]string{"PMI_SIZE", "2", "PMI_RANK", "1"}, 0, 2, "PMI_RANK"},
		{[]string{"MPI_LOCALNRANKS", "2"}, 0, 1, "MPI_LOCALNRANKS"},
		{[]string{"MPI_LOCALNRANKS", "2"}, 0, 4, ""},
	} {
		err := Mismatch(environment(c.env...), "libmpi.so.40", c.rank, c.size)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), pathVariable) || !strings.Contains(err.Error(), "libmpi.so.40")) {
			t.Errorf("%v, rank %d of %d: %v, want %q", c.env, c.rank, c.size, err, c.want)
		}
	}
}

func TestFamilies(t *testing.T) {
	for version, want := range map[string]Family{
		"Open MPI v4.1.4, package: Debian OpenMPI": OpenMPI, "MPICH Version: 4.0.2": MPICH,
		"Intel(R) MPI Library 2021.18 for Linux* OS": Intel, "something": "",
	} {
		if got := FamilyOf(version); got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}
