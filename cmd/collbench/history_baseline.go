package main

import (
	"errors"
	"fmt"
	"time"

	"collbench/bench/history"

	"github.com/urfave/cli/v2"
)

func baselineCommand() *cli.Command {
	return &cli.Command{
		Name:  "baseline",
		Usage: "names for runs with which others are compared",
		Subcommands: []*cli.Command{
			{Name: "set", Usage: "give run folders a name, in place of those that had it", ArgsUsage: "NAME RUNDIR…", Flags: []cli.Flag{dbFlag()}, Action: baselineSet},
			{Name: "list", Usage: "list the names and their folders", Flags: []cli.Flag{dbFlag()}, Action: baselineList},
			{Name: "rm", Usage: "take a name away; the runs stay", ArgsUsage: "NAME", Flags: []cli.Flag{dbFlag()}, Action: baselineRemove},
		},
	}
}

func baselineSet(c *cli.Context) error {
	name := c.Args().First()
	if name == "" {
		return usageErrorf("history baseline set: which name, and which run folder?")
	}
	folders, err := runArguments(c, c.Args().Tail())
	if err != nil {
		return err
	}
	return withHistory(c, true, func(h history.History) error {
		err := h.SetBaseline(c.Context, name, folders, time.Now())
		switch {
		case errors.Is(err, history.ErrRefused), errors.Is(err, history.ErrName):
			return usageErrorf("history %w", err)
		case err != nil:
			return environmentErrorf("history %w", err)
		}
		return nil
	})
}

func baselineList(c *cli.Context) error {
	return withHistory(c, false, func(h history.History) error {
		list, err := h.Index.Baselines(c.Context)
		if err != nil {
			return environmentErrorf("%w", err)
		}
		for _, b := range list {
			for _, folder := range b.Folders {
				fmt.Fprintf(c.App.Writer, "%s\t%s\t%s\n", b.Name, b.Set.Format(time.RFC3339), printable(folder))
			}
		}
		return nil
	})
}

func baselineRemove(c *cli.Context) error {
	if c.NArg() != 1 {
		return usageErrorf("history baseline rm: want one name")
	}
	return withHistory(c, false, func(h history.History) error {
		err := h.RemoveBaseline(c.Context, c.Args().First())
		switch {
		case errors.Is(err, history.ErrNoBaseline):
			return usageErrorf("history baseline rm: %w", err)
		case err != nil:
			return environmentErrorf("history %w", err)
		}
		return nil
	})
}
