package main

import (
	"os"
	"runtime"
	"slices"

	"collbench/bench"
	"collbench/bench/backend"
	"collbench/bench/doctor"
	"collbench/bench/workers"
	"collbench/collectives"
	"collbench/collectives/algorithms"

	"github.com/urfave/cli/v2"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:   "run",
		Usage:  "measure collectives between processes, on this machine or wherever a launcher starts them",
		Flags:  slices.Concat([]cli.Flag{ranksFlag()}, caseFlags(), runFlags(), worldFlags(), joinFlags(), expectFlags()),
		Action: runAction,
	}
}

func runAction(c *cli.Context) error {
	parent := os.Getppid()
	world, variables, err := findWorld(c)
	if err != nil {
		return err
	}
	if err := lonely(world); err != nil {
		return err
	}
	if world.Size != 1 { // of several ranks, or as many as the launcher's server will say
		return inJob{parent: parent, profile: doctor.Profiles[0], lead: measureFleet, alone: runHere}.run(c, world, variables)
	}
	return runHere(c)
}

// runHere measures between processes that this one starts, on this host.
func runHere(c *cli.Context) error {
	file, flags, err := settings(c)
	if err != nil {
		return err
	}
	plan, err := bench.Resolve(file, flags, bench.Site{
		Ranks: runtime.NumCPU(), Hosts: 1, Backends: backendNames(), Supports: supported, Algorithms: algorithmsOf,
	})
	if err != nil {
		return planError(err)
	}
	if err := startsItself(plan); err != nil {
		return err
	}
	if err := expect(c, plan.Ranks, 1); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	command, err := workerCommandLine()
	if err != nil {
		return err
	}
	pool := &workers.Pool{Command: command, Ranks: plan.Ranks, Timeout: c.Duration("timeout")}
	for range plan.Ranks + switches(plan) {
		pool.Nodes = append(pool.Nodes, workers.Node{Host: host, Address: "127.0.0.1"})
	}
	job, err := newJob(c, file, flags, plan)
	if err != nil {
		return err
	}
	job.launcher, job.info.Findings = pool, ownFindings(c.Context)
	for rank := range plan.Ranks {
		job.info.Ranks = append(job.info.Ranks, bench.RankInfo{Rank: rank, Local: rank, Host: host})
	}
	return job.measure(c)
}

// startsItself refuses backends whose ranks have to be started by their library's own launcher.
func startsItself(p bench.Plan) error {
	for _, c := range p.Cases {
		if b, ok := meeterNamed(c.How.Backend); ok {
			return environmentErrorf("backend %s: its ranks are started by its own launcher: mpirun -n %d collbench run --backend %s …", b.Name(), p.Ranks, b.Name())
		}
	}
	return nil
}

// switches is the number of switch processes that the cases of a plan need at most.
func switches(p bench.Plan) int {
	most := 0
	for _, c := range p.Cases {
		if c.How.Transport == bench.TransportLibrary {
			continue // whatever its algorithm is called, it has no processes of ours
		}
		a, err := algorithms.Find(c.What.Algorithm)
		if err != nil {
			continue // auto, which chooses no algorithm with switches
		}
		if s, err := c.Shape(a); err == nil {
			most = max(most, a.Nodes(s)-s.Ranks)
		}
	}
	return most
}

func backendNames() []string {
	var names []string
	for _, b := range backend.All {
		names = append(names, b.Name())
	}
	return names
}

// algorithmsOf asks the backend.
func algorithmsOf(name string, c collectives.Collective) []string {
	b, err := backend.Find(name)
	if err != nil {
		return nil // the plan says so
	}
	return b.Algorithms(c)
}

// supported asks the case's backend.
func supported(c bench.Case) error {
	_, c.How.Variant = bench.VariantEnvironment(c.How.Variant)
	b, err := backend.Find(c.How.Backend)
	if err != nil {
		return err
	}
	return b.Supports(c)
}

// environmentOf is what the processes that carry out the case need in their environment: what its variant says, and
// what its backend adds.
func environmentOf(c bench.Case) ([]string, error) {
	environment, rest := bench.VariantEnvironment(c.How.Variant)
	c.How.Variant = rest
	b, err := backend.Find(c.How.Backend)
	if err != nil {
		return nil, err
	}
	if configured, ok := b.(bench.Configured); ok {
		own, err := configured.Environment(c)
		return append(own, environment...), err
	}
	return environment, nil
}
