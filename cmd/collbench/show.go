package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
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
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write instead of standard output; it appears whole, in place of an older one"},
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
	write := func(w io.Writer) error { return showRows(w, format, f.info, f.rows) }
	if p, ok := reports.ReadPairs(f.info, f.results); ok && slices.Contains(reports.PairsFormats, format) {
		write = func(w io.Writer) error { return reports.Pairs(w, format, p) }
	}
	return output(c, write)
}

// showRows writes results in a format; for GitHub also to the summary of its step, where there is one.
func showRows(w io.Writer, format string, info bench.RunInfo, rows []summary.Row) error {
	if err := reports.Rows(w, format, info, rows); err != nil || format != "github" {
		return err
	}
	return appendStepSummary(func(w io.Writer) error { return reports.Rows(w, "markdown", info, rows) })
}

// mostSummary is the most bytes of a step's summary that GitHub takes; it refuses all of a longer one.
const mostSummary = 1 << 20

// appendStepSummary adds Markdown to the file that GitHub Actions shows under the step ($GITHUB_STEP_SUMMARY).
func appendStepSummary(write func(io.Writer) error) error {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return environmentErrorf("GITHUB_STEP_SUMMARY: %w", err)
	}
	if there, err := file.Stat(); err == nil && there.Size()+int64(text.Len()) > mostSummary {
		text.Reset()
		fmt.Fprintln(&text, "collbench: the table is too long for this page.")
	}
	_, err = file.Write(append(text.Bytes(), '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		return environmentErrorf("GITHUB_STEP_SUMMARY: %w", err)
	}
	return nil
}
