package pairs

import (
	"math"
	"slices"

	"collbench/bench/stat"
)

// Reference is what the pairs of one kind are held against.
type Reference struct {
	Kind   Kind    `json:"kind"`
	Pairs  int     `json:"pairs"`
	Value  float64 `json:"value"`  // the better quartile, in the matrix's unit
	Least  float64 `json:"least"`  // of the values
	Most   float64 `json:"most"`   // likewise
	Spread float64 `json:"spread"` // standard deviation of the logarithm of a good pair's value
	Limit  float64 `json:"limit"`  // share of Value below which a pair stands out
}

// How far from the reference a pair stands out. Latencies of pairs that are alike differ more than their bandwidths; the
// factor of 2.1 is field practice (Azure's and NVIDIA's acceptance scripts).
const (
	latencyFactor = 2.1
	deviations    = 5
	// However large the spread of bandwidths is, what is below this share stands out: testing again shows whether it was noise.
	farShare      = 0.75
	leastCompared = 3 // pairs of a kind
)

// thirdSpread makes the median distance from the better quartile, among the best third of normal values, their standard
// deviation: of those between the 2/3-quantile (0.431) and above, half lie within 0.295 of the quartile (0.674).
const thirdSpread = 1 / 0.295

// reference is that of values of one kind, at least one. Most pairs may be slow, so that the reference is a value that only the
// better ones reach, and the spread is that of the best third.
func reference(kind Kind, values []float64, rate bool, tolerance float64) Reference {
	goods := make([]float64, len(values)) // more is better
	for i, v := range values {
		goods[i] = v
		if !rate {
			goods[i] = 1 / v
		}
	}
	best := stat.Quantile(goods, 0.75)
	third := stat.Quantile(goods, 2.0/3)
	var distances []float64
	for _, g := range goods {
		if g >= third {
			distances = append(distances, math.Abs(math.Log(g/best)))
		}
	}
	r := Reference{Kind: kind, Pairs: len(values), Value: best, Least: slices.Min(values), Most: slices.Max(values), Spread: thirdSpread * stat.Median(distances)}
	least, most := -math.Log(1-tolerance), -math.Log(farShare)
	if !rate {
		r.Value, least, most = 1/best, math.Log(latencyFactor), math.Inf(1)
	}
	r.Limit = math.Exp(-max(least, min(most, deviations*r.Spread)))
	return r
}

// share is a value's share of the reference: 1 is as good, 0.5 half as fast.
func (r Reference) share(value float64, rate bool) float64 {
	if rate {
		return value / r.Value
	}
	return r.Value / value
}

// references are those of the kinds of which there are values, in the order of Kinds.
func references(m *Matrix, tolerance float64) (list []Reference) {
	for _, kind := range Kinds {
		var values []float64
		for _, c := range m.Cells {
			if c.Kind == kind && c.Value > 0 {
				values = append(values, c.Value)
			}
		}
		if len(values) > 0 {
			list = append(list, reference(kind, values, m.Rate(), tolerance))
		}
	}
	return list
}
