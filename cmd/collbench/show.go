package main

import (
	"slices"
	"strings"

	"collbench/reports"

	"github.com/urfave/cli/v2"
)

func showCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print the results of a run folder",
		ArgsUsage: "RUNDIR",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "table", Usage: "`FORMAT`: " + strings.Join(reports.Formats, ", ")},
		},
		Action: showAction,
	}
}

func showAction(c *cli.Context) error {
	dir, err := runFolder(c)
	if err != nil {
		return err
	}
	format := c.String("format")
	if !slices.Contains(reports.Formats, format) {
		return usageErrorf("show: unknown format %q: want one of %s", format, strings.Join(reports.Formats, ", "))
	}
	f, err := readFolder(c, dir)
	if err != nil {
		return err
	}
	return reports.Rows(c.App.Writer, format, f.info, f.rows)
}
