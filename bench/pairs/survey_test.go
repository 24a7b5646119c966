package pairs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
)

// deadly is a simulated fabric in which a rank dies whenever it takes part, so many times.
type deadly struct {
	Simulation
	rank, times int
	launches    int
}

type deadlyTeam struct {
	bench.Team
	fabric *deadly
	pairs  []bench.Pair
}

func (d *deadly) Launch(ctx context.Context, environment []string) (bench.Team, error) {
	d.launches++
	team, err := d.Simulation.Launch(ctx, environment)
	return &deadlyTeam{Team: team, fabric: d}, err
}

func (t *deadlyTeam) Prepare(ctx context.Context, c bench.Case) error {
	t.pairs = c.Pairs()
	return t.Team.Prepare(ctx, c)
}

func (t *deadlyTeam) Run(ctx context.Context, iterations int, stage bench.Stage) (bench.Batch, error) {
	d := t.fabric
	if d.times > 0 && slices.ContainsFunc(t.pairs, func(p bench.Pair) bool { return p.From == d.rank || p.To == d.rank }) {
		d.times--
		return bench.Batch{}, &bench.Fault{Kind: bench.FaultEnded, Position: bench.Position{Rank: &d.rank, Host: "vm5"}, Text: "rank 5 on vm5 was killed"}
	}
	return t.Team.Run(ctx, iterations, stage)
}

// run surveys and returns what was measured.
func run(t *testing.T, launcher bench.Launcher, places []Place, change func(*Survey)) ([]bench.Result, Verdict, error) {
	t.Helper()
	scope := Scope{Name: ScopeAll}
	rounds, err := scope.Rounds(places, false, 1)
	if err != nil {
		t.Fatal(err)
	}
	base := bench.Case{What: bench.What{Operation: "bandwidth", Bytes: 1 << 20, Window: 8, Algorithm: bench.Auto}, How: bench.How{Timing: bench.TimingBarrier}, Where: bench.Where{Ranks: len(places)}}
	s := Survey{Plan: bench.Plan{Cases: Cases(base, rounds, scope), Ranks: len(places), Precision: 0.5, Budget: 1000, Iterations: 4, Launches: 1, Seed: 1},
		Options: Options{Tolerance: DefaultTolerance, Seed: 1}, Launcher: launcher, Sink: func(bench.Result) error { return nil }}
	for _, p := range places {
		s.Info.Ranks = append(s.Info.Ranks, bench.RankInfo{Rank: p.Rank, Host: p.Host, NIC: p.NIC})
	}
	if change != nil {
		change(&s)
	}
	results, err := s.Run(t.Context())
	return results, Judge(Read(s.Info, results), s.Options), err
}

func TestADeadRankCostsItsPairs(t *testing.T) {
	places := on(8, 1)
	for _, c := range []struct{ times, measured, launches int }{
		{1, 55, 2},  // its pair of that round
		{99, 42, 3}, // all of its pairs, after two rounds without those
	} {
		d := &deadly{Simulation: fabric(places, 1, 0.01, nil), rank: 5, times: c.times}
		_, v, err := run(t, d, places, nil)
		if err != nil || v.Tables[0].Measured != c.measured || v.Outcome != Fail || !strings.Contains(v.Statement, "rank 5 on vm5 was killed") || d.launches != c.launches {
			t.Errorf("died %d times: %d pairs, %d launches, %s: %s, %v; want %d pairs, %d launches", c.times, v.Tables[0].Measured, d.launches, v.Outcome, v.Statement, err, c.measured, c.launches)
		}
	}
}

// The budget ends the survey; what was measured until then is a sample.
func TestBudget(t *testing.T) {
	places := on(16, 1)
	spent := 0.0
	_, v, err := run(t, fabric(places, 1, 0.01, nil), places, func(s *Survey) {
		s.Plan.Budget = 8
		s.Sink = func(bench.Result) error { return nil }
		s.Launcher = slow{s.Launcher, &spent}
		s.Now = clock(&spent)
	})
	table := v.Tables[0]
	if err != nil || table.Measured >= table.Possible || table.Measured < 60 || table.Power == nil || table.Power.Partners < 2 || v.Outcome != Pass ||
		!strings.Contains(v.Statement, "a sample of") || spent > 13 {
		t.Errorf("%d of %d pairs in %g s, power %+v, %s: %s, %v", table.Measured, table.Possible, spent, table.Power, v.Outcome, v.Statement, err)
	}
	spent = 0
	_, v, _ = run(t, fabric(places, 1, 0.01, nil), places, func(s *Survey) {
		s.Plan.Budget, s.Launcher, s.Now = 1, slow{s.Launcher, &spent}, clock(&spent)
	})
	if v.Outcome != Inconclusive {
		t.Errorf("a round or two: %s: %s", v.Outcome, v.Statement)
	}
}

func TestErrorsOfASurvey(t *testing.T) {
	places := on(4, 1)
	full := errors.New("disk full")
	kept := 0
	results, _, err := run(t, fabric(places, 1, 0.01, nil), places, func(s *Survey) {
		s.Sink = func(bench.Result) error {
			if kept++; kept == 3 {
				return full
			}
			return nil
		}
	})
	if !errors.Is(err, full) || len(results) != 2 {
		t.Errorf("%v, %d results", err, len(results))
	}
	if _, _, err := run(t, never{}, places, nil); err == nil || !strings.Contains(err.Error(), "no processes") {
		t.Errorf("%v", err)
	}
}

type never struct{}

func (never) Launch(context.Context, []string) (bench.Team, error) {
	return nil, fmt.Errorf("no processes: %w", bench.ErrJobLost)
}
