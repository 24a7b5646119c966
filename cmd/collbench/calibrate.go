package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"collbench/bench"
	"collbench/bench/gate"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
)

func calibrateCommand() *cli.Command {
	return &cli.Command{
		Name:      "calibrate-gate",
		Usage:     "what gating can do on this machine: noise, false alarms and detectable losses, by a run against itself",
		ArgsUsage: "RUN…",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Usage: "YAML `FILE` of rules: see docs/gating.md"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "`FORMAT`: " + strings.Join(gateFormats, ", ")},
		},
		Action: calibrateAction,
	}
}

func calibrateAction(c *cli.Context) error {
	dirs, err := arguments(c)
	if err != nil {
		return err
	}
	if len(dirs) == 0 {
		return usageErrorf("calibrate-gate: which run folders? Measure one with --launches 20")
	}
	if err := knownFormat("calibrate-gate", c.String("format"), gateFormats); err != nil {
		return err
	}
	policy, err := readPolicy(c)
	if err != nil {
		return err
	}
	runs, err := readRuns(c, dirs)
	if err != nil {
		return err
	}
	calibration, err := gate.Calibrate(policy, runs)
	if err != nil {
		return exitError{exitInconclusive, fmt.Errorf("calibrate-gate: %w", err)}
	}
	if c.String("format") == "json" {
		return json.NewEncoder(c.App.Writer).Encode(calibration)
	}
	return writeCalibration(c.App.Writer, calibration)
}

// writeCalibration writes the noise of each case, then what gates of so many launches do.
func writeCalibration(w io.Writer, k gate.Calibration) error {
	noise := newTable("case", "where", "cv of launches", "5 against 5")
	for _, n := range k.Cases {
		f := gate.Finding{Cases: []bench.Case{n.Case}}
		noise.AppendRow(table.Row{printable(f.What()), printable(f.Where()), change(&n.CV, 0)[1:], "± " + change(&n.Noise, 0)[1:]})
	}
	trials := newTable("launches a side", "false alarms", "detectable at one case", "at all cases")
	for _, t := range k.Trials {
		trials.AppendRow(table.Row{t.Launches, change(&t.FalseAlarms, 0)[1:], lossOr(t.One), lossOr(t.All)})
	}
	_, err := fmt.Fprintf(w, "Noise of %d launches; 95 %% of comparisons of medians of 5 launches with 5 others stay within the last column.\n%s\n\n"+
		"What gates make of it. False alarms: of gates without a change. Detectable: a loss that is failed in 95 %% of gates.\n%s\n", k.Launches, noise.Render(), trials.Render())
	return err
}

func newTable(titles ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	t.AppendHeader(titles)
	return t
}

func lossOr(loss *float64) string {
	if loss == nil {
		return "none up to +100 %"
	}
	return change(loss, 0)
}
