package bench

import "context"

// Team is all nodes of a launch together, as the measuring loop sees them. bench/workers has the real one, of
// processes; tests have one with a known clock.
type Team interface {
	// Prepare makes all nodes ready for the case. It replaces the case prepared before.
	Prepare(context.Context, Case) error
	// Run carries out so many iterations on all nodes at once and verifies them.
	Run(ctx context.Context, iterations int, stage Stage) (Batch, error)
	Close() error
}

// Batch is what came out of one Team.Run.
type Batch struct {
	Seconds  [][]float64 // rank × sample
	Verdict  Verdict     // of all ranks together; First begins with the rank and its host
	Evidence Evidence
	Chunks   int
	Counted  []LinkBytes // by rank; sums over the iterations; nil where there is no counter
	On       string      // what they were counted on, as Result.CountedOn
	Clocks   []Clocks    // by rank; nil where nothing tells
	CPU      *CPU
}

// Launcher starts a fresh Team, whose processes have the environment ("NAME=VALUE") besides their own. A team that
// failed is closed and another one started for the next case. An error with ErrJobLost is the last.
type Launcher interface {
	Launch(ctx context.Context, environment []string) (Team, error)
}
