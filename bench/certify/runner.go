package certify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"collbench/bench/doctor"
	"collbench/bench/storage"
	"collbench/bench/store"
)

// Ended is how a command of collbench has ended.
type Ended struct {
	Code int    // exit code, of those below
	Last string // line on standard error
}

// Exit codes of collbench that say that a command has done its work.
const (
	codeOK           = 0
	codeFailed       = 1
	codeInconclusive = 4
)

// worked says whether there are results, good or bad.
func (e Ended) worked() bool {
	return slices.Contains([]int{codeOK, codeFailed, codeInconclusive}, e.Code)
}

// Runner carries out an acceptance.
type Runner struct {
	Folder *Folder
	// Start starts collbench with these arguments, or another program if the first of them is none of collbench's commands,
	// and waits for its end. When ctx ends it ends the command.
	Start func(ctx context.Context, command []string) (Ended, error)
	// Tell is told when a step begins (r has its name alone) and when it has ended; again: it was done in an earlier session.
	Tell func(number int, r StepReport, again bool)
	Now  func() time.Time
}

// Run carries out the steps that are not done yet and reports on all. When ctx ends it returns its error, and what is done
// stays done.
func (r Runner) Run(ctx context.Context) (Report, error) {
	f, p := r.Folder, r.Folder.Profile
	report := Report{Schema: ReportSchema, Profile: p.Name, Summary: p.Summary, Started: f.session.Started, Start: strings.Join(p.Start, " "),
		Virtual: p.Virtual(), LineRate: p.LineRate, NotRun: append([]string{}, p.NotRun...)}
	for i := range p.Steps {
		step, again := f.done(i)
		if !again {
			r.Tell(i+1, StepReport{Name: p.Steps[i].Name}, false)
			var err error
			if step, err = r.step(ctx, i); err != nil {
				return report, err
			}
		}
		r.Tell(i+1, step, again)
		report.Steps = append(report.Steps, step)
		if step.Outcome == NotRun {
			report.NotRun = append(report.NotRun, fmt.Sprintf("%s: %s", step.Name, step.Findings[0].Text))
		}
	}
	report.conclude()
	return report, writeJSON(filepath.Join(f.Dir, "report.json"), report)
}

// step carries out a step and keeps what came of it.
func (r Runner) step(ctx context.Context, i int) (StepReport, error) {
	s := r.Folder.Profile.Steps[i]
	begun := r.Now()
	report := StepReport{Name: s.Name, Command: r.Folder.Profile.Command(s), Folder: r.Folder.step(i), Started: begun.UTC()}
	if err := os.MkdirAll(filepath.Join(r.Folder.Dir, report.Folder), 0o755); err != nil {
		return report, err
	}
	work := map[Kind]func(context.Context, int, *StepReport) error{Run: r.measure, Train: r.measure, Doctor: r.look, Storage: r.store}[s.Kind]
	var missing *notRun
	switch err := work(ctx, i, &report); {
	case errors.As(err, &missing) && s.Optional:
		report.Findings = []Finding{{NotRun, missing.Error()}}
	case errors.As(err, &missing):
		report.Findings = []Finding{{Fail, missing.Error()}}
	case err != nil:
		return report, err
	}
	var all []Outcome
	for _, f := range report.Findings {
		all = append(all, f.Outcome)
	}
	report.Outcome, report.Seconds = worst(all), r.Now().Sub(begun).Seconds()
	if missing != nil {
		return report, nil // it is not done: the next session tries again
	}
	return report, r.Folder.keep(i, report)
}

// notRun says why a command could not do its work.
type notRun struct{ ended Ended }

func (n *notRun) Error() string {
	if n.ended.Last == "" {
		return fmt.Sprintf("the command ended with %d", n.ended.Code)
	}
	return strings.TrimPrefix(n.ended.Last, "collbench: ")
}

// command starts a command. The error is ctx's, that it could not be started, or a *notRun.
func (r Runner) command(ctx context.Context, words ...[]string) error {
	ended, err := r.Start(ctx, slices.Concat(words...))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &notRun{Ended{Last: err.Error()}}
	case !ended.worked():
		return &notRun{ended}
	}
	return nil
}

// measure carries out the launches of a step that are not done, and judges them all.
func (r Runner) measure(ctx context.Context, i int, report *StepReport) error {
	p := r.Folder.Profile
	s := p.Steps[i]
	before, err := r.counters(ctx, i, "before")
	if err != nil {
		return err
	}
	var runs []store.Run
	for n := 1; n <= s.Launches; n++ {
		whole, under := r.Folder.launch(i, n)
		if _, err := os.Stat(whole); err != nil {
			if err := os.RemoveAll(under); err != nil {
				return err
			}
			if err := r.command(ctx, p.Command(s), []string{"--out", under, "--format", "json", "--seed", strconv.Itoa(n)}); err != nil {
				return err
			}
			if err := os.Rename(under, whole); err != nil {
				return fmt.Errorf("rank 0 has left no results here (does it share this folder?): %w", err)
			}
		}
		launch, _, err := store.Read(whole)
		if err != nil {
			return err
		}
		runs = append(runs, launch...)
	}
	report.Findings, report.Figures, err = judge(p, s, runs)
	if err != nil || before == nil {
		return err
	}
	after, err := r.counters(ctx, i, "after")
	if err != nil {
		return err
	}
	report.Findings = append(report.Findings, grown(*before, *after))
	return nil
}

// counters has doctor read the error counters of all hosts, if the step asks for that.
func (r Runner) counters(ctx context.Context, i int, when string) (*doctor.Diagnosis, error) {
	s := r.Folder.Profile.Steps[i]
	if !s.Accept.Counters {
		return nil, nil
	}
	return r.doctor(ctx, i, when, Step{Kind: Doctor})
}

// doctor runs doctor on all hosts, unless it has done so for this in an earlier session.
func (r Runner) doctor(ctx context.Context, i int, name string, s Step) (*doctor.Diagnosis, error) {
	file := filepath.Join(r.Folder.Dir, r.Folder.step(i), name+".json")
	var d doctor.Diagnosis
	if err := readJSON(file, &d); err == nil {
		return &d, nil
	}
	if err := r.command(ctx, r.Folder.Profile.Command(s), []string{"--format", "json", "--output", file}); err != nil {
		return nil, err
	}
	return &d, readJSON(file, &d)
}

// look runs doctor and judges what it finds.
func (r Runner) look(ctx context.Context, i int, report *StepReport) error {
	d, err := r.doctor(ctx, i, "doctor", r.Folder.Profile.Steps[i])
	if err != nil {
		return err
	}
	report.Findings = judgeDoctor(*d, slices.Contains(r.Folder.Profile.Steps[i].Arguments, "--fail-on=warn"))
	return nil
}

// store measures files and judges the bandwidths.
func (r Runner) store(ctx context.Context, i int, report *StepReport) error {
	s := r.Folder.Profile.Steps[i]
	file := filepath.Join(r.Folder.Dir, r.Folder.step(i), "storage.json")
	var result storage.Result
	if readJSON(file, &result) != nil {
		if err := r.command(ctx, r.Folder.Profile.Command(s), []string{"--format", "json", "--output", file}); err != nil {
			return err
		}
		if err := readJSON(file, &result); err != nil {
			return err
		}
	}
	report.Findings = judgeStorage(s.Accept, result)
	return nil
}
