package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	r = Run{ID: run.Info.ID, Folder: folder, Started: run.Info.Started.UTC(), last: run.Info.Started, Machine: machine, Commit: CommitOf(run.Info), Environment: Facts(run.Info)}
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
		r.Points[i].summarize()
	}
	if len(r.Points) == 0 {
		return r, simulated, fmt.Errorf("run %s holds no measurement: results %d, of which %d are simulated", r.ID, len(run.Results), simulated)
	}
	return r, simulated, nil
}

// severity orders the statuses: that of a point is its worst launch's.
var severity = []bench.Status{bench.OK, bench.Unproven, bench.Skipped, bench.Interrupted, bench.Failed, bench.Wrong}

// pause is the longest time between two runs of a folder that are launches of one session.
const pause = time.Hour

// continuedBy says whether a later run of the same folder belongs to the session: scripts that start all ranks anew
// for each launch add a run a launch. What has another environment or comes much later is a session of its own.
func (r Run) continuedBy(next Run) bool {
	gap := next.Started.Sub(r.last)
	return next.Machine.Fingerprint == r.Machine.Fingerprint && next.Commit == r.Commit && maps.Equal(next.Environment, r.Environment) && gap >= 0 && gap <= pause
}

// merge takes the launches of a run that continues the session.
func (r *Run) merge(next Run) {
	r.last = next.last
	for _, p := range next.Points {
		i := slices.IndexFunc(r.Points, func(known Point) bool { return known.Case == p.Case })
		if i < 0 {
			r.Points = append(r.Points, p)
			continue
		}
		known := &r.Points[i]
		known.note(p.Status, strings.Split(p.Observed, ",")...)
		known.Launches = append(known.Launches, p.Launches...)
		known.summarize()
	}
}

// note keeps the worst status and every algorithm that ran.
func (p *Point) note(status bench.Status, observed ...string) {
	if slices.Index(severity, status) > slices.Index(severity, p.Status) {
		p.Status = status
	}
	for _, name := range observed {
		if name != "" && !slices.Contains(strings.Split(p.Observed, ","), name) {
			p.Observed = strings.TrimPrefix(p.Observed+","+name, ",")
		}
	}
}

// summarize computes what follows from the launches.
func (p *Point) summarize() {
	if len(p.Launches) > 0 {
		middle := stat.Median(p.Launches)
		p.Seconds = &middle
	}
}

// add takes a launch into the point. A wrong result's time is no figure, nor is one of a launch that was interrupted: it is of
// as few samples as there were time for.
func (p *Point) add(row summary.Row) {
	p.note(row.Status, row.Observed)
	if row.Seconds != nil && row.Seconds.Median > 0 && row.Status != bench.Wrong && row.Status != bench.Interrupted {
		p.Launches = append(p.Launches, row.Seconds.Median)
	}
}
