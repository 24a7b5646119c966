package pairs

import (
	"fmt"
	"math"

	"collbench/bench/stat"
)

// Power is what a sample of the pairs is good for.
type Power struct {
	Partners int     `json:"partners"` // of the rank that has the fewest, in the direction that has the fewest
	Rank     float64 `json:"rank"`     // share of its peers' figure: a rank that slow, or slower, is named with 95 %
	Pair     float64 `json:"pair"`     // chance that one slow pair was measured at all
}

// confidence is the chance that Power.Rank promises, and medianError how much more the median of normal values scatters than
// their mean (the square root of π/2).
const confidence = 0.95

var medianError = math.Sqrt(math.Pi / 2)

// power is what the sample is good for. A rank is named when the median of its pairs' shares is below the limit; the logarithm
// of that median has the standard error 1.25·spread/√partners, and stat.Detectable says how far below the limit the true share
// has to be. nil where there is nothing to judge.
func power(m *Matrix, refs []Reference) *Power {
	if len(refs) == 0 {
		return nil
	}
	sends, receives := make([]int, len(m.Places)), make([]int, len(m.Places))
	measured := 0
	for _, c := range m.Cells {
		if c.Value == 0 {
			continue
		}
		measured++
		sends[c.From]++
		if m.Directed() {
			receives[c.To]++
		} else {
			sends[c.To]++
		}
	}
	p := Power{Partners: sends[0], Pair: float64(measured) / float64(m.Possible())}
	for r := range sends {
		p.Partners = min(p.Partners, sends[r])
		if m.Directed() {
			p.Partners = min(p.Partners, receives[r])
		}
	}
	p.Rank = 1
	for _, r := range refs {
		if p.Partners >= leastLow {
			e := medianError * r.Spread / math.Sqrt(float64(p.Partners))
			p.Rank = min(p.Rank, r.Limit*math.Exp(-stat.Detectable(confidence, e, 0)))
		}
	}
	if p.Partners < leastLow {
		p.Rank = 0
	}
	return &p
}

// String says it in words.
func (p *Power) String() string {
	if p.Rank == 0 {
		return fmt.Sprintf("a sample of %s a rank at least, too few to name one", plural(p.Partners, "partner", "partners"))
	}
	return fmt.Sprintf("a sample of %s a rank: one at %s of its peers is named with 95 %%, a single slow pair is seen with %s",
		plural(p.Partners, "partner", "partners"), percent(p.Rank), percent(p.Pair))
}
