package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/history"
	"collbench/bench/unit"

	"github.com/urfave/cli/v2"
)

func trendFlags() []cli.Flag {
	return []cli.Flag{
		dbFlag(), machineFlag(), historyFormatFlag(),
		&cli.StringFlag{Name: "collective", Usage: "only this collective or point-to-point test"},
		&cli.StringFlag{Name: "algorithm", Usage: "only this `NAME`"},
		&cli.StringFlag{Name: "bytes", Usage: "only this `SIZE`"},
		&cli.IntFlag{Name: "last", Value: 200, Usage: "so many `SESSIONS` at most; 0: all"},
	}
}

// trendFilter says which cases are asked for.
func trendFilter(c *cli.Context) (func(bench.Case) bool, error) {
	if c.Int("last") < 0 {
		return nil, usageErrorf("history trend: --last: %d: want 0 or more", c.Int("last"))
	}
	bytes := int64(-1)
	if text := c.String("bytes"); text != "" {
		n, err := unit.ParseBytes(text)
		if err != nil {
			return nil, usageErrorf("--bytes: %w", err)
		}
		bytes = n
	}
	return func(k bench.Case) bool {
		return (c.String("collective") == "" || c.String("collective") == k.What.Name()) &&
			(c.String("algorithm") == "" || c.String("algorithm") == k.What.Algorithm) && (bytes < 0 || bytes == k.What.Bytes)
	}, nil
}

// historyTrend prints each series by itself: machines and cases are never mixed.
func historyTrend(c *cli.Context) error {
	asJSON, err := historyFormat(c)
	if err != nil {
		return err
	}
	wanted, err := trendFilter(c)
	if err != nil {
		return err
	}
	return withHistory(c, false, func(h history.History) error {
		one, err := machine(c, h)
		if err != nil {
			return err
		}
		machines := []history.Machine{}
		if one != nil {
			machines = append(machines, *one)
		} else if machines, err = h.Index.Machines(c.Context); err != nil {
			return environmentErrorf("%w", err)
		}
		found := 0
		for _, m := range machines {
			cases, err := h.Index.Cases(c.Context, m.Fingerprint)
			if err != nil {
				return environmentErrorf("%w", err)
			}
			for _, k := range slices.DeleteFunc(cases, func(k bench.Case) bool { return !wanted(k) }) {
				t, err := h.Trend(c.Context, m, k, c.Int("last"))
				if err != nil {
					return environmentErrorf("%w", err)
				}
				if len(t.Sessions) == 0 {
					continue
				}
				found++
				if err := printTrend(c, t, asJSON); err != nil {
					return err
				}
			}
		}
		if found == 0 {
			return exitError{exitInconclusive, errNoSessions}
		}
		return nil
	})
}

// trendLine is a trend as JSON: with the figure of each session.
type trendLine struct {
	history.Trend
	Sessions []trendSession `json:"sessions"`
}

type trendSession struct {
	Run      string  `json:"run"`
	Started  string  `json:"started"`
	Commit   string  `json:"commit,omitempty"`
	Seconds  float64 `json:"seconds"`
	Launches int     `json:"launches"`
}

func printTrend(c *cli.Context, t history.Trend, asJSON bool) error {
	if asJSON {
		line := trendLine{Trend: t}
		line.Changes = append([]history.Change{}, t.Changes...) // never null
		for _, s := range t.Sessions {
			line.Sessions = append(line.Sessions, trendSession{s.Run.ID, s.Run.Started.Format("2006-01-02T15:04:05Z"), s.Run.Commit, *s.Point.Seconds, len(s.Point.Launches)})
		}
		return json.NewEncoder(c.App.Writer).Encode(line)
	}
	var b strings.Builder
	first, last := t.Sessions[0], t.Sessions[len(t.Sessions)-1]
	fmt.Fprintf(&b, "%s, %s\n  on %s: %s\n  %s from %s to %s, last %s\n", t.Case, how(t.Case), t.Machine.Fingerprint, t.Machine, counted(len(t.Sessions), "session", "sessions"),
		first.Run.Started.Format("2006-01-02"), last.Run.Started.Format("2006-01-02"), unit.Seconds(*last.Point.Seconds))
	for _, k := range t.Changes {
		fmt.Fprintf(&b, "  %s: %s → %s, %s (p %.2g), between %s and %s\n", k.After.Started.Format("2006-01-02"), unit.Seconds(k.Earlier), unit.Seconds(k.Seconds), longer(k.Earlier, k.Seconds), k.P, k.Before.ID, k.After.ID)
		if k.Algorithms != "" {
			fmt.Fprintf(&b, "    algorithm: %s\n", k.Algorithms)
		}
		if k.Before.Commit != k.After.Commit {
			fmt.Fprintf(&b, "    commit: %s → %s\n", cmp.Or(k.Before.Commit, "(not known)"), cmp.Or(k.After.Commit, "(not known)"))
		}
		for _, e := range k.Environment {
			fmt.Fprintf(&b, "    %s\n", e)
		}
	}
	if len(t.Changes) == 0 {
		b.WriteString("  no lasting change found\n")
	}
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(c.App.Writer, printable(strings.TrimSuffix(line, "\n")))
	}
	return nil
}
