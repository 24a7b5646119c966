package host

import (
	"errors"
	"fmt"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// choice is a row of the table by which auto chooses: an algorithm for buffers up to so many bytes.
type choice struct {
	upTo      int64 // bytes; 0: no limit
	algorithm string
}

// choices are tried in order; the first that covers the size and supports the shape is taken. No algorithm with a
// switch is among them: a switch that is a process on the same machine gains nothing.
var choices = map[collectives.Collective][]choice{
	collectives.AllReduce:     {{16 << 10, "oneshot"}, {0, "direct"}, {0, "ring"}},
	collectives.AllGather:     {{0, "direct"}, {0, "ring"}},
	collectives.ReduceScatter: {{0, "direct"}, {0, "ring"}},
	collectives.Broadcast:     {{64 << 10, "binomial"}, {0, "ring"}, {0, "binomial"}},
	collectives.Reduce:        {{0, "binomial"}},
	collectives.AllToAll:      {{0, "pairwise"}},
	collectives.Gather:        {{0, "direct"}},
	collectives.Scatter:       {{0, "direct"}},
	collectives.SendRecv:      {{0, "direct"}},
}

// choose finds the algorithm for a case that leaves it to the backend.
func choose(c bench.Case) (a collectives.Algorithm, s collectives.Shape, err error) {
	var reasons []error
	for _, row := range choices[c.What.Collective] {
		if row.upTo > 0 && c.What.Bytes > row.upTo {
			continue
		}
		if a, err = algorithms.Find(row.algorithm); err == nil {
			s, err = c.Shape(a)
		}
		if err == nil {
			return a, s, nil
		}
		reasons = append(reasons, err)
	}
	return a, s, fmt.Errorf("no algorithm for %s: %w", c.What.Collective, errors.Join(reasons...))
}
