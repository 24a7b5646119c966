package doctor

var stack = Check{
	ID:   "stack",
	What: "Which versions of communication libraries and frameworks are installed.",
	Why:  "Ranks with different NCCL or MPI do not meet, or meet and hang; and a figure is worth something only with the versions that gave it.",
	How: "Names of files: libnccl, libmpi, libmpich, libnvshmem_host, libdcgm in the usual folders, /usr/local/cuda-*, /opt/hpcx-*, Python packages in /usr/local/lib/python3*/dist-packages " +
		"(NCCL, NVSHMEM, PyTorch, NeMo, Megatron, Triton, RAPIDS, CuPy); ucx_info -v; NVIDIA_PRODUCT_NAME and NVIDIA_BUILD_ID, which NGC's containers set. What lies elsewhere, as in a virtual environment, does not show.",
	Outcomes: []*Outcome{stackSeen, stackNone},
	Sources:  []string{"https://docs.nvidia.com/deeplearning/frameworks/support-matrix/index.html"},
	Look:     lookStack,
}

var (
	stackSeen = &Outcome{Status: Info, When: "some are"}
	stackNone = &Outcome{Status: Info, Absent: true, When: "none is in the usual places"}
)

func lookStack(v *View) []Finding {
	values := v.facts().Values
	var where []Evidence
	var seen []string
	for _, fact := range []string{factNCCL, factMPI, factUCX, factNVSHMEM, factHPCX, factCUDA, factPython, factDCGM, factContainer} {
		if version := values[fact]; version != "" {
			where = append(where, setting(fact, version))
			seen = append(seen, fact+" "+version)
		}
	}
	if len(seen) == 0 {
		return []Finding{stackNone.found(nil, "no communication library in the usual places")}
	}
	return []Finding{stackSeen.found(where, "%s", each(seen))}
}
