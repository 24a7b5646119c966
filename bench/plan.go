package bench

import (
	"fmt"
	"math"
	"strconv"

	"collbench/bench/unit"
	"collbench/collectives"
)

// Plan is everything that Run needs to know: the cases and how thoroughly they are measured.
type Plan struct {
	Cases      []Case   `json:"cases"`
	Skipped    []Result `json:"-"`                    // what was asked for by name and cannot be carried out
	Ranks      int      `json:"ranks"`                // processes
	Precision  float64  `json:"precision"`            // larger side of the median's 95 % interval ÷ median
	Budget     float64  `json:"budget"`               // seconds of measuring, for all launches and cases together
	Iterations int      `json:"iterations,omitempty"` // timed iterations of a case (TimingBatch: of a sample); 0: as many as the precision needs
	Sample     float64  `json:"sample,omitempty"`     // seconds that a sample of TimingBatch is meant to take; 0: 5 ms
	Warmup     int      `json:"warmup"`               // iterations before the timed ones; −1: until steady
	Launches   int      `json:"launches"`             // fresh starts of all processes
	Seed       uint64   `json:"seed"`                 // of the order
}

// Site is the place where a plan is to be carried out.
type Site struct {
	Ranks     int      // if the settings do not say
	Fixed     bool     // whether the settings may not say another number of ranks
	Hosts     int      // 1 or more
	Domain    int      // ranks that share a host; 0: all
	Transport string   // if the settings do not say; "": shm on one host, else tcp
	Backends  []string // names
	// Supports says why the backend cannot carry out the case, and Algorithms which algorithms it has for a collective. nil: as the
	// programs of collectives/algorithms say.
	Supports   func(Case) error
	Algorithms func(backend string, c collectives.Collective) []string
}

// maxCount bounds counts of iterations, launches, ranks and the like against slips of the pen.
const maxCount = 1_000_000

// Resolve turns the settings into a plan. Each block of the file is a set of cases; flags that were given lie over
// the file. Every error is the user's: an unknown name, a number out of range, a size that leaves no element, or
// nothing left to measure.
func Resolve(file PlanFile, flags Settings, site Site) (Plan, error) {
	if file.Blocks == nil {
		file.Blocks = []Settings{{}}
	}
	run := file.Settings.over(flags)
	plan, err := resolveRun(run, &site)
	if err != nil {
		return plan, err
	}
	seen := map[Case]bool{}
	var refused error
	for _, block := range file.Blocks {
		settings := file.Settings.over(block).over(flags)
		e, err := expand(settings, plan.Ranks, site)
		if err != nil {
			return plan, err
		}
		for _, c := range e.cases {
			if !seen[c] {
				seen[c] = true
				plan.Cases = append(plan.Cases, c)
			}
		}
		plan.Skipped = append(plan.Skipped, e.skipped...)
		if refused == nil {
			refused = e.refused
		}
	}
	if len(plan.Cases) == 0 {
		return plan, fmt.Errorf("nothing to measure: %w", refused)
	}
	return plan, nil
}

func resolveRun(s Settings, site *Site) (p Plan, err error) {
	if p.Ranks, err = s.integer("ranks", site.Ranks, 1, maxCount); err != nil {
		return p, err
	}
	if site.Fixed && p.Ranks != site.Ranks {
		return p, s.Errorf("ranks", "%d: the hosts given make %d", p.Ranks, site.Ranks)
	}
	if p.Precision, err = unit.ParsePercent(s.Text("precision")); err != nil {
		return p, s.Errorf("precision", "%w", err)
	}
	if p.Budget, err = unit.ParseSeconds(s.Text("budget")); err != nil {
		return p, s.Errorf("budget", "%w", err)
	}
	if s.Text("sample") != "" {
		if p.Sample, err = unit.ParseSeconds(s.Text("sample")); err != nil {
			return p, s.Errorf("sample", "%w", err)
		}
	}
	if p.Iterations, err = s.integer("iterations", 0, 1, maxCount); err != nil {
		return p, err
	}
	if p.Warmup, err = s.integer("warmup", -1, 0, maxCount); err != nil {
		return p, err
	}
	if p.Launches, err = s.integer("launches", 1, 1, maxCount); err != nil {
		return p, err
	}
	seed, err := strconv.ParseUint(s.Text("seed"), 10, 64)
	if err != nil {
		return p, s.Errorf("seed", "%q: want a whole number, 0 or more", s.Text("seed"))
	}
	p.Seed = seed
	return p, nil
}

// integer reads a whole number between low and high; without a setting and a default it is otherwise.
func (s Settings) integer(key string, otherwise, low, high int) (int, error) {
	text := s.Text(key)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, s.Errorf(key, "%q is no whole number", text)
	case n < low && high == math.MaxInt:
		return 0, s.Errorf(key, "%d: want %d or more", n, low)
	case n < low || n > high:
		return 0, s.Errorf(key, "%d: want %d … %d", n, low, high)
	}
	return n, nil
}
