package launch

import (
	"context"
	"errors"
	"fmt"
)

// findIndexed reads the index that Kubernetes gives every pod of an Indexed Job. It gives no size: the manifest has
// to, as COLLBENCH_SIZE.
func findIndexed(v Variables) (*World, error) {
	if !v.has("JOB_COMPLETION_INDEX") {
		return nil, nil
	}
	w := newWorld("indexed-job", "a Kubernetes Indexed Job")
	r := reading{world: w, variables: v}
	r.number("rank", &w.Rank, 0, "JOB_COMPLETION_INDEX")
	r.number("size", &w.Size, 1, "COLLBENCH_SIZE")
	if r.err == nil && w.Size == 0 {
		return nil, fmt.Errorf("JOB_COMPLETION_INDEX=%d is there, but nothing says of how many: set COLLBENCH_SIZE to the job's completions", w.Rank)
	}
	return w, r.err
}

// openIndexed has no address of rank 0: Kubernetes gives pods a name only through a service, which the manifest names.
func openIndexed(context.Context, *World, Variables) (Exchange, error) {
	return nil, errors.New("nothing says where to meet: set COLLBENCH_RENDEZVOUS to the name of pod 0 and a port, such as job-0.service:4712")
}
