package certify

import (
	"encoding/json"
	"fmt"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/store"
	"collbench/bench/summary"
	"collbench/collectives/model"
)

// onLineRate has the runs' predictions made for links of the line rate, whatever the links of a virtual cluster really
// are, and where the run knows of no machine.
func onLineRate(rate float64, runs []store.Run) ([]store.Run, error) {
	changed := make([]store.Run, len(runs))
	for i, run := range runs {
		changed[i] = run
		hosts := map[string]int{}
		for _, r := range run.Info.Ranks {
			hosts[r.Host]++
		}
		if rate == 0 || len(hosts) < 2 || len(run.Info.Ranks)%len(hosts) != 0 {
			continue
		}
		links := make([]model.Rates, len(hosts))
		for h := range links {
			links[h] = model.Rates{Transmit: rate, Receive: rate}
		}
		machine, err := model.Lab(links, len(run.Info.Ranks)/len(hosts))
		if err != nil {
			return nil, fmt.Errorf("machine of the line rate: %w", err)
		}
		if changed[i].Info.Machine, err = json.Marshal(machine); err != nil {
			return nil, fmt.Errorf("machine of the line rate: %w", err)
		}
	}
	return changed, nil
}

// measured are the summaries of a case that have a figure, one a launch.
func measured(runs []store.Run, c bench.Case) (rows []summary.Row) {
	for _, run := range runs {
		for _, r := range run.Results {
			if r.Case != c || r.Status != bench.OK && !(r.Status == bench.Unproven && r.Error == "") {
				continue
			}
			if row := summary.Of(run.Info, r); row.Seconds != nil && row.Seconds.Median > 0 {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// timesOf are the medians of a case, one a launch, in seconds.
func timesOf(runs []store.Run, c bench.Case) (times []float64) {
	for _, row := range measured(runs, c) {
		times = append(times, row.Seconds.Median)
	}
	return times
}

// linkBytes is what crosses a host's link, in its busier direction, in one iteration of a case, without headers; 0: not
// known, or nothing does.
func linkBytes(runs []store.Run, c bench.Case) float64 {
	if c.Where.Hosts < 2 {
		return 0
	}
	if c.What.Operation != "" {
		bytes := float64(c.Moved())
		if p, err := bench.FindPointToPoint(c.What.Operation); err == nil && p.BothWays {
			bytes /= 2
		}
		return bytes
	}
	for _, run := range runs {
		for _, r := range run.Results {
			if r.Case != c {
				continue
			}
			if share, ok := summary.OnLinks(run.Info, r); ok {
				return max(share.Sent, share.Received) * float64(c.Where.Ranks) / float64(c.Where.Hosts)
			}
		}
	}
	return 0
}

// figureOf is a case over its launches, at the largest size with its shares of what the links promise: smaller ones fit into
// what a link lets through at once.
func figureOf(p Profile, runs []store.Run, c bench.Case, largest bool) Figure {
	rows := measured(runs, c)
	f := Figure{Case: named(c), Launches: len(rows)}
	middle := func(of func(summary.Row) *float64) *float64 {
		var values []float64
		for _, row := range rows {
			if v := of(row); v != nil {
				values = append(values, *v)
			}
		}
		if len(values) == 0 {
			return nil
		}
		m := stat.Median(values)
		return &m
	}
	f.Seconds = middle(func(r summary.Row) *float64 { return &r.Seconds.Median })
	f.BusBW = middle(func(r summary.Row) *float64 { return r.BusBW })
	f.AlgBW = middle(func(r summary.Row) *float64 { return r.AlgBW })
	if times := timesOf(runs, c); len(times) > 1 {
		s := spread(times)
		f.Spread = &s
	}
	if !largest {
		return f
	}
	f.OfModel = middle(func(r summary.Row) *float64 {
		if r.Model == nil {
			return nil
		}
		share := r.Model.Seconds / r.Seconds.Median
		return &share
	})
	if bytes := linkBytes(runs, c); bytes > 0 && p.LineRate > 0 && f.Seconds != nil {
		share := bytes / *f.Seconds / p.LineRate
		f.OfLineRate = &share
	}
	return f
}
