package launch

import (
	"context"
	"errors"
	"strings"
)

// findOwn reads our own variables. The flags --rank, --ranks and --rendezvous set them.
func findOwn(v Variables) (*World, error) {
	if !v.has("COLLBENCH_RANK") {
		return nil, nil
	}
	if !v.has("COLLBENCH_SIZE") {
		return nil, errors.New("COLLBENCH_RANK is there, but no COLLBENCH_SIZE (with --rank goes --ranks)")
	}
	w := newWorld("collbench", "flags or COLLBENCH_ variables")
	if strings.HasPrefix(v[rendezvousVariable], pipePrefix) {
		w.By = "collbench launch"
	}
	r := reading{world: w, variables: v}
	r.number("rank", &w.Rank, 0, "COLLBENCH_RANK")
	r.number("size", &w.Size, 1, "COLLBENCH_SIZE")
	r.number("local rank", &w.LocalRank, 0, "COLLBENCH_LOCAL_RANK")
	r.number("local size", &w.LocalSize, 1, "COLLBENCH_LOCAL_SIZE")
	return w, r.err
}

func openOwn(_ context.Context, w *World, v Variables) (Exchange, error) {
	if !v.has(rendezvousVariable) {
		return nil, errors.New("nothing says where to meet: --rendezvous or COLLBENCH_RENDEZVOUS, HOST:PORT of rank 0 or file:PATH")
	}
	return meetWhereTold(w, v)
}
