package pairs

import (
	"context"
	"errors"
	"slices"
	"time"

	"collbench/bench"
)

// Survey has the pairs measured: round by round, and then what stands out once more.
type Survey struct {
	Plan        bench.Plan // its cases are the rounds'; Budget bounds the first look, and half of it more the second
	Info        bench.RunInfo
	Options     Options
	Launcher    bench.Launcher
	Sink        func(bench.Result) error // as bench.Runner's
	Report      func(bench.Event)        // likewise
	Environment func(bench.Case) ([]string, error)
	Now         func() time.Time // nil: time.Now
}

// maxDeaths is how many rounds a rank may cost before the others are measured without it.
const maxDeaths = 2

// againPart is the part of the budget that testing again may take besides.
const againPart = 0.5

// walk is the state of a survey at work.
type walk struct {
	Survey
	keeper  *keeper
	results []bench.Result
	deaths  map[int]int
	done    map[bench.Case]bool
	spent   float64 // seconds of measuring
	budget  float64
}

// errPaused is why a Runner is stopped: the rest of its plan has changed, or the budget is spent.
var errPaused = errors.New("paused")

// Run measures. The results have gone to the sink when it returns, also with an error: ctx's, or that no processes could be
// started or no result be kept. A rank that dies costs its own pairs: the round is measured again without it.
func (s Survey) Run(ctx context.Context) ([]bench.Result, error) {
	w := &walk{Survey: s, keeper: &keeper{Launcher: s.Launcher}, deaths: map[int]int{}, done: map[bench.Case]bool{}, budget: s.Plan.Budget}
	defer w.keeper.close()
	if err := w.measure(ctx, s.Plan.Cases); err != nil {
		return w.results, err
	}
	var again []bench.Case
	for _, m := range Read(s.Info, w.results) {
		again = append(again, Again(m, s.Options)...)
	}
	w.budget = w.spent + againPart*s.Plan.Budget
	return w.results, w.measure(ctx, again)
}

// measure measures the cases until all are done or the budget is spent.
func (w *walk) measure(ctx context.Context, cases []bench.Case) error {
	for pending := cases; len(pending) > 0 && w.spent < w.budget; pending = w.rest(pending) {
		plan, before := w.Plan, w.spent
		plan.Cases, plan.Skipped, plan.Launches, plan.Budget = pending, nil, 1, w.budget-w.spent
		err := bench.Runner{
			Plan: plan, Launcher: w.keeper, Environment: w.Environment, Now: w.Now, Sink: w.take,
			Report: func(e bench.Event) {
				w.spent = before + e.Spent
				if w.Report != nil {
					w.Report(e)
				}
			},
		}.Run(ctx)
		if err != nil && !errors.Is(err, errPaused) {
			return err
		}
	}
	return nil
}

// take keeps a result. It stops the Runner where a rank has died, for the cases that are left to change.
func (w *walk) take(r bench.Result) error {
	if err := w.Sink(r); err != nil {
		return err
	}
	w.results = append(w.results, r)
	w.done[r.Case] = true
	if r.Fault != nil && r.Fault.Rank != nil {
		w.deaths[*r.Fault.Rank]++
		return errPaused
	}
	if w.spent >= w.budget {
		return errPaused
	}
	return nil
}

// rest are the cases that are left: those that are not done, and the round that a rank has just died in, without its pairs.
// Whoever has died too often is left out of all of them.
func (w *walk) rest(pending []bench.Case) (left []bench.Case) {
	if n := len(w.results); n > 0 {
		if last := w.results[n-1]; last.Fault != nil && last.Fault.Rank != nil {
			pending = slices.Concat(pending, []bench.Case{without(last.Case, *last.Fault.Rank)})
		}
	}
	for _, c := range pending {
		if w.done[c] {
			continue
		}
		for rank, n := range w.deaths {
			if n >= maxDeaths {
				c = without(c, rank)
			}
		}
		if c.Where.Pairs != "" && !w.done[c] {
			left = append(left, c)
		}
	}
	return left
}

// without is a case without the pairs of a rank; its list of pairs is empty where none is left.
func without(c bench.Case, rank int) bench.Case {
	c.Where.Pairs = bench.PairList(slices.DeleteFunc(c.Pairs(), func(p bench.Pair) bool { return p.From == rank || p.To == rank }))
	return c
}

// keeper is a launcher whose team lives on from one Runner to the next: starting the processes anew is slow, and some libraries
// can be started only once.
type keeper struct {
	bench.Launcher
	team        *keptTeam
	environment []string
}

// keptTeam is closed only if something has gone wrong with it, and otherwise kept.
type keptTeam struct {
	bench.Team
	broken bool
}

// Launch gives the team that there is, if it has the environment.
func (k *keeper) Launch(ctx context.Context, environment []string) (bench.Team, error) {
	if k.team != nil && !k.team.broken && slices.Equal(environment, k.environment) {
		return k.team, nil
	}
	k.close()
	team, err := k.Launcher.Launch(ctx, environment)
	if err != nil {
		return nil, err
	}
	k.team, k.environment = &keptTeam{Team: team}, environment
	return k.team, nil
}

func (k *keeper) close() {
	if k.team != nil {
		_ = k.team.Team.Close() // its results are in
		k.team = nil
	}
}

// Prepare passes on.
func (t *keptTeam) Prepare(ctx context.Context, c bench.Case) error {
	err := t.Team.Prepare(ctx, c)
	t.note(err)
	return err
}

// Run passes on.
func (t *keptTeam) Run(ctx context.Context, iterations int, stage bench.Stage) (bench.Batch, error) {
	b, err := t.Team.Run(ctx, iterations, stage)
	t.note(err)
	return b, err
}

func (t *keptTeam) note(err error) {
	t.broken = t.broken || err != nil && !errors.Is(err, bench.ErrNotSupported)
}

// Close keeps the team unless it is broken.
func (t *keptTeam) Close() error {
	if t.broken {
		return t.Team.Close()
	}
	return nil
}
