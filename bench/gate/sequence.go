package gate

// Looks is a gate that looks several times while launches are added, and stops when it is clear. Each look may spend
// a part of the chances of error: as much as the part of the budget that was spent since the look before it, so that
// all looks together have the chances of one (a linear spending function, Lan and DeMets 1983, whose parts are
// simply added: Bonferroni, which holds whatever the looks have in common).
type Looks struct {
	spent float64 // of the budget at the last look, 0 … 1
}

// firstLook is the least number of launches a side at which a look can say anything with the little that it may spend.
const firstLook = 6

// NextLook is the number of launches a side at which to look after so many: more by two fifths each time.
func NextLook(launches int) int {
	if launches < firstLook {
		return firstLook
	}
	return max(launches+2, launches*7/5)
}

// The parts may be larger than Bonferroni's, since looks have most of their launches in common: in the simulation all
// looks together still err less often than a gate that looks once.
const (
	failGain = 1.5
	passGain = 2.0
)

// Levels are those of the next look, when so much of the budget (0 … 1) has been spent.
func (l *Looks) Levels(spent float64) Levels {
	part := max(0, min(spent, 1)-l.spent)
	l.spent = max(l.spent, min(spent, 1))
	return Levels{Fail: Fixed.Fail * failGain * part, Pass: Fixed.Pass * passGain * part}
}

// Look judges what there is when so much of the budget (0 … 1) has been spent. It is clear when more launches would
// not change it: it fails; or a loss of ClearLoss is excluded; or what stands in its way is nothing that launches
// could mend. Once all is spent the policy's own bound of a pass is what counts.
func (l *Looks) Look(p Policy, base, changed []Run, spent float64) (v Verdict, clear bool) {
	if spent < 1 {
		p.Relative.Excluded = min(p.Relative.Excluded, max(ClearLoss, p.Relative.MinimumEffect+0.01))
	}
	v = Judge(p, base, changed, l.Levels(spent))
	for _, f := range v.Findings {
		switch {
		case f.Outcome != Inconclusive:
		case f.Kind == KindEnvironment || f.Kind == KindMissing || f.Kind == KindAlgorithm || f.Kind == KindWrong || f.Kind == KindFailed:
			return v, true
		}
	}
	return v, v.Outcome != Inconclusive
}
