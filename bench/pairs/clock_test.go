package pairs

import (
	"context"
	"time"

	"collbench/bench"
)

// slow is a launcher whose teams take a quarter of a second for each run, by a clock of its own.
type slow struct {
	bench.Launcher
	spent *float64
}

type slowTeam struct {
	bench.Team
	spent *float64
}

func (s slow) Launch(ctx context.Context, environment []string) (bench.Team, error) {
	team, err := s.Launcher.Launch(ctx, environment)
	return slowTeam{team, s.spent}, err
}

func (t slowTeam) Run(ctx context.Context, iterations int, stage bench.Stage) (bench.Batch, error) {
	*t.spent += 0.25
	return t.Team.Run(ctx, iterations, stage)
}

// clock tells the seconds spent.
func clock(spent *float64) func() time.Time {
	return func() time.Time { return time.Unix(0, int64(*spent*1e9)) }
}
