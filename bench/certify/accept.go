package certify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"collbench/bench/unit"
)

// criterion is one key of accept.
type criterion struct {
	key   string
	kinds []Kind // of steps that can have it
	set   func(a *Accept, word string) error
	asked func(a Accept) bool
	// launches is the fewest over which it is judged.
	launches int
}

// criteria are the keys of accept.
var criteria = []criterion{
	{"model", []Kind{Run}, percentage(func(a *Accept) *float64 { return &a.Model }), func(a Accept) bool { return a.Model > 0 }, 3},
	{"line-rate", []Kind{Run}, percentage(func(a *Accept) *float64 { return &a.LineRate }), func(a Accept) bool { return a.LineRate > 0 }, 3},
	{"repeatability", []Kind{Run, Train}, percentage(func(a *Accept) *float64 { return &a.Repeatability }), func(a Accept) bool { return a.Repeatability > 0 }, 2},
	{"busbw", []Kind{Run}, bandwidth(func(a *Accept) *float64 { return &a.BusBW }), func(a Accept) bool { return a.BusBW > 0 }, 3},
	{"algbw", []Kind{Run}, bandwidth(func(a *Accept) *float64 { return &a.AlgBW }), func(a Accept) bool { return a.AlgBW > 0 }, 3},
	{"time", []Kind{Run}, setTime, func(a Accept) bool { return a.Time > 0 }, 3},
	{"faster", []Kind{Run}, setFaster, func(a Accept) bool { return a.Faster != nil }, 3},
	{"overlap", []Kind{Train}, percentage(func(a *Accept) *float64 { return &a.Overlap }), func(a Accept) bool { return a.Overlap > 0 }, 0},
	{"read", []Kind{Storage}, bandwidth(func(a *Accept) *float64 { return &a.Read }), func(a Accept) bool { return a.Read > 0 }, 0},
	{"write", []Kind{Storage}, bandwidth(func(a *Accept) *float64 { return &a.Write }), func(a Accept) bool { return a.Write > 0 }, 0},
	{"counters", []Kind{Run, Train}, setCounters, func(a Accept) bool { return a.Counters }, 0},
	{"wrong", []Kind{Run, Train}, setWrong, func(Accept) bool { return false }, 0}, // asked of every run
}

func (a *Accept) set(key, word string) error {
	i := slices.IndexFunc(criteria, func(c criterion) bool { return c.key == key })
	if i < 0 {
		var keys []string
		for _, c := range criteria {
			keys = append(keys, c.key)
		}
		return fmt.Errorf("unknown key: want one of %s", strings.Join(keys, ", "))
	}
	return criteria[i].set(a, word)
}

// String lists what is asked: "model of 80 % or more, line-rate of 75 % or more".
func (a Accept) String() string {
	var parts []string
	add := func(name string, value float64, text func(float64) string, how string) {
		if value > 0 {
			parts = append(parts, fmt.Sprintf("%s %s or %s", name, text(value), how))
		}
	}
	add("model", a.Model, unit.Percent, "more")
	add("line rate", a.LineRate, unit.Percent, "more")
	add("busbw", a.BusBW, unit.Bandwidth, "more")
	add("algbw", a.AlgBW, unit.Bandwidth, "more")
	add("time", a.Time, unit.Seconds, "less")
	add("launches apart by", a.Repeatability, unit.Percent, "less")
	add("overlap", a.Overlap, unit.Percent, "more")
	add("reads", a.Read, unit.Bandwidth, "more")
	add("writes", a.Write, unit.Bandwidth, "more")
	if a.Faster != nil {
		parts = append(parts, fmt.Sprintf("%s at least %.3g × as fast as %s", a.Faster.This, a.Faster.By, a.Faster.Than))
	}
	if a.Counters {
		parts = append(parts, "error counters unchanged")
	}
	return strings.Join(parts, "; ")
}

// check refuses a criterion that says nothing of such a step.
func (s Step) check() error {
	for _, c := range criteria {
		switch {
		case !c.asked(s.Accept):
		case !slices.Contains(c.kinds, s.Kind):
			return fmt.Errorf("step %q: %s is no criterion of %s", s.Name, c.key, s.Kind)
		case s.Launches < c.launches:
			return fmt.Errorf("step %q: %s is judged over launches, and fewer than %d tell no spread: want launches: %d", s.Name, c.key, c.launches, c.launches)
		}
	}
	return nil
}

func percentage(field func(*Accept) *float64) func(*Accept, string) error {
	return func(a *Accept, word string) error {
		v, err := unit.ParsePercent(word)
		*field(a) = v
		return err
	}
}

func bandwidth(field func(*Accept) *float64) func(*Accept, string) error {
	return func(a *Accept, word string) error {
		v, err := unit.ParseRate(word)
		*field(a) = v
		return err
	}
}

func setTime(a *Accept, word string) (err error) {
	a.Time, err = unit.ParseSeconds(word)
	return err
}

// setFaster reads "sharp than ring by 1.5"; a variant stands behind its algorithm: "ring gdr=off than ring by 1".
func setFaster(a *Accept, word string) error {
	this, rest, ok := strings.Cut(word, " than ")
	than, by, also := strings.Cut(rest, " by ")
	factor, err := strconv.ParseFloat(by, 64)
	if !ok || !also || err != nil || !(factor > 0) || factor > 1e6 {
		return fmt.Errorf("%q: want such as: sharp than ring by 1.5", word)
	}
	a.Faster = &Faster{this, than, factor}
	return nil
}

func setCounters(a *Accept, word string) error {
	if word != "unchanged" {
		return fmt.Errorf("%q: want unchanged", word)
	}
	a.Counters = true
	return nil
}

func setWrong(_ *Accept, word string) error {
	if word != "0" {
		return fmt.Errorf("want 0: no other number of wrong elements can be allowed")
	}
	return nil
}
