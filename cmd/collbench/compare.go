package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"collbench/bench/gate"
	"collbench/bench/store"

	"github.com/urfave/cli/v2"
)

// compareFormats are those of compare.
var compareFormats = []string{"table", "json", "markdown"}

func compareCommand() *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "hold one run against another: how much slower or faster, how sure, and what could have been seen",
		ArgsUsage: "BASE NEW",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Usage: "YAML `FILE` of rules: see docs/gating.md (default: against BASE alone)"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "`FORMAT`: " + strings.Join(compareFormats, ", ")},
		},
		Action: compareAction,
	}
}

func compareAction(c *cli.Context) error {
	dirs, err := arguments(c)
	if err != nil {
		return err
	}
	if len(dirs) != 2 {
		return usageErrorf("compare: want two run folders, BASE and NEW, not %d", len(dirs))
	}
	if err := knownFormat("compare", c.String("format"), compareFormats); err != nil {
		return err
	}
	policy, err := readPolicy(c)
	if err != nil {
		return err
	}
	base, err := readRuns(c, dirs[:1])
	if err != nil {
		return err
	}
	changed, err := readRuns(c, dirs[1:])
	if err != nil {
		return err
	}
	return showVerdict(c, gate.Judge(policy, base, changed, gate.Fixed))
}

func knownFormat(command, format string, known []string) error {
	if !slices.Contains(known, format) {
		return usageErrorf("%s: --format: unknown format %q: want one of %s", command, format, strings.Join(known, ", "))
	}
	return nil
}

// readPolicy reads the policy file, if there is one.
func readPolicy(c *cli.Context) (gate.Policy, error) {
	path := c.String("policy")
	if path == "" {
		return gate.DefaultPolicy(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return gate.Policy{}, environmentErrorf("--policy: %w", err)
	}
	policy, err := gate.ParsePolicy(path, text)
	if err != nil {
		return policy, usageErrorf("%w", err)
	}
	return policy, nil
}

// readRuns reads the runs of several run folders, and says on standard error what had to be left out.
func readRuns(c *cli.Context, dirs []string) (runs []gate.Run, err error) {
	for _, dir := range dirs {
		found, warnings, err := store.Read(dir)
		if err != nil {
			return nil, environmentErrorf("%w", err)
		}
		for _, w := range warnings {
			fmt.Fprintf(c.App.ErrWriter, "collbench: %s\n", w)
		}
		for _, r := range found {
			runs = append(runs, gate.Run(r))
		}
	}
	return runs, nil
}

// showVerdict prints a verdict in the format that the flags name; the error has the exit code that it deserves.
func showVerdict(c *cli.Context, v gate.Verdict) error {
	if err := writeVerdict(c.App.Writer, c.String("format"), v); err != nil {
		return environmentErrorf("verdict: %w", err)
	}
	switch v.Outcome {
	case gate.Fail:
		return silent(exitFailed)
	case gate.Inconclusive:
		return silent(exitInconclusive)
	}
	return nil
}
