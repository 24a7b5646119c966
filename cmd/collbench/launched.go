package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"collbench/bench"
	"collbench/bench/doctor"
	"collbench/bench/launch"
	"collbench/bench/workers"

	"github.com/urfave/cli/v2"
)

// joinFlags say how the ranks of a launcher's job meet.
func joinFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "interface", Usage: "`NETWORK` for control and data between hosts: an interface's name or a prefix such as 10.0.0.0/8 (default: as the hosts reach each other)"},
		&cli.DurationFlag{Name: "join-timeout", Value: time.Minute, Usage: "how long the ranks wait for each other", Action: aboveZero("join-timeout")},
	}
}

// inJob is a command as one of the processes that a launcher has started.
type inJob struct {
	parent  int // process
	profile doctor.Profile
	lead    func(*cli.Context, *workers.Fleet, *launch.World, workers.Options) error // what rank 0 does with all ranks
	alone   func(*cli.Context) error                                                 // what is done if there is one rank
}

// run does the command's work on rank 0; the others start the workers of their ranks, and look at their hosts, as it says.
func (j inJob) run(c *cli.Context, world *launch.World, v launch.Variables) error {
	command, err := workerCommandLine()
	if err != nil {
		return err
	}
	options := workers.Options{
		Command: command, Interface: c.String("interface"), Join: c.Duration("join-timeout"), Examine: examiner(c.Context, j.profile),
		Log: func(format string, args ...any) {
			fmt.Fprintf(c.App.ErrWriter, "collbench: %s\n", oneLine(fmt.Errorf(format, args...)))
		},
	}
	exchange, err := openExchange(c, world, v, options)
	if err != nil {
		return err
	}
	if world.Size == 1 {
		exchange.Close()
		return errors.Join(lonely(world), j.alone(c))
	}
	if world.Rank != 0 {
		if err := workers.Join(c.Context, world, exchange, j.parent, options); err != nil {
			return joinError(c, world, err)
		}
		return nil
	}
	fleet, ctx, err := workers.Gather(c.Context, world, exchange, options)
	if err != nil {
		return joinError(c, world, err)
	}
	defer fleet.Close()
	for _, text := range world.Contradict {
		options.Log("%s", text)
	}
	c.Context = ctx
	return j.lead(c, fleet, world, options)
}

// openExchange opens the way by which the ranks meet: the launcher's, or the backend's own.
func openExchange(c *cli.Context, world *launch.World, v launch.Variables, options workers.Options) (launch.Exchange, error) {
	meeter, environment, err := meeterOf(c, world)
	if err != nil && world.Rank > 0 {
		return nil, silent(exitCode(err)) // rank 0 says it
	}
	if err != nil {
		return nil, err
	}
	if meeter != nil {
		exchange, err := workers.Encounter(world, meeter, options.Command, environment)
		if err != nil {
			return nil, environmentErrorf("%w", err)
		}
		return exchange, nil
	}
	meeting, cancel := context.WithTimeout(c.Context, options.Join)
	defer cancel()
	exchange, err := launch.Open(meeting, world, v)
	if err != nil {
		return nil, environmentErrorf("%w", err)
	}
	return exchange, nil
}

func joinError(c *cli.Context, world *launch.World, err error) error {
	if c.Context.Err() != nil {
		return exitError{exitInterrupted, fmt.Errorf("rank %d: interrupted", world.Rank)}
	}
	return environmentErrorf("rank %d: %w", world.Rank, err)
}

// measureFleet measures on all ranks of the job.
func measureFleet(c *cli.Context, fleet *workers.Fleet, world *launch.World, options workers.Options) error {
	places := fleet.Places()
	hosts, most := map[string]int{}, 0
	for _, p := range places {
		hosts[p.Host]++
		most = max(most, hosts[p.Host])
	}
	if err := expect(c, len(places), len(hosts)); err != nil {
		return err
	}
	plural := "s"
	if len(hosts) == 1 {
		plural = ""
	}
	options.Log("%d ranks on %d host%s, started by %s", len(places), len(hosts), plural, world.By)
	for _, text := range fleet.Crowded() {
		options.Log("%s", text)
	}
	file, flags, err := settings(c)
	if err != nil {
		return err
	}
	site := bench.Site{Ranks: len(places), Fixed: true, Hosts: len(hosts), Domain: workers.Domain(places), Backends: backendNames(), Supports: supported, Algorithms: algorithmsOf}
	if len(hosts) > 1 && most > 1 {
		site.Transport = "shm+tcp"
	}
	plan, err := bench.Resolve(file, flags, site)
	if err != nil {
		return planError(err)
	}
	job, err := newJob(c, file, flags, plan)
	if err != nil {
		return err
	}
	pool := &workers.Pool{Ranks: plan.Ranks, Timeout: c.Duration("timeout"), Fleet: fleet}
	job.launcher, job.info.Launcher, job.info.Findings = pool, world.By, fleetFindings(c.Context, fleet)
	for rank, p := range places {
		pool.Nodes = append(pool.Nodes, workers.Node{Host: p.Host, Address: p.Address})
		job.info.Ranks = append(job.info.Ranks, bench.RankInfo{Rank: rank, Host: p.Host, Local: p.LocalRank, CPUs: p.CPUs})
	}
	for range switches(plan) { // they sit with rank 0
		pool.Nodes = append(pool.Nodes, workers.Node{Host: places[0].Host, Address: places[0].Address})
	}
	err = job.measure(c)
	if lost := fleet.Lost(); lost != nil && err != nil {
		return exitError{exitCode(err), fmt.Errorf("%w: %w", lost, err)}
	}
	return err
}
