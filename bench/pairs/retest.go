package pairs

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"collbench/bench"
	"collbench/bench/stat"
)

// retest is how a suspect is tested again: by itself, with partners that are well, each of which is also tested with another
// rank that is well.
type retest struct {
	suspects, controls []bench.Pair
}

// partners is with how many others a suspect is tested again, and maxRetests how many of the suspected hosts, interfaces and ranks
// are, and how many of the pairs.
const (
	partners   = 3
	maxRetests = 16
)

// retests says how each suspect is tested again. The seed chooses the partners.
func retests(m *Matrix, suspects []suspect, seed uint64) []retest {
	accused := map[int]bool{}
	for _, s := range suspects {
		for _, r := range s.ranks(m.Places) {
			accused[r] = true
		}
	}
	random := rand.New(rand.NewPCG(seed, 1))
	var good []int
	for _, r := range random.Perm(len(m.Places)) {
		if !accused[r] {
			good = append(good, r)
		}
	}
	list := make([]retest, len(suspects))
	for i, s := range suspects {
		switch {
		case s.level == LevelPair:
			list[i] = pairRetest(m, s, good)
		case i < maxRetests:
			list[i] = subjectRetest(m, s, good)
		}
		if !m.Directed() {
			list[i].suspects, list[i].controls = ordered(list[i].suspects), ordered(list[i].controls)
		}
	}
	return list
}

// subjectRetest tests a host, an interface or a rank: its slowest rank with some partners of the kind.
func subjectRetest(m *Matrix, s suspect, good []int) (t retest) {
	slowest := slices.MinFunc(s.low, func(a, b *sight) int { return cmp.Compare(a.share, b.share) })
	rank := slowest.From
	if !slices.Contains(s.ranks(m.Places), rank) {
		rank = slowest.To
	}
	kind := s.kind()
	alike := func(a, b int) bool { return a != b && kindOf(m.Places[a], m.Places[b]) == kind }
	for _, p := range good {
		if len(t.suspects) >= partners*sides(s) || !alike(rank, p) {
			continue
		}
		t.suspects = append(t.suspects, directions(s, rank, p)...)
		if i := slices.IndexFunc(good, func(o int) bool { return alike(o, p) }); i >= 0 {
			t.controls = append(t.controls, directions(s, good[i], p)...)
		}
	}
	if len(t.suspects) == 0 { // nobody is well
		t.suspects = s.pairs()
		t.suspects = t.suspects[:min(len(t.suspects), partners)]
	}
	return t
}

// pairRetest tests a pair, and both of it with others.
func pairRetest(m *Matrix, s suspect, good []int) retest {
	t := retest{suspects: s.pairs()}
	for _, p := range t.suspects {
		kind := kindOf(m.Places[p.From], m.Places[p.To])
		for _, o := range good {
			if kindOf(m.Places[p.From], m.Places[o]) == kind && kindOf(m.Places[o], m.Places[p.To]) == kind {
				t.controls = append(t.controls, bench.Pair{From: p.From, To: o}, bench.Pair{From: o, To: p.To})
				break
			}
		}
	}
	return t
}

func sides(s suspect) int {
	if s.direction == Both {
		return 2
	}
	return 1
}

// directions are the pairs of a rank and a partner in the suspect's direction.
func directions(s suspect, rank, partner int) (list []bench.Pair) {
	if s.direction != Receives {
		list = append(list, bench.Pair{From: rank, To: partner})
	}
	if s.direction != Sends {
		list = append(list, bench.Pair{From: partner, To: rank})
	}
	return list
}

// ordered has the lower rank of each pair first, and each pair once.
func ordered(pairs []bench.Pair) (list []bench.Pair) {
	for _, p := range pairs {
		p = bench.Pair{From: min(p.From, p.To), To: max(p.From, p.To)}
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// Again lists the cases by which what stands out in a matrix is tested again, each pair by itself.
func Again(m *Matrix, o Options) (cases []bench.Case) {
	if m.Scope != "" {
		return fanAgain(m, o)
	}
	seen := map[bench.Case]bool{}
	suspects := judge(m, o.Tolerance).suspects
	for i, t := range retests(m, suspects, o.Seed) {
		for _, p := range slices.Concat(t.suspects, t.controls) {
			c := m.Case
			c.Where.Pairs = bench.PairList([]bench.Pair{p})
			for c.Where.Again = 1; c.Where.Again <= times(suspects[i]); c.Where.Again++ {
				if !seen[c] {
					seen[c] = true
					cases = append(cases, c)
				}
			}
		}
	}
	return cases
}

// times is how often each pair of a retest is tested: one that is suspected alone has no others to speak for it.
func times(s suspect) int {
	if s.level == LevelPair {
		return 2
	}
	return 1
}

// outcome is the share that the suspect has reached when it was tested again; ok is false where it was not. What it is held
// against are the pairs of the same retest that are well.
func (t retest) outcome(m *Matrix, ref Reference) (share float64, ok bool) {
	controls := again(m, t.controls)
	if len(controls) > 0 {
		ref.Value = stat.Quantile(controls, 0.75)
		if !m.Rate() {
			ref.Value = stat.Quantile(controls, 0.25)
		}
	}
	var shares []float64
	for _, v := range again(m, t.suspects) {
		shares = append(shares, ref.share(v, m.Rate()))
	}
	return stat.Median(shares), len(shares) > 0
}

// again are the values of pairs that were tested again: of each the best.
func again(m *Matrix, pairs []bench.Pair) (values []float64) {
	best := slices.Min[[]float64]
	if m.Rate() {
		best = slices.Max[[]float64]
	}
	for _, c := range m.Cells {
		if len(c.Again) > 0 && slices.Contains(pairs, c.Pair) {
			values = append(values, best(c.Again))
		}
	}
	return values
}
