package main

import (
	"slices"

	"collbench/bench"
	"collbench/bench/backend"
	"collbench/bench/launch"

	"github.com/urfave/cli/v2"
)

// meeterOf is the backend that brings the ranks together itself, with the environment of the only launch that it can
// have; nil: none of the plan's backends does.
func meeterOf(c *cli.Context, world *launch.World) (bench.Meeter, []string, error) {
	file, flags, err := settings(c)
	if err != nil || !meeterAsked(file, flags) {
		return nil, nil, err
	}
	// The plan is made anew when the world is known; what it says of backends and variants does not depend on that.
	site := bench.Site{Ranks: max(2, world.Size), Fixed: world.Size > 0, Hosts: 1, Backends: backendNames(), Supports: supported, Algorithms: algorithmsOf}
	plan, err := bench.Resolve(file, flags, site)
	if err != nil {
		return nil, nil, usageErrorf("%w", err)
	}
	if plan.Launches > 1 {
		return nil, nil, usageErrorf("--launches %d: a backend that a launcher starts is started once: use one launch each and --append", plan.Launches)
	}
	var meeter bench.Meeter
	var environment []string
	for i, one := range plan.Cases {
		m, ok := meeterNamed(one.How.Backend)
		if !ok || i > 0 && m.Name() != meeter.Name() {
			return nil, nil, usageErrorf("%s: backend %s cannot be measured in one launch with the case before: use one launch each and --append", one, one.How.Backend)
		}
		own, err := environmentOf(one)
		if err != nil {
			return nil, nil, usageErrorf("%s: %w", one, err)
		}
		if i > 0 && !slices.Equal(own, environment) {
			return nil, nil, usageErrorf("%s: backend %s reads its settings once in a launch, and this case wants others than the one before: use one launch each and --append", one, m.Name())
		}
		meeter, environment = m, own
	}
	return meeter, environment, nil
}

// meeterAsked says whether a backend that brings the ranks together itself is among those asked for.
func meeterAsked(file bench.PlanFile, flags bench.Settings) bool {
	names := []string{text(file, flags, "backend", "")}
	if _, given := flags["backend"]; !given {
		for _, block := range file.Blocks {
			names = append(names, block["backend"].Text)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		_, ok := meeterNamed(name)
		return ok
	})
}

func meeterNamed(name string) (bench.Meeter, bool) {
	b, err := backend.Find(name)
	if err != nil {
		return nil, false
	}
	m, ok := b.(bench.Meeter)
	return m, ok
}
