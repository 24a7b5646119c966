package gate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/summary"
)

// Run is one run of a run folder with its results, as store.Read gives it.
type Run struct {
	Info    bench.RunInfo
	Results []bench.Result
}

// launch is one fresh start of all ranks and what came of each case in it.
type launch struct {
	info    *bench.RunInfo
	start   time.Time // of its first case; zero: not known
	results map[bench.Case]bench.Result
}

// side is all that was measured of one side.
type side struct {
	runs     []Run
	launches []launch
}

func newSide(runs []Run) side {
	s := side{runs: runs}
	type key struct{ run, launch int }
	places := map[key]int{}
	for i := range runs {
		for _, r := range runs[i].Results {
			k := key{i, r.Launch}
			at, ok := places[k]
			if !ok {
				at = len(s.launches)
				places[k] = at
				s.launches = append(s.launches, launch{info: &runs[i].Info, results: map[bench.Case]bench.Result{}})
			}
			l := &s.launches[at]
			l.results[r.Case] = r
			if !r.Start.IsZero() && (l.start.IsZero() || r.Start.Before(l.start)) {
				l.start = r.Start
			}
		}
	}
	return s
}

// ids names the runs of the side.
func (s side) ids() string {
	var ids []string
	for _, r := range s.runs {
		ids = append(ids, r.Info.ID)
	}
	return strings.Join(ids, " ")
}

// cases lists every case of the side, neighbours in size beside each other.
func (s side) cases() []bench.Case {
	seen := map[bench.Case]bool{}
	var all []bench.Case
	for _, l := range s.launches {
		for c := range l.results {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	return sortedCases(all)
}

// sortedCases sorts by everything else first, then by size.
func sortedCases(cases []bench.Case) []bench.Case {
	slices.SortFunc(cases, func(a, b bench.Case) int {
		return cmp.Or(strings.Compare(fmt.Sprint(but(a)), fmt.Sprint(but(b))), cmp.Compare(a.What.Bytes, b.What.Bytes))
	})
	return cases
}

// but is the case without its size: what cases that are neighbours in size have in common.
func but(c bench.Case) bench.Case {
	c.What.Bytes = 0
	c.Where.Chunks = 0
	return c
}

// measured is the time of a case in a launch, in seconds: the median over its samples of the slowest rank's. ok is
// false where nothing was measured or the figure cannot stand: wrong, failed, withheld or simulated.
func (l launch) measured(c bench.Case) (seconds float64, ok bool) {
	r, found := l.results[c]
	sound := r.Status == bench.OK || r.Status == bench.Unproven && r.Evidence.Observed == ""
	if !found || !sound || r.Simulated {
		return 0, false
	}
	seconds = stat.Median(summary.IterationTimes(r.Case, r.Seconds))
	return seconds, seconds > 0 && !math.IsInf(seconds, 0)
}

// times are the times of a case in all launches that have one.
func (s side) times(c bench.Case) (times []float64) {
	for _, l := range s.launches {
		if t, ok := l.measured(c); ok {
			times = append(times, t)
		}
	}
	return times
}

// rows are the results of a case in all launches that have a figure for it, summarised.
func (s side) rows(c bench.Case) (rows []summary.Row) {
	for _, l := range s.launches {
		if _, ok := l.measured(c); ok {
			rows = append(rows, summary.Of(*l.info, l.results[c]))
		}
	}
	return rows
}

// observed are the algorithms that were seen to carry the case out, without repetition.
func (s side) observed(c bench.Case) (names []string) {
	for _, l := range s.launches {
		if r, ok := l.results[c]; ok && r.Evidence.Observed != "" && !slices.Contains(names, r.Evidence.Observed) {
			names = append(names, r.Evidence.Observed)
		}
	}
	slices.Sort(names)
	return names
}

// whyMissing says why there is no figure of a case, from the first result that has none.
func (s side) whyMissing(c bench.Case) string {
	for _, l := range s.launches {
		r, found := l.results[c]
		if _, ok := l.measured(c); !found || ok {
			continue
		}
		switch {
		case r.Simulated:
			return "it is simulated, which is no measurement"
		case r.Error != "":
			return fmt.Sprintf("%s: %s", r.Status, r.Error)
		}
		return string(r.Status)
	}
	return "it is not in the run"
}

// sessionGap is how long nothing is measured between two sessions.
const sessionGap = time.Hour

// sessions counts the sessions of a side: launches with no longer gap than an hour between them.
func (s side) sessions() int {
	var starts []time.Time
	for _, l := range s.launches {
		starts = append(starts, l.start)
	}
	slices.SortFunc(starts, time.Time.Compare)
	n := 1
	for i := 1; i < len(starts); i++ {
		if starts[i].Sub(starts[i-1]) > sessionGap {
			n++
		}
	}
	return n
}

// interleaved tells the place in time of each launch, those of base first, if the sides took turns: neither is on the
// whole earlier, and the turn goes over at least as often as half of the launches of a side.
func interleaved(base, changed []launch) (order []int, ok bool) {
	var starts []int
	for _, l := range slices.Concat(base, changed) {
		if l.start.IsZero() {
			return nil, false
		}
		starts = append(starts, int(l.start.UnixNano()))
	}
	order = Ranks(starts)
	at := make([]int, len(order)) // by place: 1 for the new side
	earlier := 0.0                // pairs in which the base is earlier
	for i, place := range order {
		if i >= len(base) {
			at[place] = 1
		}
	}
	turns, bases := 0, 0
	for place, side := range at {
		if place > 0 && side != at[place-1] {
			turns++
		}
		if side == 0 {
			bases++
		} else {
			earlier += float64(bases)
		}
	}
	share := earlier / float64(len(base)*len(changed))
	return order, share > 0.3 && share < 0.7 && 2*turns >= min(len(base), len(changed))
}
