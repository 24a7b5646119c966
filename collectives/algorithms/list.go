package algorithms

import (
	"fmt"
	"slices"
	"strings"

	"collbench/collectives"
)

// All lists every algorithm in the order in which they are shown.
var All = []collectives.Algorithm{
	ring,
	recursiveDoubling,
	recursiveHalving,
	halvingDoubling,
	tree,
	direct,
	oneshot,
	hierarchical,
	nvls,
	sharp,
	nvlsSharp,
	nvlsTree,
	bruck,
	pat,
	pairwise,
	binomial,
	scatterAllgather,
	multicast,
}

// Find returns the algorithm of that name; the error lists the names there are.
func Find(name string) (collectives.Algorithm, error) {
	names := make([]string, len(All))
	for i, a := range All {
		if a.Name == name {
			return a, nil
		}
		names[i] = a.Name
	}
	return collectives.Algorithm{}, fmt.Errorf("unknown algorithm %q: want one of %s", name, strings.Join(names, ", "))
}

// For lists the algorithms that can carry out the collective, in the order of All.
func For(c collectives.Collective) (list []collectives.Algorithm) {
	for _, a := range All {
		if slices.Contains(a.Collectives, c) {
			list = append(list, a)
		}
	}
	return list
}
