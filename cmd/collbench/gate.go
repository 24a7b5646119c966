package main

import (
	"strings"
	"time"

	"collbench/bench/gate"

	"github.com/urfave/cli/v2"
)

// gateFormats are those of gate.
var gateFormats = []string{"table", "json", "markdown"}

func gateCommand() *cli.Command {
	return &cli.Command{
		Name:      "gate",
		Usage:     "hold runs against a policy and a baseline: pass (exit 0), fail (1) or inconclusive (4)",
		ArgsUsage: "RUN… or -- run OPTIONS or -- lab OPTIONS",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Usage: "YAML `FILE` of rules: see docs/gating.md (default: against the baseline alone)"},
			&cli.StringSliceFlag{Name: "baseline", Usage: "run folder `RUN` to hold the others against, or the name of a baseline: see history baseline; may be given several times"},
			dbFlag(),
			&cli.BoolFlag{Name: "until-clear", Usage: "measure both sides in turns, launch by launch, until the verdict is clear or the budget spent"},
			&cli.IntFlag{Name: "launches", Usage: "measure both sides in turns, so many launches each, and look once"},
			&cli.StringFlag{Name: "base", Usage: "`OPTIONS` of the side to hold the other against, such as \"lab --link 100Mbit\" (default: the same)"},
			&cli.StringFlag{Name: "base-binary", Usage: "`PATH` of the collbench that measures that side (default: this one)"},
			&cli.StringSliceFlag{Name: "base-env", Usage: "`NAME=VALUE` in the environment of that side; may be given several times"},
			&cli.DurationFlag{Name: "budget", Value: 10 * time.Minute, Usage: "`TIME` that --until-clear may take"},
			&cli.StringFlag{Name: "out", Usage: "folder for the run folders base and new (default: runs/<UTC time>)"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "`FORMAT`: " + strings.Join(gateFormats, ", ")},
			&cli.StringFlag{Name: "junit", Usage: "write the verdict as JUnit too, to this `FILE`"},
			&cli.BoolFlag{Name: "github", Usage: "also write annotations for GitHub Actions, and a summary of the step"},
		},
		Action: gateAction,
	}
}

func gateAction(c *cli.Context) error {
	if err := knownFormat("gate", c.String("format"), gateFormats); err != nil {
		return err
	}
	policy, err := readPolicy(c)
	if err != nil {
		return err
	}
	if c.Bool("until-clear") || c.IsSet("launches") {
		v, err := measureBoth(c, policy)
		if err != nil {
			return err
		}
		return publishVerdict(c, v)
	}
	dirs, err := arguments(c)
	if err != nil {
		return err
	}
	if len(dirs) == 0 {
		return usageErrorf("gate: which run folders? Or measure now: --until-clear -- run OPTIONS")
	}
	// Flags behind the folders may have changed what the ones before them said.
	if err := knownFormat("gate", c.String("format"), gateFormats); err != nil {
		return err
	}
	if policy, err = readPolicy(c); err != nil {
		return err
	}
	for _, flag := range []string{"base", "base-binary", "base-env", "out"} {
		if c.IsSet(flag) {
			return usageErrorf("gate: --%s is for --until-clear or --launches", flag)
		}
	}
	changed, err := readRuns(c, dirs)
	if err != nil {
		return err
	}
	folders, err := baselines(c, &policy, changed)
	if err != nil {
		return err
	}
	base, err := readRuns(c, folders)
	if err != nil {
		return err
	}
	return publishVerdict(c, gate.Judge(policy, base, changed, gate.Fixed))
}
