package gate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/unit"
)

// result is the comparison of a family, on its way into words.
type result struct {
	Comparison
	family family
	sample Sample
	levels Levels  // with the family's share
	share  float64 // of the chance of a wrong fail, which the family has
	in     *input
}

// window is the place of a window in the list.
func (r result) window(from, to int) int {
	return slices.Index(r.Windows, stat.Window{From: from, To: to})
}

// detectable is the loss in a window, as a fraction, that would have been failed in 95 % of gates; nil where none
// could be.
func (r result) detectable(window int) *float64 {
	if math.IsInf(r.Test.Critical, 1) {
		return nil
	}
	w := r.Windows[window]
	margin := 0.0
	for k := w.From; k < w.To; k++ {
		margin = max(margin, r.Margin[k])
	}
	return pointer(math.Expm1(margin + r.Test.DetectableShift(window, detectablePower)))
}

// p is the p-value of a window, adjusted for all families: those that are looked at apart share the chance of a wrong fail.
func (r result) p(window int) *float64 { return pointer(min(1, r.Test.P[window]/r.share)) }

// single is the finding of one case.
func (r result) single(k int) Finding {
	c := r.family.cases[k]
	w := r.window(k, k+1)
	f := finding(relativeRule, r.kind(c), Inconclusive, c)
	f.Unit, f.P, f.Detectable = "s", r.p(w), r.detectable(w)
	f.Measured, f.Reference = pointer(math.Exp(median(r.sample.New, k))), pointer(math.Exp(median(r.sample.Base, k)))
	f.Ratio, f.Low, f.High = pointer(math.Exp(r.Shift[k].Estimate)), pointer(math.Exp(r.Shift[k].Low)), pointer(math.Exp(r.Shift[k].High))
	excluded := r.Upper[k] < math.Log1p(r.in.policy.Relative.Excluded)
	failed := r.Test.P[w] <= r.levels.Fail
	says := ""
	switch {
	case failed && len(r.in.unlike) == 0:
		f.Outcome = Fail
		says = fmt.Sprintf("slower by more than the %s that are none", unit.Percent(math.Expm1(r.Margin[k])))
	case len(r.in.unlike) > 0:
		says = "of another environment"
	case f.Detectable == nil:
		says = "no loss could have been shown with so few launches"
	case !excluded:
		says = fmt.Sprintf("neither a loss above %s is shown nor one of %s excluded: more launches would tell", unit.Percent(math.Expm1(r.Margin[k])), unit.Percent(r.in.policy.Relative.Excluded))
	default:
		f.Outcome = Pass
		says = fmt.Sprintf("no loss above %s", unit.Percent(max(0, math.Expm1(r.Upper[k]))))
	}
	return f.say("%s of time%s (95 %%: %s … %s; %s against %s; %s; p = %s): %s; %s", percent(*f.Ratio-1), r.flipped(c), percent(*f.Low-1), percent(*f.High-1),
		unit.Seconds(*f.Measured), unit.Seconds(*f.Reference), r.launches(), probability(*f.P), says, wouldHave(f.Detectable))
}

func median(rows [][]float64, k int) float64 {
	column := make([]float64, len(rows))
	for i, row := range rows {
		column[i] = row[k]
	}
	return stat.Median(column)
}

func wouldHave(detectable *float64) string {
	if detectable == nil {
		return "no loss is detectable"
	}
	return fmt.Sprintf("a loss of %s would have been failed in 95 %% of gates", unit.Percent(*detectable))
}

func (r result) launches() string {
	text := fmt.Sprintf("%d against %d launches", len(r.sample.New), len(r.sample.Base))
	if r.sample.Order == nil {
		text += ", not interleaved"
	}
	return text
}

// kind tells a case that another algorithm carries out now from one that is as it was.
func (r result) kind(c bench.Case) Kind {
	if r.flipped(c) != "" {
		return KindFlipped
	}
	return KindBaseline
}

// flipped says which algorithm ran on each side if that is not the same.
func (r result) flipped(c bench.Case) string {
	before, now := r.in.base.observed(c), r.in.changed.observed(c)
	if len(before) == 0 || len(now) == 0 || slices.Equal(before, now) {
		return ""
	}
	return fmt.Sprintf(", the algorithm flipped from %s to %s", strings.Join(before, " and "), strings.Join(now, " and "))
}

// together are findings of windows of several cases that fail, and say more than their cases do by themselves: not all
// of those fail, and none is stronger. The strongest come first, and none shares a case with a stronger one.
func (r result) together() (findings []Finding) {
	if len(r.in.unlike) > 0 {
		return nil
	}
	var failed []int
	for w, window := range r.Windows {
		if r.Test.P[w] <= r.levels.Fail && window.To > window.From+1 && r.saysMore(w) {
			failed = append(failed, w)
		}
	}
	slices.SortStableFunc(failed, func(a, b int) int { return cmp.Compare(r.Test.T[b], r.Test.T[a]) })
	taken := make([]bool, len(r.family.cases))
	for _, w := range failed {
		window := r.Windows[w]
		if slices.Contains(taken[window.From:window.To], true) {
			continue
		}
		for k := window.From; k < window.To; k++ {
			taken[k] = true
		}
		findings = append(findings, r.windowFinding(w))
	}
	return findings
}

// saysMore compares a window with its single cases.
func (r result) saysMore(w int) bool {
	all := true
	for k := r.Windows[w].From; k < r.Windows[w].To; k++ {
		single := r.window(k, k+1)
		if r.Test.T[single] >= r.Test.T[w] {
			return false
		}
		all = all && r.Test.P[single] <= r.levels.Fail
	}
	return !all
}

// windowFinding is the finding of several cases: each launch counts with its mean over them.
func (r result) windowFinding(w int) Finding {
	window := r.Windows[w]
	means := func(rows [][]float64) (m []float64) {
		for _, row := range rows {
			sum := 0.0
			for _, v := range row[window.From:window.To] {
				sum += v
			}
			m = append(m, sum/float64(window.To-window.From))
		}
		return m
	}
	spread := math.Sqrt(r.sample.Between.Common*r.sample.Between.Common + r.sample.Between.Each*r.sample.Between.Each/float64(window.To-window.From))
	shift, _ := stat.HodgesLehmann(means(r.sample.Base), means(r.sample.New), 0.025)
	shift = widened(shift, noiseReach*spread)
	f := finding(relativeRule, KindBaseline, Fail, r.family.cases[window.From:window.To]...)
	f.P, f.Detectable = r.p(w), r.detectable(w)
	f.Ratio, f.Low, f.High = pointer(math.Exp(shift.Estimate)), pointer(math.Exp(shift.Low)), pointer(math.Exp(shift.High))
	return f.say("%s of time over these %d neighbouring sizes together, more surely than at any one of them (95 %%: %s … %s; %s; p = %s); %s", percent(*f.Ratio-1), len(f.Cases),
		percent(*f.Low-1), percent(*f.High-1), r.launches(), probability(*f.P), wouldHave(f.Detectable))
}

// relativeSummary is what all families say together.
type relativeSummary struct {
	judged, failed int
	upper          float64  // the largest bound of a loss, as a logarithm
	detectable     *float64 // at the case where it is largest
	neighbours     *float64 // in all sizes of a group at once, where that is largest
	blind          bool     // a case where nothing was detectable
	session        *stat.Between
}

func (t *relativeSummary) add(r result) {
	if t.judged == 0 {
		t.upper = math.Inf(-1)
	}
	larger := func(a *float64, b *float64) *float64 {
		if a == nil || b != nil && *b > *a {
			return b
		}
		return a
	}
	for k := range r.family.cases {
		t.judged++
		t.upper = max(t.upper, r.Upper[k])
		d := r.detectable(r.window(k, k+1))
		t.blind = t.blind || d == nil
		t.detectable = larger(t.detectable, d)
	}
	if r.Failed(r.levels) {
		t.failed++
	}
	first := 0
	for _, n := range r.sample.Groups {
		if n > 1 {
			t.neighbours = larger(t.neighbours, r.detectable(r.window(first, first+n)))
		}
		first += n
	}
	if r.sample.Order == nil {
		t.session = &r.sample.Between
	}
}

// statement is one sentence on all cases that were compared.
func (t *relativeSummary) statement(total int) string {
	switch {
	case total == 0:
		return "nothing to compare with the baseline: no loss is detectable"
	case t.judged == 0 || t.blind:
		return fmt.Sprintf("%s compared with too few launches: no loss is detectable", plural(total, "case"))
	}
	text := fmt.Sprintf("%s compared", plural(total, "case"))
	if t.failed == 0 && !math.IsInf(t.upper, 1) {
		text += fmt.Sprintf(": none lost more than %s (95 %%)", unit.Percent(max(0, math.Expm1(t.upper))))
	}
	text += fmt.Sprintf("; a loss of %s at any one size", unit.Percent(*t.detectable))
	if t.neighbours != nil {
		text += fmt.Sprintf(", or of %s at all sizes of a collective,", unit.Percent(*t.neighbours))
	}
	text += " would have been failed in 95 % of gates"
	if t.session != nil {
		text += fmt.Sprintf("; the sides were not interleaved: sessions are taken to differ by %s, and by %s at each size", unit.Percent(t.session.Common), unit.Percent(t.session.Each))
	}
	return text
}
