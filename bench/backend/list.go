// Package backend is the list of backends: what can carry out a case. It stands between the command line, which
// chooses by name, and the worker processes, which open what was chosen. Only this list knows them all.
package backend

import (
	"fmt"
	"strings"

	"collbench/bench"
	"collbench/bench/backend/host"
	"collbench/bench/backend/mpi"
	"collbench/bench/backend/nccl"
	"collbench/bench/backend/ucx"
)

// All lists every backend in the order in which they are shown.
var All = []bench.Backend{host.Backend{}, &mpi.Backend{}, nccl.New(), ucx.New()}

// Find returns the backend of that name; the error lists the names there are.
func Find(name string) (bench.Backend, error) {
	var names []string
	for _, b := range All {
		if b.Name() == name {
			return b, nil
		}
		names = append(names, b.Name())
	}
	return nil, fmt.Errorf("unknown backend %q: want one of %s", name, strings.Join(names, ", "))
}
