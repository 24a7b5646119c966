// Package pmix speaks with the PMIx server of a launcher (Open MPI 4 and 5, PRRTE, srun --mpi=pmix) through
// libpmix.so.2, which it opens at run time.
//
// It declares the few types of the PMIx standard that it uses by itself: they are the same in PMIx 3, 4 and 5. A
// process opens it at most once. bench/launch is its only user.
package pmix

import "os"

// pathVariable names the library's file where the search would find another one, or none.
const pathVariable = "COLLBENCH_LIBPMIX"

// libraries lists what is tried: what the user says, the launcher's own library, the system's.
func libraries() []string {
	var names []string
	if path := os.Getenv(pathVariable); path != "" {
		return []string{path}
	}
	if prefix := os.Getenv("PMIX_PREFIX"); prefix != "" {
		names = append(names, prefix+"/lib/libpmix.so.2", prefix+"/lib/openmpi/libpmix.so.2")
	}
	return append(names, "libpmix.so.2")
}
