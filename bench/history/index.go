package history

import (
	"context"
	"maps"
	"slices"
	"time"

	"collbench/bench"
)

// Index is what a history needs of a database. SQLite implements it, for one machine or a shared file system; a
// database server can take its place. All methods may be called from several processes at once.
type Index interface {
	// Put adds runs with their points, each in place of the run with its ID: all or none.
	Put(context.Context, []Run) error
	// Replace takes out what was known and puts in what there is: all or nothing. What others have put in since the
	// known was read stays.
	Replace(ctx context.Context, known, there Contents) error
	// Remove takes runs out. Baselines that lose their last folder go with them.
	Remove(ctx context.Context, ids []string) error
	// Runs lists runs without their points, the newest first.
	Runs(context.Context, Query) ([]Run, error)
	// Points are what a run measured, in the order of their cases.
	Points(ctx context.Context, run string) ([]Point, error)
	// Machines lists the machines on which something was measured.
	Machines(context.Context) ([]Machine, error)
	// Cases lists the cases of a machine, in the order in which they came into the history.
	Cases(ctx context.Context, machine string) ([]bench.Case, error)
	// Series is how a case went on a machine: the last sessions of a span, the oldest first.
	Series(ctx context.Context, machine string, c bench.Case, s Span) ([]Session, error)
	// SetBaseline keeps a baseline in place of the one of its name.
	SetBaseline(context.Context, Baseline) error
	// RemoveBaseline forgets a name.
	RemoveBaseline(ctx context.Context, name string) error
	// Baselines lists them by name.
	Baselines(context.Context) ([]Baseline, error)
	Close() error
}

// Contents is all that an index holds.
type Contents struct {
	Runs      []Run
	Baselines []Baseline
}

// Query says which runs are asked for; its zero value asks for all.
type Query struct {
	ID      string // of the run
	Folder  string // absolute path
	Machine string // fingerprint
	Last    int    // so many at most; 0: all
}

// Span says which sessions of a series are asked for; its zero value asks for all.
type Span struct {
	Before time.Time // only those that started earlier; zero: all
	Last   int       // so many at most; 0: all
}

// Run is what the index keeps of one session: a run, or several of a folder that are its launches.
type Run struct {
	ID          string            `json:"run"`    // of the first
	Folder      string            `json:"folder"` // absolute path
	Started     time.Time         `json:"started"`
	Machine     Machine           `json:"machine"`
	Commit      string            `json:"commit,omitempty"` // of what was measured, as CI named it
	Environment map[string]string `json:"environment"`      // what may change from run to run: Facts
	Points      []Point           `json:"points,omitempty"`

	last time.Time // when its last run started: of use only while a folder is read
}

// Point is one case in one run.
type Point struct {
	Case     bench.Case   `json:"case"`
	Status   bench.Status `json:"status"`             // the worst of its launches
	Observed string       `json:"observed,omitempty"` // the algorithm that ran; several are joined by commas
	Launches []float64    `json:"launches,omitempty"` // seconds: the median iteration of each launch that has a figure
	Seconds  *float64     `json:"seconds,omitempty"`  // the median of Launches; absent where nothing has a figure
}

// Session is one run's point of a case: the unit in which a history counts. Its Run has no points.
type Session struct {
	Run   Run   `json:"session"`
	Point Point `json:"point"`
}

// Baseline is a name for run folders with which others are compared.
type Baseline struct {
	Name    string    `json:"name"`
	Folders []string  `json:"folders"` // absolute paths
	Set     time.Time `json:"set"`
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
