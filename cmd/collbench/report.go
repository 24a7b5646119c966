package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"collbench/bench"
	"collbench/bench/store"
	"collbench/bench/summary"
	"collbench/reports"

	"github.com/urfave/cli/v2"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "write the HTML report of a run folder",
		ArgsUsage: "RUNDIR",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write, - for standard output (default: report.html in the run folder)"},
		},
		Action: reportAction,
	}
}

func reportAction(c *cli.Context) error {
	dir, err := runFolder(c)
	if err != nil {
		return err
	}
	f, err := readFolder(c, dir)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if p, ok := reports.ReadPairs(f.info, f.results); ok {
		err = reports.PairsHTML(&page, p)
	} else {
		err = reports.HTML(&page, f.info, f.results, f.rows)
	}
	if err != nil {
		return err
	}
	path := c.String("output")
	switch path {
	case "-":
		_, err := c.App.Writer.Write(page.Bytes())
		return err
	case "":
		path = filepath.Join(dir, "report.html")
	}
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
		return environmentErrorf("write the report: %w", err)
	}
	_, err = fmt.Fprintln(c.App.Writer, path)
	return err
}

// folder is what a run folder holds, all its runs together.
type folder struct {
	info    bench.RunInfo // of the last run
	results []bench.Result
	rows    []summary.Row // rows[i] summarizes results[i], by its own run's machine
}

// readFolder reads a run folder and says on standard error what had to be left out.
func readFolder(c *cli.Context, dir string) (f folder, err error) {
	runs, warnings, err := store.Read(dir)
	if err != nil {
		return f, environmentErrorf("%w", err)
	}
	for _, w := range warnings {
		fmt.Fprintf(c.App.ErrWriter, "collbench: %s\n", w)
	}
	for _, run := range runs {
		f.info = run.Info
		for _, r := range run.Results {
			f.results = append(f.results, r)
			f.rows = append(f.rows, summary.Of(run.Info, r))
		}
	}
	return f, nil
}

// runFolder is the one argument of a command that reads a run folder.
func runFolder(c *cli.Context) (string, error) {
	dirs, err := arguments(c)
	switch {
	case err != nil:
		return "", err
	case len(dirs) == 0:
		return "", usageErrorf("%s: which run folder?", c.Command.Name)
	case len(dirs) > 1:
		return "", usageErrorf("%s: unexpected argument %q", c.Command.Name, dirs[1])
	}
	return dirs[0], nil
}

// arguments are what stands on the command line besides flags. Flags may stand behind them as well, where cli would
// take them for arguments.
func arguments(c *cli.Context) (found []string, err error) {
	name := c.Command.Name
	behind := flag.NewFlagSet(name, flag.ContinueOnError)
	behind.SetOutput(new(bytes.Buffer))
	for _, f := range c.Command.Flags {
		if err := f.Apply(behind); err != nil {
			return nil, err
		}
	}
	for rest := c.Args().Slice(); len(rest) > 0; rest = behind.Args()[1:] {
		if err := behind.Parse(rest); err != nil {
			return nil, usageErrorf("%s: %w", name, err)
		}
		if behind.NArg() == 0 {
			break
		}
		found = append(found, behind.Arg(0))
	}
	behind.Visit(func(set *flag.Flag) {
		text := set.Value.String()
		if list, ok := set.Value.(cli.Serializer); ok {
			text = list.Serialize()
		}
		for _, f := range c.Command.Flags {
			if !slices.Contains(f.Names(), set.Name) {
				continue
			}
			for _, alias := range f.Names() {
				err = errors.Join(err, c.Set(alias, text))
			}
		}
	})
	return found, err
}
