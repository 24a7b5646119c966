package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"collbench/bench"
	"collbench/bench/gate"
	"collbench/bench/history"
	"collbench/bench/store"
	"collbench/bench/unit"
	"collbench/reports"

	"github.com/urfave/cli/v2"
)

// baselines are the run folders that --baseline names, by their paths or by a name of the history. With a name the
// variance between sessions that the policy assumes is replaced by that of the history, unless the policy's file has
// its own.
func baselines(c *cli.Context, policy *gate.Policy, changed []gate.Run) (folders []string, err error) {
	for _, name := range c.StringSlice("baseline") {
		if _, err := os.Stat(filepath.Join(name, "run.json")); err == nil {
			folders = append(folders, name)
			continue
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return nil, environmentErrorf("--baseline: %s is no run folder: it has no run.json", name)
		}
		err := withHistory(c, false, func(h history.History) error {
			b, err := h.Baseline(c.Context, name)
			if err != nil {
				return err
			}
			folders = append(folders, b.Folders...)
			return betweenSessions(c, h, policy, b, changed)
		})
		switch {
		case errors.Is(err, history.ErrNoBaseline):
			return nil, usageErrorf("--baseline: %s is no run folder, and %w", name, err)
		case err != nil:
			return nil, environmentErrorf("--baseline: %s is no run folder, and no name: %w", name, err)
		}
	}
	return folders, nil
}

// The sessions from which the variance between sessions is estimated: the last so many, and how few of them do not
// make it smaller than the default, because they may have been alike by chance.
const (
	spreadSessions = 100
	fewSessions    = 20
)

// betweenSessions takes the variance between sessions from the history of the baseline's machine, up to what is judged.
func betweenSessions(c *cli.Context, h history.History, policy *gate.Policy, b history.Baseline, changed []gate.Run) error {
	usual := gate.DefaultPolicy().Relative.Between
	if policy.Relative.Between != usual {
		return nil
	}
	span := history.Span{Last: spreadSessions}
	for _, r := range changed {
		if span.Before.IsZero() || r.Info.Started.Before(span.Before) {
			span.Before = r.Info.Started
		}
	}
	runs, err := h.Index.Runs(c.Context, history.Query{Folder: b.Folders[0]})
	if err != nil || len(runs) == 0 {
		return err
	}
	points, err := h.Index.Points(c.Context, runs[0].ID)
	if err != nil {
		return err
	}
	var cases []bench.Case
	for _, p := range points {
		cases = append(cases, p.Case)
	}
	s, ok, err := h.Spread(c.Context, runs[0].Machine.Fingerprint, cases, span)
	if err != nil || !ok {
		return err
	}
	between := gate.Between{Common: s.Common, Each: s.Each()}
	if s.Sessions < fewSessions {
		between = gate.Between{Common: max(between.Common, usual.Common), Each: max(between.Each, usual.Each)}
	}
	policy.Relative.Between = between
	fmt.Fprintf(c.App.ErrWriter, "gate: sessions on machine %s differ by %s, and by %s at each size (from %d of its history)\n",
		runs[0].Machine.Fingerprint, unit.Percent(between.Common), unit.Percent(between.Each), s.Sessions)
	return nil
}

// publishVerdict prints a verdict and writes it where else the flags say.
func publishVerdict(c *cli.Context, v gate.Verdict) error {
	if path := c.String("junit"); path != "" {
		var text bytes.Buffer
		err := reports.VerdictJUnit(&text, v)
		if err == nil {
			err = store.WriteWhole(path, text.Bytes())
		}
		if err != nil {
			return environmentErrorf("gate: --junit: %w", err)
		}
	}
	shown := showVerdict(c, v)
	if c.Bool("github") {
		if err := reports.VerdictGitHub(c.App.Writer, v); err != nil {
			return environmentErrorf("gate: --github: %w", err)
		}
		if err := appendStepSummary(func(w io.Writer) error { return reports.VerdictMarkdown(w, v) }); err != nil {
			return err
		}
	}
	return shown
}
