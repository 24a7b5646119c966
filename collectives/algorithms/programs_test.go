package algorithms

import (
	"fmt"
	"slices"
	"testing"

	"collbench/collectives"
)

// ranksTested are the numbers of ranks for which every program is proved.
func ranksTested() []int {
	if testing.Short() {
		return []int{1, 2, 3, 4, 7, 8, 12}
	}
	return []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 32}
}

// variants are the values of a field that an algorithm reads, or the first of them where it does not.
func variants[T any](reads bool, values ...T) []T {
	if reads {
		return values
	}
	return values[:1]
}

// readsRadix says whether the number of switches depends on their ports.
func readsRadix(a collectives.Algorithm) bool {
	few, many := shape{Ranks: 32, Local: 1, Radix: 2}, shape{Ranks: 32, Local: 1, Radix: 40}
	return a.Switches != nil && a.Switches(few) != a.Switches(many)
}

// shapesOf lists what the algorithm carries out of a collective on n ranks. Only the fields that it reads vary.
func shapesOf(a collectives.Algorithm, c collectives.Collective, n int) (shapes []shape) {
	counts := []int{0, 1, n - 1, n, 2*n + 1, 37}
	slices.Sort(counts)
	for _, count := range slices.Compact(counts) {
		for _, root := range variants(c.Rooted(), 0, n/2, n-1) {
			for _, chunks := range variants(slices.Contains(a.Pipelined, c), 1, 2, 3, 7) {
				for _, local := range variants(a.Refuses != nil, n, 1, 2, 3, 4) {
					for _, radix := range variants(readsRadix(a), 2, 3, 40) {
						s := shape{Collective: c, Ranks: n, Root: root, Count: count, Chunks: chunks, Local: local, Radix: radix}
						if a.Supports(s) == nil && !slices.Contains(shapes, s) {
							shapes = append(shapes, s)
						}
					}
				}
			}
		}
	}
	return shapes
}

func TestPrograms(t *testing.T) {
	for _, a := range All {
		for _, c := range a.Collectives {
			t.Run(fmt.Sprintf("%s/%s", c, a.Name), func(t *testing.T) {
				t.Parallel()
				proved := 0
				for _, n := range ranksTested() {
					for _, s := range shapesOf(a, c, n) {
						if err := collectives.Check(a, s); err != nil {
							t.Fatalf("%+v: %v", s, err)
						}
						proved++
					}
				}
				if proved < 20 {
					t.Errorf("only %d shapes were proved", proved)
				}
			})
		}
	}
}

// Above 62 ranks the sets of contributors are weights.
func TestManyRanks(t *testing.T) {
	for _, a := range All {
		for _, c := range a.Collectives {
			for _, n := range []int{64, 72} {
				s := shape{Collective: c, Ranks: n, Root: 5, Count: 2*n + 1, Chunks: 2, Local: 8, Radix: 4}
				if c.Blocked() {
					s.Count = 3
				}
				if !c.Rooted() {
					s.Root = 0
				}
				if a.Supports(s) != nil {
					continue
				}
				if err := collectives.Check(a, s); err != nil {
					t.Errorf("%+v: %v", s, err)
				}
			}
		}
	}
}
