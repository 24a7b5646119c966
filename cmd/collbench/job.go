package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"collbench/bench"
	"collbench/bench/doctor"
	"collbench/bench/environment"
	"collbench/bench/store"
	"collbench/bench/summary"
	"collbench/reports"

	"github.com/urfave/cli/v2"
)

// job is a plan on its way into a run folder: what run and lab have in common.
type job struct {
	plan     bench.Plan
	launcher bench.Launcher
	info     bench.RunInfo       // Ranks, and what else is special, is for the caller to fill in
	adjust   func(*bench.Result) // what the caller knows of a case that has ended; nil: nothing
	out      string              // run folder; "": named by the time
	add      bool
	format   string
	proof    bool // whether what is not proved is no success
	failFast bool
	pairs    *pairsTest // nil: the plan's cases are measured as they are

	rows    []summary.Row
	results []bench.Result // without their samples, for what they prove together
}

// newJob checks what can be checked before anything starts.
func newJob(c *cli.Context, file bench.PlanFile, flags bench.Settings, plan bench.Plan) (*job, error) {
	j := &job{
		plan: plan, out: text(file, flags, "out", ""), add: text(file, flags, "append", "false") == "true",
		format: text(file, flags, "format", "table"), proof: c.Bool("require-proof"), failFast: c.Bool("fail-fast"),
	}
	formats, resolved, err := reports.Formats, any(plan), error(nil)
	if forPairs(c) {
		if j.pairs, err = newPairsTest(c, plan); err != nil {
			return nil, err
		}
		formats, resolved = reports.PairsFormats, j.pairs.plan(plan)
		j.format = c.String("format")
	}
	if !slices.Contains(formats, j.format) {
		return nil, usageErrorf("--format: unknown format %q: want one of %s", j.format, strings.Join(formats, ", "))
	}
	kept, err := json.Marshal(resolved)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	started := time.Now().UTC()
	tag := make([]byte, 4) // many machines begin their nightly run in the same second
	rand.Read(tag)
	j.info = bench.RunInfo{
		Schema: bench.RunSchema, ID: fmt.Sprintf("%s-%x", started.Format("20060102T150405Z"), tag), Started: started,
		Command: os.Args, Plan: kept, Environment: environment.Host(),
	}
	return j, nil
}

// measure carries out the plan. Results go to the run folder as they come, and to standard output; the error has
// the exit code that the results deserve.
func (j *job) measure(c *cli.Context) error {
	if j.pairs != nil {
		return j.measurePairs(c)
	}
	folder, err := j.folder()
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.WriteInfo(j.info); err != nil {
		return environmentErrorf("%w", err)
	}
	progress := newProgress(c.App.ErrWriter, j.plan)
	err = bench.Runner{
		Plan: j.plan, Launcher: j.launcher, Report: func(e bench.Event) { progress.report(j.adjusted(e)) },
		Sink:        func(r bench.Result) error { return j.take(r, folder, c.App.Writer) },
		Environment: environmentOf, FailFast: j.failFast, Devices: func(d []*bench.Device) error { return j.describe(d, folder) },
	}.Run(c.Context)
	progress.close()
	err = errors.Join(err, j.prove(folder), j.show(c.App.Writer))
	fmt.Fprintf(c.App.ErrWriter, "results: %s\n", folder.Dir())
	return j.verdict(err)
}

// describe writes the ranks' devices into the run's description.
func (j *job) describe(devices []*bench.Device, folder *store.Folder) error {
	known := true
	for rank, d := range devices {
		known = known && reflect.DeepEqual(j.info.Ranks[rank].Device, d)
		j.info.Ranks[rank].Device = d
	}
	if known {
		return nil
	}
	return folder.WriteInfo(j.info)
}

// adjusted is the event with what the caller knows of the case that has ended.
func (j *job) adjusted(e bench.Event) bench.Event {
	if e.Result != nil && j.adjust != nil {
		r := *e.Result
		j.adjust(&r)
		e.Result = &r
	}
	return e
}

func (j *job) folder() (*store.Folder, error) {
	dir := j.out
	if dir == "" {
		dir = store.DefaultDir(j.info.Started)
		if _, err := os.Stat(dir); err == nil {
			dir += j.info.ID[strings.LastIndex(j.info.ID, "-"):] // a second run within the second
		}
	}
	folder, err := store.Create(dir, j.add)
	if errors.Is(err, store.ErrNotEmpty) {
		return nil, usageErrorf("%w", err)
	}
	if err != nil {
		return nil, environmentErrorf("%w", err)
	}
	return folder, nil
}

// take keeps a result and shows it, if the format can show rows one by one.
func (j *job) take(r bench.Result, folder *store.Folder, stdout io.Writer) error {
	if j.adjust != nil {
		j.adjust(&r)
	}
	if err := folder.Append(r); err != nil {
		return err
	}
	row := summary.Of(j.info, r)
	j.rows = append(j.rows, row)
	r.Seconds = nil
	j.results = append(j.results, r)
	if j.format == "json" {
		return reports.JSON(stdout, row)
	}
	return nil
}

// prove adds to what is known of the run what its results prove, or do not.
func (j *job) prove(folder *store.Folder) error {
	found := doctor.Prove(j.info, j.results)
	if len(found) == 0 {
		return nil
	}
	j.info.Findings = append(j.info.Findings, found...)
	return folder.WriteInfo(j.info)
}

// show writes what was not shown as it came.
func (j *job) show(w io.Writer) error {
	if j.format == "json" {
		return reports.Findings(w, j.format, j.info)
	}
	return showRows(w, j.format, j.info, j.rows)
}

// verdict is the error of the whole run: how it ended, or else the worst of its rows.
func (j *job) verdict(err error) error {
	counts := map[bench.Status]int{}
	withheld := 0
	for _, row := range j.rows {
		counts[row.Status]++
		if row.Status == bench.Unproven && row.Observed != "" {
			withheld++ // measured, but something else than what was to be measured was the limit
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return exitError{exitInterrupted, fmt.Errorf("interrupted: results kept: %d", len(j.rows))}
	case err != nil && !errors.Is(err, bench.ErrFailFast):
		return environmentErrorf("%w", err)
	case counts[bench.Wrong]+counts[bench.Failed] > 0:
		return j.failure()
	case withheld > 0:
		return exitError{exitInconclusive, fmt.Errorf("inconclusive: %d of %d cases have no figure", withheld, len(j.rows))}
	case j.proof && counts[bench.Unproven]+counts[bench.Skipped] > 0:
		return exitError{exitInconclusive, fmt.Errorf("--require-proof: %d cases unproven, %d skipped", counts[bench.Unproven], counts[bench.Skipped])}
	}
	return nil
}

// failure names the first row that is wrong or failed.
func (j *job) failure() error {
	bad := 0
	first := ""
	for _, row := range j.rows {
		if row.Status == bench.Wrong || row.Status == bench.Failed {
			if bad == 0 {
				first = fmt.Sprintf("%s: %s", row.Status, row.Error)
			}
			bad++
		}
	}
	if bad > 1 {
		first += fmt.Sprintf(" (and %d more)", bad-1)
	}
	return exitError{exitFailed, errors.New(first)}
}
