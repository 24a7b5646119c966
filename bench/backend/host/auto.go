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

// The all-reduce's thresholds are measured: BenchmarkAllReduce, float32 sum at 2 and 4 ranks on 2 CPUs of an AMD EPYC
// virtual machine (1 MiB of L2, Linux 6.18), best turn of several. Through shared memory oneshot leads up to 4 KiB
// and is behind at 32 KiB, where lending makes it lead; above, fewer bytes count, and direct has the fewest rounds
// that move no more than they must. Over TCP a message costs so much that the number of them counts up to 32 KiB.
var (
	allReduceShm        = []choice{{16 << 10, "oneshot"}, {0, "direct"}}
	allReduceRegistered = []choice{{48 << 10, "oneshot"}, {0, "direct"}}
	allReduceTCP        = []choice{{32 << 10, "recursive-doubling"}, {0, "direct"}}
)

// choices are tried in order; the first that covers the size and supports the shape is taken. No algorithm with a
// switch is among them: a switch that is a process on the same machine gains nothing. Where there is a choice
// besides all-reduce it goes by rounds for short buffers and by bytes for long ones.
func choices(c bench.Case) []choice {
	switch c.What.Collective {
	case collectives.AllReduce:
		switch {
		case c.How.Transport != overShm:
			return allReduceTCP
		case c.How.Buffers == registered:
			return allReduceRegistered
		}
		return allReduceShm
	case collectives.Broadcast:
		return []choice{{64 << 10, "binomial"}, {0, "ring"}}
	case collectives.Reduce:
		return []choice{{0, "binomial"}}
	case collectives.AllToAll:
		return []choice{{0, "pairwise"}}
	}
	return []choice{{0, "direct"}}
}

// choose finds the algorithm for a case that leaves it to the backend.
func choose(c bench.Case) (a collectives.Algorithm, s collectives.Shape, err error) {
	var reasons []error
	for _, row := range choices(c) {
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
