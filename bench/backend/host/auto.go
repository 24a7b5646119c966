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

// allReduce is the table of the all-reduce. Its thresholds are measured: BenchmarkAllReduce, float32 sum out of place,
// 2 and 4 ranks on the 2 CPUs of an AMD EPYC virtual machine (1 MiB of L2 in all, Linux 6.18), best turn of several;
// µs, oneshot : direct:
//
//	              4 KiB       32 KiB       256 KiB     2 MiB
//	private, 2    0.39:0.56   2.82:2.82    22.5:21.5   266:207
//	private, 4    4.5:10.8    25.7:15.7    –           1721:776
//	registered, 2 0.39:0.60   1.21:1.89    11.3:13.7   112:186
//	registered, 4 5.9:10.1    11.5:11.1    82.6:41.5   1330:505
//
// Of the algorithms that move no more than they must, direct has the fewest rounds. Oneshot has one round, but moves
// N/2 times as much, so its threshold falls with the ranks; at 2 it moves no more than the others, and where it need
// not copy it leads for every size. Over TCP a message costs so much that their number counts up to 32 KiB
// (recursive-doubling 178 µs, direct 304 µs at 4 ranks).
func allReduce(c bench.Case) []choice {
	ranks := int64(max(1, c.Where.Ranks))
	switch {
	case c.How.Transport != overShm:
		return []choice{{32 << 10, "recursive-doubling"}, {0, "direct"}}
	case c.How.Buffers == registered && ranks == 2:
		return []choice{{0, "oneshot"}}
	case c.How.Buffers == registered:
		return []choice{{128 << 10 / ranks, "oneshot"}, {0, "direct"}}
	}
	return []choice{{32 << 10 / ranks, "oneshot"}, {0, "direct"}}
}

// choices are tried in order; the first that covers the size and supports the shape is taken. No algorithm with a
// switch is among them: a switch that is a process on the same machine gains nothing. Where there is a choice
// besides all-reduce, it goes by rounds for short buffers and by bytes for long ones.
func choices(c bench.Case) []choice {
	switch c.What.Collective {
	case collectives.AllReduce:
		return allReduce(c)
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
