package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"collbench/bench/history"

	"github.com/urfave/cli/v2"
)

func historyCommand() *cli.Command {
	return &cli.Command{
		Name:  "history",
		Usage: "what was measured over the months: sessions, trends, baselines",
		Subcommands: []*cli.Command{
			{Name: "add", Usage: "take run folders in", ArgsUsage: "RUNDIR…", Flags: []cli.Flag{dbFlag()}, Action: historyAdd},
			{Name: "list", Usage: "list runs, the newest first", Action: historyList, Flags: []cli.Flag{dbFlag(), machineFlag(), historyFormatFlag(),
				&cli.IntFlag{Name: "last", Value: 30, Usage: "so many `RUNS` at most; 0: all"}}},
			{Name: "show", Usage: "show a run beside the sessions before it", ArgsUsage: "RUN", Flags: []cli.Flag{dbFlag(), historyFormatFlag()}, Action: historyShow},
			{Name: "trend", Usage: "how cases went from session to session, and where they changed", Action: historyTrend, Flags: trendFlags()},
			baselineCommand(),
			{Name: "gc", Usage: "forget runs whose folder is gone", Action: historyGC, Flags: []cli.Flag{dbFlag(),
				&cli.BoolFlag{Name: "all", Usage: "even if every folder is gone"}}},
			{Name: "rebuild", Usage: "make the index anew from the known run folders and those under DIR", ArgsUsage: "[DIR…]", Flags: []cli.Flag{dbFlag()}, Action: historyRebuild},
		},
	}
}

// databaseVariable names the index where --db does not.
const databaseVariable = "COLLBENCH_HISTORY"

func dbFlag() cli.Flag {
	return &cli.StringFlag{Name: "db", Usage: "`FILE` of the index (default: $" + databaseVariable + ", or collbench/history.db in $XDG_DATA_HOME)"}
}

func machineFlag() cli.Flag {
	return &cli.StringFlag{Name: "machine", Usage: "only runs on this machine: its `FINGERPRINT` or the beginning of it"}
}

func historyFormatFlag() cli.Flag {
	return &cli.StringFlag{Name: "format", Value: "table", Usage: "table or json (one object a line)"}
}

// databasePath is where the index is.
func databasePath(c *cli.Context) (string, error) {
	if path := c.String("db"); path != "" {
		return path, nil
	}
	if path := os.Getenv(databaseVariable); path != "" {
		return path, nil
	}
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", environmentErrorf("where is the history? Name it with --db: %w", err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "collbench", "history.db"), nil
}

// withHistory opens the index, makes it if there is none and make is set, and does something with it.
func withHistory(c *cli.Context, make bool, do func(history.History) error) error {
	path, err := databasePath(c)
	if err != nil {
		return err
	}
	index, err := history.Open(c.Context, path, make)
	if err != nil {
		return environmentErrorf("%w", err)
	}
	return errors.Join(do(history.History{Index: index}), index.Close())
}

// runArguments are the run folders that a command names, one at least.
func runArguments(c *cli.Context, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, usageErrorf("%s: which run folder?", commandName(c))
	}
	return names, flagsFirst(c, names)
}

// flagsFirst refuses a flag among the arguments, where cli does not look for it.
func flagsFirst(c *cli.Context, names []string) error {
	for _, name := range names {
		if strings.HasPrefix(name, "-") {
			return usageErrorf("%s: %s: flags come before the arguments", commandName(c), name)
		}
	}
	return nil
}

// historyAdd takes each folder in. One that can't be does not keep the others out.
func historyAdd(c *cli.Context) error {
	folders, err := runArguments(c, c.Args().Slice())
	if err != nil {
		return err
	}
	return withHistory(c, true, func(h history.History) error {
		var failed error
		for _, folder := range folders {
			added, err := h.Add(c.Context, folder)
			if errors.Is(err, history.ErrRefused) {
				failed = worse(failed, usageErrorf("history add: %w", err))
				continue
			}
			warn(c, "history add", added.Warnings)
			if err != nil {
				failed = worse(failed, environmentErrorf("history add: %w", err))
				continue
			}
			for _, r := range added.Runs {
				fmt.Fprintf(c.App.Writer, "%s on %s: %s\n", printable(r.ID), r.Machine.Fingerprint, counted(len(r.Points), "case", "cases"))
			}
		}
		return failed
	})
}

// worse joins errors; the exit code is that of the one that came from the machine, if there is one.
func worse(a, b error) error {
	if a == nil {
		return b
	}
	code := exitCode(a)
	if exitCode(b) == exitEnvironment {
		code = exitEnvironment
	}
	return exitError{code, errors.Join(a, b)}
}

func warn(c *cli.Context, who string, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(c.App.ErrWriter, "collbench: %s: %s\n", who, printable(w))
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// historyGC forgets what is gone. That everything is gone is more likely a file system that is not mounted.
func historyGC(c *cli.Context) error {
	return withHistory(c, false, func(h history.History) error {
		gone, err := h.Gone(c.Context)
		if err != nil {
			return environmentErrorf("%w", err)
		}
		known, err := h.Index.Runs(c.Context, history.Query{Last: len(gone) + 1})
		if err != nil {
			return environmentErrorf("%w", err)
		}
		if len(gone) > 0 && len(gone) == len(known) && !c.Bool("all") {
			return environmentErrorf("history gc: the folders of all %d runs are gone: is their file system mounted? --all forgets them", len(gone))
		}
		var ids []string
		for _, r := range gone {
			ids = append(ids, r.ID)
			fmt.Fprintf(c.App.Writer, "%s: %s is gone\n", printable(r.ID), printable(r.Folder))
		}
		if err := h.Index.Remove(c.Context, ids); err != nil {
			return environmentErrorf("%w", err)
		}
		return nil
	})
}

// historyRebuild makes the index anew; one that cannot be opened is put aside first.
func historyRebuild(c *cli.Context) error {
	dirs := c.Args().Slice()
	if err := flagsFirst(c, dirs); err != nil {
		return err
	}
	path, err := databasePath(c)
	if err != nil {
		return err
	}
	index, err := history.Open(c.Context, path, true)
	if errors.Is(err, history.ErrUnusable) && len(dirs) > 0 {
		aside, failed := history.SetAside(path)
		if failed != nil {
			return environmentErrorf("%w", failed)
		}
		fmt.Fprintf(c.App.ErrWriter, "collbench: history rebuild: %s was no usable index and is now %s\n", path, aside)
		index, err = history.Open(c.Context, path, true)
	} else if errors.Is(err, history.ErrUnusable) {
		return environmentErrorf("history rebuild: name the folders under which run folders lie: %w", err)
	}
	if err != nil {
		return environmentErrorf("%w", err)
	}
	runs, warnings, err := history.History{Index: index}.Rebuild(c.Context, dirs...)
	warn(c, "history rebuild", warnings)
	if err = errors.Join(err, index.Close()); err != nil {
		return environmentErrorf("%w", err)
	}
	fmt.Fprintln(c.App.Writer, counted(runs, "run", "runs"))
	return nil
}
