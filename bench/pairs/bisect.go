package pairs

import (
	"fmt"
	"slices"
	"strings"

	"collbench/bench/unit"
)

// Bisection looks for the host that slows a collective down although its pairs do well: two groups of hosts carry it out at the
// same time, and the slower one is halved.
type Bisection struct {
	Test  string `json:"test"` // "all_reduce 1 MiB"
	Steps []Step `json:"steps"`
	Host  string `json:"host,omitempty"` // that is left; "": no group was slow
}

// Step is one rerun: two groups of equally many hosts, and what each reached.
type Step struct {
	Groups    [2][]string `json:"groups"`
	Bandwidth [2]float64  `json:"bandwidth"` // bytes/s of bus bandwidth
}

// leastBisected is the least number of hosts: two groups of two.
const leastBisected = 4

// Bisect finds the host in at most log₂ N reruns, rounded up. tolerance is how far below the other a group may be. measure has
// both groups carry the collective out at once and returns what each reached. If the number of hosts is odd, one of them waits
// for the first rerun, and is the suspect if that shows nothing.
func Bisect(test string, hosts []string, tolerance float64, measure func(groups [2][]string) ([2]float64, error)) (b Bisection, err error) {
	b.Test = test
	if len(hosts) < leastBisected {
		return b, fmt.Errorf("%d hosts cannot be halved into groups: want %d or more", len(hosts), leastBisected)
	}
	suspects := slices.Clone(hosts)
	var good, waiting []string
	if len(suspects)%2 == 1 {
		suspects, waiting = suspects[:len(suspects)-1], suspects[len(suspects)-1:]
	}
	for confirmed := false; len(suspects) > 1 || !confirmed; {
		half := (len(suspects) + 1) / 2
		s := Step{Groups: filled([2][]string{suspects[:half], suspects[half:]}, good)}
		if s.Bandwidth, err = measure(s.Groups); err != nil {
			return b, err
		}
		b.Steps = append(b.Steps, s)
		slow := s.slower(tolerance)
		switch {
		case slow < 0 && waiting != nil:
			good, suspects, waiting = append(good, suspects...), waiting, nil
			continue
		case slow < 0:
			return b, nil
		}
		confirmed = true
		parts := [2][]string{suspects[:half], suspects[half:]}
		if slow == 1 && len(parts[1]) == 0 {
			return b, nil // good ones alone are slower: it was noise
		}
		good = append(good, parts[1-slow]...)
		suspects = parts[slow]
	}
	b.Host = suspects[0]
	return b, nil
}

// filled brings both groups to the same size, two at least, with hosts that are good.
func filled(groups [2][]string, good []string) [2][]string {
	size := max(2, len(groups[0]), len(groups[1]))
	for i := range groups {
		groups[i] = slices.Clone(groups[i])
		for len(groups[i]) < size && len(good) > 0 {
			groups[i], good = append(groups[i], good[0]), good[1:]
		}
	}
	return groups
}

// slower is the group that is slow beside the other; −1: neither is.
func (s Step) slower(tolerance float64) int {
	switch a, b := s.Bandwidth[0], s.Bandwidth[1]; {
	case a < b*(1-tolerance):
		return 0
	case b < a*(1-tolerance):
		return 1
	}
	return -1
}

// String says what was found.
func (b Bisection) String() string {
	if b.Host == "" {
		return fmt.Sprintf("%s by halves of the hosts: no group was slow (%s)", b.Test, plural(len(b.Steps), "rerun", "reruns"))
	}
	last := b.Steps[len(b.Steps)-1]
	slow, other := last.Bandwidth[0], last.Bandwidth[1]
	if slow > other {
		slow, other = other, slow
	}
	return fmt.Sprintf("%s slows %s down although its pairs do well: groups with it reach %s of those without (%s of %s, %s)", b.Host, b.Test, percent(slow/other),
		strings.TrimSpace(unit.Bandwidth(slow)), unit.Bandwidth(other), plural(len(b.Steps), "rerun", "reruns"))
}

// Bisected adds what a bisection has found to a verdict of pairs that do well.
func (v *Verdict) Bisected(b Bisection) {
	v.Bisection = &b
	v.Statement += ". " + b.String()
	if b.Host != "" {
		v.Outcome, v.Statement = Fail, b.String()
	}
}
