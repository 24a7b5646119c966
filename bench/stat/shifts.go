package stat

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

// clipReach is how many median deviations from the median a value may lie before it is drawn in to there. Small, as a
// twentieth of all launches is a spike and many machines have two modes: 1.25 keeps 96 % of the efficiency of a mean
// for normal values (Huber, Robust Statistics, 2nd ed., section 4.5), and tells shifts best in the simulation of
// docs/gating.md.
const clipReach = 1.25

// trendRows is how many rows there must be for a linear trend to be taken out of them: with fewer, what it takes out
// of the noise makes the test too sure of itself.
const trendRows = 24

// Shifts asks of many columns at once (sizes of a message) whether the rows of one side (launches) lie higher than
// those of the other: in single columns, and in windows of neighbouring columns taken together, since what makes one
// size slower makes its neighbours slower too.
type Shifts struct {
	Base, New [][]float64 // row × column, such as logarithms of times
	Order     []int       // place in time of each row, those of Base first; nil: unknown or of no use
	Windows   []Window
	Margin    []float64 // of each column: the largest shift that is none
	Between   Between
	Seed      uint64
}

// Window is the columns From ≤ column < To.
type Window struct{ From, To int }

// Between are standard deviations of shifts that come and go between the two sides without meaning anything, as when
// they were measured in different sessions: of one shift that all columns share, and of one that each has to itself.
type Between struct{ Common, Each float64 }

// ShiftTest is the answer of Shifts.Test.
type ShiftTest struct {
	P        []float64 // of each window, adjusted for all of them
	T        []float64 // of each window: its shift beyond the margin in standard errors
	Error    []float64 // of each window: the standard error of its shift, of unclipped values
	Critical float64   // the T that α asks for
	Exact    bool      // whether all arrangements were looked at
}

// Windows lists those that Shifts is to look at in a run of so many neighbouring columns from a first one: single
// ones, all runs of 4, 16, 64 … and the whole. Denser lengths find no more: half of a run of 8 tells nearly as much.
func Windows(first, columns int) []Window {
	var all []Window
	for length := 1; length < columns; length *= 4 {
		for at := 0; at+length <= columns; at++ {
			all = append(all, Window{first + at, first + at + length})
		}
	}
	return append(all, Window{first, first + columns})
}

// Test tests in every window that the shift is at most the margin. P is adjusted by the largest statistic of all
// windows under permutation of the rows (Westfall and Young, Resampling-Based Multiple Testing, 1993): with all
// columns shifted by their margins, the rows of the two sides are exchangeable, whatever their distribution and
// their correlation from column to column, so that the chance to find a shift where none is beyond its margin is α.
// So many permutations are drawn from the seed, or all are made if there are no more.
//
// The statistic is the difference of the sides' means in standard errors, of values drawn in towards the median
// (clipReach) so that spikes count little, and without a linear trend in time where Order is known. Between adds its
// variance to the error and random shifts to the permutations. With stopping, permutations end as soon as no P can
// be α or less; P is then 1 and Critical is not known.
func (s Shifts) Test(alpha float64, permutations int, stopping bool) ShiftTest {
	p := s.prepare()
	t := ShiftTest{P: make([]float64, len(s.Windows)), T: make([]float64, len(s.Windows)), Error: make([]float64, len(s.Windows))}
	p.observe(&t)
	arrangements := math.Inf(1)
	if len(p.rows) < 60 { // beyond, their number would overflow
		arrangements = float64(combin.Binomial(len(p.rows), len(s.New)))
	}
	t.Exact = arrangements <= float64(permutations) && s.Between == Between{}
	most := slices.Max(t.T)
	largest := make([]float64, 0, permutations+1)
	reached := make([]int, len(s.Windows))
	above := 0 // permutations whose largest statistic reaches the largest that was observed
	total := permutations + 1
	if t.Exact {
		total = int(arrangements)
	} else { // what was observed is one of them (Phipson and Smyth 2010)
		largest, above = append(largest, most), 1
		for w := range reached {
			reached[w] = 1
		}
	}
	p.arrangements(t.Exact, permutations, func(sums []float64) bool {
		m := p.largest(sums)
		largest = append(largest, m)
		for w, v := range t.T {
			if m >= v-1e-9 {
				reached[w]++
			}
		}
		if m >= most-1e-9 {
			above++
		}
		return !stopping || float64(above) <= alpha*float64(total)
	})
	t.Critical = math.Inf(1)
	for w := range t.P {
		t.P[w] = float64(reached[w]) / float64(total)
	}
	if len(largest) < total {
		for w := range t.P {
			t.P[w] = 1
		}
		return t
	}
	// The largest number of arrangements that may lie above has to have a chance of at most α.
	slices.Sort(largest)
	if k := int(alpha * float64(total)); k >= 1 {
		t.Critical = largest[total-k]
	}
	return t
}

// prepared are the rows of both sides, ready to be permuted.
type prepared struct {
	Shifts
	rows       [][]float64 // base, then new; clipped, each column with mean 0 and without trend
	unclipped  []float64   // of each column: the fraction of values that were left as they are
	squares    []float64   // of each window: the sum of squares of the rows' means over its columns
	scale      []float64   // of each window: what makes the sum over the new side a correlation
	n, freedom float64     // effective number a side, degrees of freedom
	between    []float64   // of each window: the variance of its shift between sessions
	random     *rand.Rand
}

func (s Shifts) prepare() *prepared {
	nb, nn := len(s.Base), len(s.New)
	p := &prepared{Shifts: s, freedom: float64(nb + nn - 2), random: rand.New(rand.NewPCG(s.Seed, 0x5ca1e)),
		n: float64(nb*nn) / float64(nb+nn)}
	for _, row := range s.Base {
		p.rows = append(p.rows, slices.Clone(row))
	}
	for _, row := range s.New {
		shifted := slices.Clone(row)
		for c, m := range s.Margin {
			shifted[c] -= m
		}
		p.rows = append(p.rows, shifted)
	}
	detrend := s.Order != nil && nb+nn >= trendRows
	if detrend {
		p.freedom--
	}
	column := make([]float64, len(p.rows))
	p.unclipped = make([]float64, len(p.rows[0]))
	for c := range p.rows[0] {
		for i, row := range p.rows {
			column[i] = row[c]
		}
		p.unclipped[c] = clip(column)
		if detrend {
			flatten(column, s.Order)
		}
		m := mean(column)
		for i := range p.rows {
			p.rows[i][c] = column[i] - m
		}
	}
	for _, w := range s.Windows {
		sum, width := 0.0, float64(w.To-w.From)
		for _, row := range p.rows {
			m := 0.0
			for _, v := range row[w.From:w.To] {
				m += v
			}
			sum += m * m / (width * width)
		}
		p.squares = append(p.squares, sum)
		p.scale = append(p.scale, 0)
		if sum > 0 {
			p.scale[len(p.scale)-1] = 1 / (width * math.Sqrt(p.n*sum))
		}
		p.between = append(p.between, s.Between.Common*s.Between.Common+s.Between.Each*s.Between.Each/width)
	}
	return p
}

// clip draws values in towards their median and returns the fraction that was left as it was.
func clip(values []float64) float64 {
	reach := clipReach * MedianDeviation(values)
	if reach == 0 {
		return 1 // more than half are equal: nothing tells what is far
	}
	center, left := Median(values), 0
	for i, v := range values {
		values[i] = min(max(v, center-reach), center+reach)
		if values[i] == v {
			left++
		}
	}
	return float64(left) / float64(len(values))
}

// flatten takes the linear trend in time out of values.
func flatten(values []float64, order []int) {
	middle := float64(len(values)-1) / 2
	var product, squares float64
	for i, v := range values {
		u := float64(order[i]) - middle
		product += u * v
		squares += u * u
	}
	for i := range values {
		values[i] -= product / squares * (float64(order[i]) - middle)
	}
}

// statistic is the shift of window w in standard errors, from the sum over its columns of the new side's values.
func (p *prepared) statistic(w int, sum, offset float64) float64 {
	width := float64(p.Windows[w].To - p.Windows[w].From)
	shift := sum / width / p.n // the rows have mean 0: the sides' means differ by sum·N ÷ (nb·nn)
	variance := max(p.squares[w]-p.n*shift*shift, 1e-12*p.squares[w])/p.freedom/p.n + p.between[w]
	if variance <= 0 {
		return 0
	}
	return (shift + offset) / math.Sqrt(variance)
}

// observe fills in T and Error.
func (p *prepared) observe(t *ShiftTest) {
	sums := make([]float64, len(p.rows[0])+1)
	for _, row := range p.rows[len(p.Base):] {
		for c, v := range row {
			sums[c+1] += v
		}
	}
	accumulate(sums)
	for w, window := range p.Windows {
		sum := sums[window.To] - sums[window.From]
		t.T[w] = p.statistic(w, sum, 0)
		shift := sum / float64(window.To-window.From) / p.n
		within := max(0, p.squares[w]-p.n*shift*shift) / p.freedom / p.n
		left := mean(p.unclipped[window.From:window.To])
		t.Error[w] = math.Sqrt(within/(left*left) + p.between[w])
	}
}

func accumulate(sums []float64) {
	for c := 1; c < len(sums); c++ {
		sums[c] += sums[c-1]
	}
}

// largest is the largest statistic of all windows for an arrangement's sums over the new side, up to each column.
func (p *prepared) largest(sums []float64) float64 {
	if p.Between != (Between{}) {
		return p.largestBetween(sums)
	}
	// The statistic grows with the correlation of values and sides, which is quicker to compute.
	most := math.Inf(-1)
	for w, window := range p.Windows {
		most = max(most, (sums[window.To]-sums[window.From])*p.scale[w])
	}
	return most * math.Sqrt(p.freedom/max(1-most*most, 1e-12))
}

// largestBetween is the same with random shifts between sessions.
func (p *prepared) largestBetween(sums []float64) float64 {
	common := p.Between.Common * p.random.NormFloat64()
	offsets := make([]float64, len(sums))
	for c := 1; c < len(offsets); c++ {
		offsets[c] = p.Between.Each * p.random.NormFloat64()
	}
	accumulate(offsets)
	most := math.Inf(-1)
	for w, window := range p.Windows {
		offset := common + (offsets[window.To]-offsets[window.From])/float64(window.To-window.From)
		most = max(most, p.statistic(w, sums[window.To]-sums[window.From], offset))
	}
	return most
}

// arrangements calls do with the sums of every way to choose the new side's rows, or of so many random ones, until it
// returns false.
func (p *prepared) arrangements(every bool, permutations int, do func(sums []float64) bool) {
	sums := make([]float64, len(p.rows[0])+1)
	add := func(chosen []int) bool {
		clear(sums)
		for _, i := range chosen {
			row := p.rows[i]
			into := sums[1:][:len(row)]
			for c, v := range row {
				into[c] += v
			}
		}
		accumulate(sums)
		return do(sums)
	}
	if every {
		generator := combin.NewCombinationGenerator(len(p.rows), len(p.New))
		chosen := make([]int, len(p.New))
		for generator.Next() {
			if !add(generator.Combination(chosen)) {
				return
			}
		}
		return
	}
	rows := make([]int, len(p.rows))
	for i := range rows {
		rows[i] = i
	}
	for range permutations {
		for i := range p.New {
			j := i + p.random.IntN(len(rows)-i)
			rows[i], rows[j] = rows[j], rows[i]
		}
		if !add(rows[:len(p.New)]) {
			return
		}
	}
}

// DetectableShift is the shift of a window alone that Test finds with the given chance, beyond the margin of its
// columns.
func (t ShiftTest) DetectableShift(window int, power float64) float64 {
	return (t.Critical + distuv.UnitNormal.Quantile(power)) * t.Error[window]
}
