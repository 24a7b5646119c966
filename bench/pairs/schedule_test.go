package pairs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
)

// on puts ranks on hosts, so many on each; local ranks with a NIC of their own.
func on(hosts, each int) (places []Place) {
	for r := range hosts * each {
		places = append(places, Place{Rank: r, Host: fmt.Sprintf("vm%d", r/each), Local: r % each, NIC: fmt.Sprintf("mlx5_%d", r%each)})
	}
	return places
}

func TestEverybodyMeetsEverybodyOnce(t *testing.T) {
	sizes := []int{32, 1000}
	for n := 2; n <= 17; n++ {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		rounds, err := Scope{Name: ScopeAll}.Rounds(on(n, 1), false, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := n - 1 + n%2
		if len(rounds) != want {
			t.Errorf("%d ranks: %d rounds, want %d", n, len(rounds), want)
		}
		met := map[bench.Pair]bool{}
		for i, round := range rounds {
			if len(round) != n/2 || !bench.Disjoint(round) {
				t.Fatalf("%d ranks, round %d: %d pairs: %v", n, i, len(round), round)
			}
			for _, p := range round {
				p = bench.Pair{From: min(p.From, p.To), To: max(p.From, p.To)}
				if met[p] {
					t.Fatalf("%d ranks: %v meet twice", n, p)
				}
				met[p] = true
			}
		}
		if len(met) != n*(n-1)/2 {
			t.Errorf("%d ranks: %d pairs", n, len(met))
		}
	}
}

func TestScopes(t *testing.T) {
	places := on(3, 4)
	for _, c := range []struct {
		scope  string
		rounds int
		pairs  int
		kinds  []Kind
	}{
		{"all", 11, 66, Kinds}, {"intra", 3, 18, Kinds[:1]}, {"inter", 11, 48, Kinds[1:]}, {"rail", 3, 12, Kinds[1:2]}, {"sample=4", 4, 24, nil},
		{"incast", 12, 132, Kinds}, {"outcast", 12, 132, Kinds}, {"sample=40", 11, 66, Kinds},
	} {
		scope, err := ParseScope(c.scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, isolated := range []bool{false, true} {
			rounds, err := scope.Rounds(places, isolated, 7)
			if err != nil {
				t.Fatal(err)
			}
			pairs := 0
			found := map[Kind]bool{}
			for _, round := range rounds {
				pairs += len(round)
				if !scope.Fan() && !bench.Disjoint(round) || isolated && !scope.Fan() && len(round) != 1 {
					t.Errorf("%s: round %v", c.scope, round)
				}
				for _, p := range round {
					found[kindOf(places[p.From], places[p.To])] = true
				}
			}
			if pairs != c.pairs || !isolated && len(rounds) != c.rounds {
				t.Errorf("%s: %d rounds of %d pairs, want %d of %d", c.scope, len(rounds), pairs, c.rounds, c.pairs)
			}
			for _, k := range Kinds {
				if c.kinds != nil && found[k] != slices.Contains(c.kinds, k) {
					t.Errorf("%s: has pairs of %s: %v", c.scope, k, found[k])
				}
			}
		}
	}
}

func TestScopesThatAreWrong(t *testing.T) {
	for _, text := range []string{"", "some", "sample", "sample=0", "sample=x", "sample=-1"} {
		if s, err := ParseScope(text); err == nil {
			t.Errorf("%q: %v", text, s)
		}
	}
	if _, err := (Scope{Name: ScopeIntra}).Rounds(on(4, 1), false, 1); err == nil || !strings.Contains(err.Error(), "no such pair") {
		t.Errorf("pairs within hosts of one rank each: %v", err)
	}
}

// The seed chooses the rounds of a sample.
func TestSamplesDependOnTheSeed(t *testing.T) {
	scope := Scope{ScopeSample, 3}
	first, _ := scope.Rounds(on(64, 1), false, 1)
	same, _ := scope.Rounds(on(64, 1), false, 1)
	other, _ := scope.Rounds(on(64, 1), false, 2)
	if fmt.Sprint(first) != fmt.Sprint(same) || fmt.Sprint(first) == fmt.Sprint(other) {
		t.Error("the seed does not decide")
	}
}

func TestCasesOfDirections(t *testing.T) {
	rounds := [][]bench.Pair{{{From: 0, To: 1}, {From: 2, To: 3}}}
	for operation, want := range map[string]string{"latency": "0-1 2-3", "bandwidth": "0-1 2-3|1-0 3-2", "bibandwidth": "0-1 2-3"} {
		var got []string
		for _, c := range Cases(bench.Case{What: bench.What{Operation: operation}, Where: bench.Where{From: 2}}, rounds, Scope{Name: ScopeAll}) {
			got = append(got, c.Where.Pairs)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %v, want %s", operation, got, want)
		}
	}
}
