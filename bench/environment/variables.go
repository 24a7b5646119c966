package environment

import (
	"regexp"
	"slices"
	"strings"
)

// The allow-list: variables that change how communication behaves, or say which job and which commit this is.
var (
	allowedPrefixes = []string{"NCCL_", "NVSHMEM_", "SHARP_", "UCX_", "UCC_", "HCOLL_", "FI_", "OMPI_MCA_", "I_MPI_", "MPICH_", "COLLBENCH_"}
	allowedNames    = []string{
		"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_MAX_CONNECTIONS",
		"NVIDIA_VISIBLE_DEVICES", "NVIDIA_PRODUCT_NAME", "NVIDIA_BUILD_ID", "SLURM_JOB_ID", "SLURM_NNODES", "SLURM_NTASKS", "SLURM_CPU_BIND", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "WORLD_SIZE",
		"GITHUB_SHA", "CI_COMMIT_SHA",
	}
	// Parts of names that keep a variable out whatever the lists say.
	secretParts = []string{"TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "AUTH"}
	// A user's name or password in an address.
	userInfo = regexp.MustCompile(`://[^/\s]*@`)
)

const longestValue = 1024 // bytes; what is longer is no setting

// allowed picks the variables that are on the allow-list and no secrets.
func allowed(variables []string) map[string]string {
	kept := map[string]string{}
	for _, v := range variables {
		name, value, ok := strings.Cut(v, "=")
		listed := slices.Contains(allowedNames, name) || slices.ContainsFunc(allowedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
		secret := slices.ContainsFunc(secretParts, func(p string) bool { return strings.Contains(strings.ToUpper(name), p) })
		if ok && listed && !secret && len(value) <= longestValue && !userInfo.MatchString(value) {
			kept[name] = strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
