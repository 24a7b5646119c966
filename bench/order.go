package bench

import (
	"math/rand/v2"
	"slices"
)

// groups puts cases that differ only in algorithm and variant together, so that they can be measured in turns. The
// groups, and the cases in a group, keep the order in which they come.
func groups(cases []Case) [][]Case {
	index := map[Case]int{}
	var list [][]Case
	for _, c := range cases {
		key := c
		key.What.Algorithm, key.How.Variant = "", ""
		i, ok := index[key]
		if !ok {
			i = len(list)
			index[key] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], c)
	}
	return list
}

// shuffled returns the groups of a launch in an order that the seed fixes. Drift of the machine then does not fall
// on the large sizes of every launch.
func shuffled(list [][]Case, seed uint64, launch int) [][]Case {
	order := slices.Clone(list)
	random := rand.New(rand.NewPCG(seed, uint64(launch)))
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// turn is the order of the n cases of a group in a pass: forwards, backwards, …: A B, B A, A B. What drifts
// steadily then falls on all of them alike.
func turn(n, pass int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if pass%2 == 1 {
		slices.Reverse(order)
	}
	return order
}
