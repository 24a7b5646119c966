package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"collbench/bench"
	"collbench/bench/pairs"
	"collbench/bench/store"
	"collbench/bench/summary"
	"collbench/bench/workers"
	"collbench/collectives"
)

// bisect halves the hosts with an all-reduce until the slow one is left. The results go to the run folder, with the hosts of the
// group in their notes.
func (j *job) bisect(ctx context.Context, folder *store.Folder) (pairs.Bisection, error) {
	pool, ok := j.launcher.(*workers.Pool)
	if !ok || pool.Fleet != nil {
		return pairs.Bisection{}, usageErrorf("--bisect: groups of hosts are started by collbench itself: in the virtual cluster, and not under a launcher")
	}
	base := j.plan.Cases[0]
	base.What = bench.What{Collective: collectives.AllReduce, Algorithm: bench.Auto, DataType: collectives.Float32, Bytes: bisectBytes}
	base.How.Timing = bench.TimingBarrier
	var hosts []string
	for _, n := range pool.Nodes[:pool.Ranks] {
		if !slices.Contains(hosts, n.Host) {
			hosts = append(hosts, n.Host)
		}
	}
	var keeping sync.Mutex
	keep := func(r bench.Result) error {
		keeping.Lock()
		defer keeping.Unlock()
		return folder.Append(r)
	}
	b, err := pairs.Bisect(base.String(), hosts, j.pairs.tolerance, func(groups [2][]string) (figures [2]float64, err error) {
		var errs [2]error
		var both sync.WaitGroup
		for i, group := range groups {
			both.Go(func() { figures[i], errs[i] = j.collective(ctx, *pool, base, group, keep) })
		}
		both.Wait()
		return figures, errors.Join(errs[0], errs[1])
	})
	if err != nil {
		return b, fmt.Errorf("bisection: %w", err)
	}
	return b, nil
}

// bisectBytes is the size of the all-reduce, and bisectPart what part of the run's budget each rerun may take.
const (
	bisectBytes = 1 << 20
	bisectPart  = 0.1
)

// collective has a group of hosts carry a collective out, and returns its bus bandwidth in bytes/s.
func (j *job) collective(ctx context.Context, pool workers.Pool, c bench.Case, group []string, keep func(bench.Result) error) (busbw float64, err error) {
	pool.Nodes = slices.DeleteFunc(slices.Clone(pool.Nodes[:pool.Ranks]), func(n workers.Node) bool { return !slices.Contains(group, n.Host) })
	pool.Ranks, pool.Links = len(pool.Nodes), nil
	c.Where = bench.Where{Ranks: pool.Ranks, Hosts: len(group), Domain: pool.Ranks / len(group), Radix: c.Where.Radix}
	plan := bench.Plan{Cases: []bench.Case{c}, Ranks: pool.Ranks, Precision: j.plan.Precision, Budget: bisectPart * j.plan.Budget, Warmup: -1, Launches: 1, Seed: j.plan.Seed}
	err = bench.Runner{Plan: plan, Launcher: &pool, Environment: environmentOf, Sink: func(r bench.Result) error {
		r.Note = fmt.Sprintf("bisection: %v", group)
		if row := summary.Of(j.info, r); row.BusBW != nil {
			busbw = *row.BusBW
		} else {
			return fmt.Errorf("%s between %v: %s %s", c, group, r.Status, r.Error)
		}
		return keep(r)
	}}.Run(ctx)
	return busbw, err
}
