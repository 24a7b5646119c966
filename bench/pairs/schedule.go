package pairs

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"collbench/bench"
)

// Scope says which pairs are tested.
type Scope struct {
	Name   string
	Sample int // rounds of ScopeSample
}

// The names of the scopes.
const (
	ScopeAll     = "all"
	ScopeIntra   = "intra"   // within hosts
	ScopeInter   = "inter"   // between hosts
	ScopeRail    = "rail"    // between hosts, on one rail
	ScopeSample  = "sample"  // so many rounds of all
	ScopeIncast  = "incast"  // all others send to one rank at once, to each in turn
	ScopeOutcast = "outcast" // one rank sends to all others at once, each in turn
)

// scopes are the ones without a number.
var scopes = []string{ScopeAll, ScopeIntra, ScopeInter, ScopeRail, ScopeIncast, ScopeOutcast}

// ParseScope reads a scope: "all", "intra", "inter", "rail", "incast", "outcast" or "sample=8".
func ParseScope(text string) (Scope, error) {
	if number, ok := strings.CutPrefix(text, ScopeSample+"="); ok {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return Scope{}, fmt.Errorf("%q: want sample=N with a number of rounds, 1 or more", text)
		}
		return Scope{ScopeSample, n}, nil
	}
	if !slices.Contains(scopes, text) {
		return Scope{}, fmt.Errorf("unknown scope %q: want one of %s, sample=N", text, strings.Join(scopes, ", "))
	}
	return Scope{Name: text}, nil
}

// Fan says whether the pairs of a round share a rank.
func (s Scope) Fan() bool { return s.Name == ScopeIncast || s.Name == ScopeOutcast }

// Rounds are the rounds of pairs of the scope; but for incast and outcast no rank is twice in a round, each pair is in one
// round, and which of its ranks comes first means nothing. isolated makes a round of each pair. The seed chooses the rounds of
// a sample. The error says that there is no such pair.
func (s Scope) Rounds(places []Place, isolated bool, seed uint64) (rounds [][]bench.Pair, err error) {
	all := make([]int, len(places))
	for r := range all {
		all[r] = r
	}
	switch s.Name {
	case ScopeAll, ScopeSample:
		rounds = circle(all)
	case ScopeInter:
		for _, round := range circle(all) {
			rounds = append(rounds, slices.DeleteFunc(round, func(p bench.Pair) bool { return places[p.From].Host == places[p.To].Host }))
		}
	case ScopeIntra:
		rounds = together(grouped(places, func(p Place) string { return p.Host }))
	case ScopeRail:
		rounds = rails(places)
	case ScopeIncast, ScopeOutcast:
		rounds = fans(len(places), s.Name == ScopeIncast)
	}
	rounds = slices.DeleteFunc(rounds, func(round []bench.Pair) bool { return len(round) == 0 })
	if len(rounds) == 0 {
		return nil, fmt.Errorf("scope %s: %d ranks on %d hosts have no such pair", s.Name, len(places), len(grouped(places, func(p Place) string { return p.Host })))
	}
	if s.Name == ScopeSample && s.Sample < len(rounds) {
		random := rand.New(rand.NewPCG(seed, 0))
		random.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
		rounds = rounds[:s.Sample]
	}
	if isolated && !s.Fan() {
		rounds = alone(rounds)
	}
	return rounds, nil
}

// circle makes rounds in which everybody meets everybody once: n − 1 rounds of n/2 pairs, and with an odd n n rounds, in each of
// which somebody else has nobody to meet. One stays, the others move around a circle (the round-robin tournament of Kirkman
// 1847; Lucas 1883).
func circle(ids []int) (rounds [][]bench.Pair) {
	seats := slices.Clone(ids)
	if len(seats)%2 == 1 {
		seats = append(seats, -1) // whoever meets it rests
	}
	n := len(seats)
	for range n - 1 {
		var round []bench.Pair
		for i := range n / 2 {
			if a, b := seats[i], seats[n-1-i]; a >= 0 && b >= 0 {
				round = append(round, bench.Pair{From: a, To: b})
			}
		}
		rounds = append(rounds, round)
		last := seats[n-1]
		copy(seats[2:], seats[1:n-1])
		seats[1] = last
	}
	return rounds
}

// together has groups that share nobody meet at the same time, each within itself.
func together(groups [][]int) (rounds [][]bench.Pair) {
	for _, g := range groups {
		for i, round := range circle(g) {
			if i == len(rounds) {
				rounds = append(rounds, nil)
			}
			rounds[i] = append(rounds[i], round...)
		}
	}
	return rounds
}

// rails has the ranks of each rail meet. Ranks of a host that share a rail do not.
func rails(places []Place) [][]bench.Pair {
	rounds := together(grouped(places, Place.Rail))
	for i := range rounds {
		rounds[i] = slices.DeleteFunc(rounds[i], func(p bench.Pair) bool { return places[p.From].Host == places[p.To].Host })
	}
	return rounds
}

// fans are the rounds in which one rank has to do with all others.
func fans(ranks int, in bool) (rounds [][]bench.Pair) {
	for r := range ranks {
		var round []bench.Pair
		for other := range ranks {
			switch {
			case other == r:
			case in:
				round = append(round, bench.Pair{From: other, To: r})
			default:
				round = append(round, bench.Pair{From: r, To: other})
			}
		}
		rounds = append(rounds, round)
	}
	return rounds
}

func alone(rounds [][]bench.Pair) (single [][]bench.Pair) {
	for _, round := range rounds {
		for _, p := range round {
			single = append(single, []bench.Pair{p})
		}
	}
	return single
}

// reversed has the second of each pair send.
func reversed(round []bench.Pair) []bench.Pair {
	back := make([]bench.Pair, len(round))
	for i, p := range round {
		back[i] = bench.Pair{From: p.To, To: p.From}
	}
	return back
}

// Cases are the cases by which a test is made in the rounds: one a round or, where the test sends in one direction, one for
// each direction.
func Cases(base bench.Case, rounds [][]bench.Pair, scope Scope) (cases []bench.Case) {
	base.Where.From, base.Where.To = 0, 0
	for _, round := range rounds {
		c := base
		c.Where.Pairs = bench.PairList(round)
		cases = append(cases, c)
		if !scope.Fan() && directed(base) {
			c.Where.Pairs = bench.PairList(reversed(round))
			cases = append(cases, c)
		}
	}
	return cases
}

// directed says whether the test's figure is one of a direction: of a window of messages that go one way.
func directed(c bench.Case) bool {
	p, err := bench.FindPointToPoint(c.What.Operation)
	return err == nil && p.Windowed && !p.BothWays
}
