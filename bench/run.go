package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Runner carries out a plan.
type Runner struct {
	Plan     Plan
	Launcher Launcher
	Sink     func(Result) error // takes each result as its case ends; an error ends the run
	Report   func(Event)        // told of every step; nil: nobody
	Now      func() time.Time   // nil: time.Now
	// Environment lists what the processes that carry out the case have to have in their environment; nil: nothing.
	Environment func(Case) ([]string, error)
	// Devices is told of the ranks' devices, by rank, when a team that knows them is ready; nil: nobody is. An error ends
	// the run.
	Devices  func([]*Device) error
	FailFast bool // end with the first case that is wrong or failed
}

// ErrFailFast is the error of a run that has ended with a case that is wrong or failed.
var ErrFailFast = errors.New("ended with the first case that failed")

// maxStarts is how many teams in a row may fail to start before the run ends.
const maxStarts = 2

// Event is one step of a run, for whoever watches it.
type Event struct {
	Case        Case
	Launch      int
	Stage       Stage
	Done, Total int     // results, of all launches
	Samples     int     // of the case so far
	Spent       float64 // seconds of measuring so far, of Plan.Budget
	Result      *Result // set when the case has ended
}

// run is the state of a Runner at work.
type run struct {
	Runner
	team        Team
	environment []string // of the team
	unstarted   int      // teams in a row that did not start
	launch      int
	order       int
	done, total int
	left        int     // cases that have not begun, of all launches
	spent       float64 // seconds in Team.Run
}

// Run carries out the plan: for each launch a fresh team, the groups in seeded order, the cases of a group in
// turns. It returns nil when every case has a result, whatever its status; ctx's error when it was cancelled, after
// the case in hand has given what it has; and any other error when no team could be started or no result be kept.
func (r Runner) Run(ctx context.Context) error {
	if r.Now == nil {
		r.Now = time.Now
	}
	s := &run{Runner: r, total: len(r.Plan.Skipped) + len(r.Plan.Cases)*r.Plan.Launches, left: len(r.Plan.Cases) * r.Plan.Launches}
	defer s.close()
	for _, skipped := range r.Plan.Skipped {
		skipped.Start = s.Now()
		if err := s.finish(&skipped); err != nil {
			return err
		}
	}
	all := groups(r.Plan.Cases)
	for s.launch = range r.Plan.Launches {
		s.close()
		for _, group := range shuffled(all, r.Plan.Seed, s.launch) {
			if err := s.group(ctx, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// group measures the cases of a group in turns, until each has ended. Each gives its result to the sink as it ends.
func (s *run) group(ctx context.Context, group []Case) error {
	cases := make([]*measurement, len(group))
	for i, c := range group {
		cases[i] = s.begin(c)
	}
	s.left -= len(group)
	for pass := 0; ; pass++ {
		open := false
		for _, i := range turn(len(cases), pass) {
			if cases[i].ended {
				continue
			}
			open = true
			if err := s.visit(ctx, cases[i], pass); err != nil {
				return errors.Join(err, s.interrupt(cases))
			}
			if err := s.keep(cases[i]); err != nil {
				return err
			}
		}
		if !open {
			return nil
		}
	}
}

// interrupt ends the cases of a group that have begun when the run ends early.
func (s *run) interrupt(cases []*measurement) error {
	for _, m := range cases {
		if m.ended || !m.begun {
			continue
		}
		m.end(Interrupted, "the run ended before the case did")
		if err := s.keep(m); err != nil {
			return err
		}
	}
	return nil
}

// keep gives the result of a case that has ended to the sink.
func (s *run) keep(m *measurement) error {
	if !m.ended || m.kept {
		return nil
	}
	m.kept = true
	m.fill(s.Plan)
	return s.finish(&m.result)
}

func (s *run) finish(r *Result) error {
	r.Order = s.order
	s.order++
	s.done++
	if err := s.Sink(*r); err != nil {
		return fmt.Errorf("keeping the result of %s: %w", r.Case, err)
	}
	s.report(Event{Case: r.Case, Launch: r.Launch, Stage: StageIdle, Result: r})
	if s.FailFast && (r.Status == Failed || r.Status == Wrong) {
		return fmt.Errorf("%s: %w", r.Case, ErrFailFast)
	}
	return nil
}

// ready prepares the case on the team, and starts one if there is none that has the case's environment. The first
// error is fatal, the second is the case's.
func (s *run) ready(ctx context.Context, c Case) (fatal, failed error) {
	var environment []string
	if s.Environment != nil {
		if environment, failed = s.Environment(c); failed != nil {
			return nil, failed
		}
	}
	if s.team != nil && !slices.Equal(environment, s.environment) {
		s.close()
	}
	if s.team == nil {
		team, err := s.Launcher.Launch(ctx, environment)
		if err != nil {
			return s.notStarted(ctx, err)
		}
		s.team, s.environment, s.unstarted = team, environment, 0
	}
	if failed = s.team.Prepare(ctx, c); failed != nil {
		return nil, failed
	}
	return s.describe(), nil
}

// describe passes on what the team knows of its devices.
func (s *run) describe() error {
	team, ok := s.team.(DescribedTeam)
	if !ok || s.Devices == nil || len(team.Devices()) == 0 {
		return nil
	}
	return s.Devices(team.Devices())
}

// notStarted says whose error it is that no team could be started: the run's if it will not be better next time.
func (s *run) notStarted(ctx context.Context, err error) (fatal, failed error) {
	s.unstarted++
	text := fmt.Errorf("starting the ranks: %w", err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err(), nil
	case errors.Is(err, ErrJobLost) || s.unstarted >= maxStarts:
		return text, nil
	}
	return nil, text
}

// close ends the team, if there is one. What goes wrong then is of no consequence: its results are in.
func (s *run) close() {
	if s.team != nil {
		s.team.Close()
		s.team = nil
	}
}

func (s *run) report(e Event) {
	if s.Report == nil {
		return
	}
	e.Done, e.Total, e.Spent = s.done, s.total, s.spent
	s.Report(e)
}
