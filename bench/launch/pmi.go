package launch

import "errors"

// findPMI reads what a PMI-1 server sets: a connection that is there already (PMI_FD), or an address to connect to
// (PMI_PORT), whose size has to be asked of the server.
func findPMI(v Variables) (*World, error) {
	w := newWorld("pmi1", "hydra (MPICH or Intel MPI)")
	if v.has("SLURM_STEP_ID") && !v.has("MPI_LOCALRANKID") {
		w.By = "srun --mpi=pmi2"
	}
	r := reading{world: w, variables: v}
	switch {
	case v.has("PMI_FD", "PMI_RANK"):
		if !v.has("PMI_SIZE") {
			return nil, errors.New("PMI_FD and PMI_RANK are there, but no PMI_SIZE")
		}
		r.number("rank", &w.Rank, 0, "PMI_RANK")
		r.number("size", &w.Size, 1, "PMI_SIZE")
	case v.has("PMI_PORT", "PMI_ID"):
		r.number("rank", &w.Rank, 0, "PMI_ID")
	default:
		return nil, nil
	}
	r.number("local rank", &w.LocalRank, 0, "MPI_LOCALRANKID", "SLURM_LOCALID")
	r.number("local size", &w.LocalSize, 1, "MPI_LOCALNRANKS")
	return w, r.err
}
