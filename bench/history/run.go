package history

import (
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/store"
	"collbench/bench/summary"
)

// newRun is what the index keeps of a run: its results by case, without those that were simulated, of which it
// gives the number.
func newRun(folder string, run store.Run) (r Run, simulated int, err error) {
	machine, ok := MachineOf(run.Info)
	if !ok {
		return r, 0, fmt.Errorf("run %s does not say on which machine it ran, as an imported log: it can be compared, but has no history", run.Info.ID)
	}
	r = Run{ID: run.Info.ID, Folder: folder, Started: run.Info.Started.UTC(), Machine: machine, Commit: CommitOf(run.Info), Environment: Facts(run.Info)}
	byCase := map[bench.Case]int{}
	for _, result := range run.Results {
		if result.Simulated {
			simulated++
			continue
		}
		i, ok := byCase[result.Case]
		if !ok {
			i = len(r.Points)
			byCase[result.Case] = i
			r.Points = append(r.Points, Point{Case: result.Case, Status: bench.OK})
		}
		r.Points[i].add(summary.Of(run.Info, result))
	}
	for i := range r.Points {
		if p := &r.Points[i]; len(p.Launches) > 0 {
			middle := stat.Median(p.Launches)
			p.Seconds = &middle
		}
	}
	if len(r.Points) == 0 {
		return r, simulated, fmt.Errorf("run %s holds no measurement: results %d, of which %d are simulated", r.ID, len(run.Results), simulated)
	}
	return r, simulated, nil
}

// severity orders the statuses: that of a point is its worst launch's.
var severity = []bench.Status{bench.OK, bench.Unproven, bench.Skipped, bench.Interrupted, bench.Failed, bench.Wrong}

// add takes a launch into the point. A wrong result's time is no figure.
func (p *Point) add(row summary.Row) {
	if slices.Index(severity, row.Status) > slices.Index(severity, p.Status) {
		p.Status = row.Status
	}
	if row.Observed != "" && !slices.Contains(strings.Split(p.Observed, ","), row.Observed) {
		p.Observed = strings.TrimPrefix(p.Observed+","+row.Observed, ",")
	}
	if row.Seconds != nil && row.Seconds.Median > 0 && row.Status != bench.Wrong {
		p.Launches = append(p.Launches, row.Seconds.Median)
	}
}
