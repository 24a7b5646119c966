package simulation

import (
	"math"

	"collbench/bench/gate"
	"collbench/bench/stat"

	"gonum.org/v1/gonum/stat/distuv"
)

// Rule is a way of gating that looks once.
type Rule struct {
	Name  string
	Fails func(gate.Sample) bool
}

// All lists the rules that look once: three that are in wide use, the best that is known with one test a size, and
// ours.
var All = []Rule{
	{"benchstat (α = 5 %)", benchstat},
	{"Welch's t-test (α = 5 %)", welch},
	{"0.9 × floor", floor},
	{"Hodges–Lehmann, Holm", holm},
	{Ours, ours},
}

// Ours is the name of our rule.
const Ours = "collbench"

// pairs calls f with the columns of both sides of each size until it returns true.
func pairs(s gate.Sample, f func(base, changed []float64) bool) bool {
	base, changed := make([]float64, len(s.Base)), make([]float64, len(s.New))
	for k := range Sizes {
		for i, row := range s.Base {
			base[i] = row[k]
		}
		for i, row := range s.New {
			changed[i] = row[k]
		}
		if f(base, changed) {
			return true
		}
	}
	return false
}

// benchstat is its rule for what got slower: the two-sided Mann–Whitney test at 5 % in every size, on its own.
func benchstat(s gate.Sample) bool {
	return pairs(s, func(base, changed []float64) bool { return stat.MannWhitney(base, changed) <= 0.025 })
}

// welch is the t-test as many CI systems use it: two-sided, 5 %, in every size, on its own.
func welch(s gate.Sample) bool {
	return pairs(s, func(base, changed []float64) bool {
		a, b := moments(base), moments(changed)
		u, v := a.variance/float64(len(base)), b.variance/float64(len(changed))
		nu := (u + v) * (u + v) / (u*u/float64(len(base)-1) + v*v/float64(len(changed)-1))
		return (b.mean-a.mean)/math.Sqrt(u+v) >= distuv.StudentsT{Sigma: 1, Nu: nu}.Quantile(0.975)
	})
}

type momentsOf struct{ mean, variance float64 }

func moments(values []float64) (m momentsOf) {
	for _, v := range values {
		m.mean += v / float64(len(values))
	}
	for _, v := range values {
		m.variance += (v - m.mean) * (v - m.mean) / float64(len(values)-1)
	}
	return m
}

// floor is the mean of the new bandwidths of a size against 0.9 × the mean of the baseline's.
func floor(s gate.Sample) bool {
	return pairs(s, func(base, changed []float64) bool { return bandwidth(changed) < 0.9*bandwidth(base) })
}

// bandwidth is the size ÷ the mean time, in units of the size.
func bandwidth(logs []float64) float64 {
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l)
	}
	return float64(len(logs)) / sum
}

// effect is the least loss that matters to the rules that know one.
const effect = 0.03

// holm tests in every size that the loss is more than 3 % by ranks, adjusted for 24 of them at 5 %.
func holm(s gate.Sample) bool {
	return pairs(s, func(base, changed []float64) bool {
		for i := range changed {
			changed[i] -= math.Log1p(effect)
		}
		return stat.MannWhitney(base, changed) <= 0.05/Sizes // the first step of Holm decides the gate
	})
}

// ours is the rule of gate, for both interleaved sides and a stored baseline.
func ours(s gate.Sample) bool {
	if s.Order == nil {
		s.Between = gate.Sessions(Session, 1, 1)
	}
	return gate.DefaultPolicy().Relative.Compare(s, gate.Fixed, true).Failed(gate.Fixed)
}
