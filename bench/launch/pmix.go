package launch

import (
	"context"
	"fmt"

	"collbench/cgo/pmix"
)

// findPMIx reads what a PMIx server sets for every process. The rank is there; the size has to be asked of the
// server, unless Open MPI's own variables tell.
func findPMIx(v Variables) (*World, error) {
	if !v.has("PMIX_NAMESPACE", "PMIX_RANK") {
		return nil, nil
	}
	w := newWorld("pmix", "a PMIx launcher")
	switch {
	case v.has("PRTE_LAUNCHED"):
		w.By = "Open MPI 5 (PRRTE)"
	case v.has("OMPI_COMM_WORLD_SIZE"):
		w.By = "Open MPI"
	case v.has("SLURM_STEP_ID"):
		w.By = "srun --mpi=pmix"
	}
	r := reading{world: w, variables: v}
	r.number("rank", &w.Rank, 0, "PMIX_RANK")
	if w.By != "srun --mpi=pmix" { // there, what OMPI_ variables are around come from elsewhere
		r.number("size", &w.Size, 1, "OMPI_COMM_WORLD_SIZE")
		r.number("local rank", &w.LocalRank, 0, "OMPI_COMM_WORLD_LOCAL_RANK")
		r.number("local size", &w.LocalSize, 1, "OMPI_COMM_WORLD_LOCAL_SIZE")
		r.number("slots", &w.Slots, 1, "OMPI_UNIVERSE_SIZE")
	}
	return w, r.err
}

// openPMIx joins the job at the server and asks it for what the variables do not tell.
func openPMIx(_ context.Context, w *World, _ Variables) (Exchange, error) {
	client, err := pmix.Init()
	if err != nil {
		return nil, fmt.Errorf("%w (with --rendezvous the ranks meet without it)", err)
	}
	for _, ask := range []struct {
		what, key string
		target    *int
		get       func() (int, error)
		needed    bool
	}{
		{"size", "PMIX_JOB_SIZE", &w.Size, client.Size, true},
		{"local rank", "PMIX_LOCAL_RANK", &w.LocalRank, client.LocalRank, false},
		{"local size", "PMIX_LOCAL_SIZE", &w.LocalSize, client.LocalSize, false},
	} {
		n, err := ask.get()
		if err != nil && ask.needed {
			client.Finalize()
			return nil, err
		}
		if err != nil {
			continue
		}
		if before := *ask.target; before > 0 && before != n {
			w.Contradict = append(w.Contradict, fmt.Sprintf("%s is %d by %s, but %d by %s", ask.what, n, ask.key, before, w.source(ask.what)))
		}
		*ask.target = n
		w.From = append([]Source{{ask.what, ask.key, n}}, w.From...)
	}
	return posted{pmixBoard{client}, w.Rank}, nil
}

// pmixBoard is a PMIx server as a board.
type pmixBoard struct{ client *pmix.Client }

func (b pmixBoard) put(key, value string) error { return b.client.Put(key, []byte(value)) }
func (b pmixBoard) fence() error                { return b.client.Fence() }
func (b pmixBoard) Close() error                { return b.client.Finalize() }

func (b pmixBoard) get(rank int, key string) (string, error) {
	value, err := b.client.Get(rank, key)
	return string(value), err
}
