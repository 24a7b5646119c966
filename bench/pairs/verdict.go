package pairs

import (
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/stat"
)

// Schema is the name of what a verdict is as JSON.
const Schema = "collbench.pairs/1"

// Outcome is what becomes of a test of pairs.
type Outcome string

// The outcomes. Inconclusive: too little was measured to name anybody or to acquit all.
const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
)

// Options are what a verdict depends on besides what was measured.
type Options struct {
	Tolerance float64 // 0 … 1: how far below its peers a pair's bandwidth may be
	Seed      uint64  // of the choice of partners for what is tested again
}

// DefaultTolerance is the tolerance where none is given.
const DefaultTolerance = 0.10

// Verdict is what a test of pairs says.
type Verdict struct {
	Schema    string     `json:"schema"`
	Outcome   Outcome    `json:"outcome"`
	Statement string     `json:"statement"` // the answer, in a sentence or two
	Findings  []Finding  `json:"findings"`  // what is slow, and was so again
	Cleared   []Finding  `json:"cleared"`   // what stood out once, and not when it was tested again
	Lost      []Loss     `json:"lost"`      // what could not be measured
	Tables    []Table    `json:"matrices"`
	Simulated bool       `json:"simulated,omitempty"`
	Bisection *Bisection `json:"bisection,omitempty"` // of the hosts, where the pairs do well
}

// Finding is something that is slow.
type Finding struct {
	Test      string      `json:"test"` // the matrix's name
	Level     Level       `json:"level"`
	Host      string      `json:"host,omitempty"`
	NIC       string      `json:"nic,omitempty"`
	Rank      *int        `json:"rank,omitempty"`
	Pair      *bench.Pair `json:"pair,omitempty"` // ranks
	Direction Direction   `json:"direction"`
	Within    bool        `json:"within,omitempty"` // its own host
	Share     float64     `json:"share"`            // of its peers' figure: 0.5 is half as fast
	Value     float64     `json:"value"`            // bytes/s, or seconds
	Reference float64     `json:"reference"`        // likewise, of its peers
	Limit     float64     `json:"limit"`            // Share below which it stands out
	Low       int         `json:"low"`              // pairs that are slow, of Of
	Of        int         `json:"of"`
	Again     *float64    `json:"again,omitempty"` // Share when it was tested again; absent: it was not
	Message   string      `json:"message"`
}

// Loss is a rank or some pairs without a figure, and why.
type Loss struct {
	Pairs int    `json:"pairs"`
	Why   string `json:"why"`
}

// Table is what is said of a matrix as a whole.
type Table struct {
	Test       string      `json:"test"`
	Unit       string      `json:"unit"` // "B/s" or "s"
	Measured   int         `json:"measured"`
	Possible   int         `json:"possible"`
	References []Reference `json:"references,omitempty"`
	Scores     []Score     `json:"scores,omitempty"` // by rank
	Power      *Power      `json:"power,omitempty"`  // of a matrix that is a sample
	Aside      string      `json:"aside,omitempty"`  // why single pairs are not named although they are slow
}

// Score is how a rank does among its peers: medians of shares, absent where there are none. Of a test without a direction
// Receives is absent.
type Score struct {
	Rank     int      `json:"rank"`
	Sends    *float64 `json:"sends,omitempty"`
	Receives *float64 `json:"receives,omitempty"`
}

// Judge says what the matrices show. results are those that the matrices were read from.
func Judge(matrices []*Matrix, o Options) Verdict {
	v := Verdict{Schema: Schema, Outcome: Pass}
	comparable, unconfirmed, blind := false, false, false
	for _, m := range matrices {
		v.Simulated = v.Simulated || m.Simulated
		t := Table{Test: m.Name(), Unit: "s", Possible: m.Possible()}
		if m.Rate() {
			t.Unit = "B/s"
		}
		for _, c := range m.Cells {
			if c.Value > 0 {
				t.Measured++
			}
		}
		if m.Scope != "" {
			found, scores, enough := judgeFan(m, o.Tolerance)
			t.Scores = scores
			comparable = comparable || enough
			for _, f := range found {
				unconfirmed = v.file(f) || unconfirmed
			}
		} else {
			j := judge(m, o.Tolerance)
			t.References, t.Scores = j.references, scores(m, j.references)
			if t.Measured < t.Possible {
				t.Power = power(m, j.references)
				blind = blind || t.Power != nil && t.Power.Rank == 0
			}
			comparable = comparable || slices.ContainsFunc(j.references, func(r Reference) bool { return r.Pairs >= leastCompared })
			t.Aside, unconfirmed = v.sort(m, j, o, unconfirmed)
		}
		v.Lost = append(v.Lost, losses(m)...)
		v.Tables = append(v.Tables, t)
	}
	v.conclude(comparable && !blind, unconfirmed)
	return v
}

// sort files what a matrix shows. It says why slow pairs are not named one by one, if they are too many; and unconfirmed if
// something was not tested again.
func (v *Verdict) sort(m *Matrix, j judged, o Options, unconfirmed bool) (string, bool) {
	var pairs []Finding // that are slow again
	for i, t := range retests(m, j.suspects, o.Seed) {
		s := j.suspects[i]
		ref := j.references[slices.IndexFunc(j.references, func(r Reference) bool { return r.Kind == s.kind() })]
		f := newFinding(m, ref, s)
		if share, ok := t.outcome(m, ref); ok {
			f.Again = &share
		}
		f.Message = sentence(m, s, f)
		if s.level == LevelPair && f.Again != nil && *f.Again < f.Limit {
			pairs = append(pairs, f)
			continue
		}
		unconfirmed = v.file(f) || unconfirmed
	}
	if len(pairs) > mostPairs(m) {
		return aside(pairs, j.others), unconfirmed
	}
	v.Findings = append(v.Findings, pairs...)
	if j.others > 0 {
		return fmt.Sprintf("%s besides, less slow than those that were tested again", plural(j.others, "pair was slow", "pairs were slow")), unconfirmed
	}
	return "", unconfirmed
}

// file puts a finding where it belongs, by what came of testing it again.
func (v *Verdict) file(f Finding) (unconfirmed bool) {
	switch {
	case f.Again == nil:
		f.Message += "; it was not tested again"
	case *f.Again >= f.Limit:
		f.Message += fmt.Sprintf("; not when it was tested again (%s)", percent(*f.Again))
		v.Cleared = append(v.Cleared, f)
		return false
	}
	v.Findings = append(v.Findings, f)
	return f.Again == nil
}

func newFinding(m *Matrix, ref Reference, s suspect) Finding {
	f := Finding{Test: m.Name(), Level: s.level, Host: s.host, NIC: s.nic, Direction: s.direction, Within: s.within, Share: s.share(),
		Reference: ref.Value, Limit: ref.Limit, Low: len(s.low), Of: len(s.cells)}
	var values []float64
	for _, c := range s.low {
		if c.Kind == ref.Kind {
			values = append(values, c.Value)
		}
	}
	f.Value = stat.Median(values)
	switch s.level {
	case LevelRank:
		f.Rank = &s.rank
	case LevelPair:
		f.Pair, f.Host, f.NIC = &s.low[0].Pair, "", ""
	}
	return f
}

// scores are the ranks' medians.
func scores(m *Matrix, refs []Reference) []Score {
	sends, receives := make([][]float64, len(m.Places)), make([][]float64, len(m.Places))
	for _, s := range sights(m, refs) {
		sends[s.From] = append(sends[s.From], s.share)
		if m.Directed() {
			receives[s.To] = append(receives[s.To], s.share)
		} else {
			sends[s.To] = append(sends[s.To], s.share)
		}
	}
	list := make([]Score, len(m.Places))
	for r := range list {
		list[r] = Score{r, median(sends[r]), median(receives[r])}
	}
	return list
}

func median(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	v := stat.Median(values)
	return &v
}

// losses are the pairs without a figure, put together by reason.
func losses(m *Matrix) (list []Loss) {
	for _, c := range m.Cells {
		why, lost := m.lost[c.Pair]
		if !lost {
			continue
		}
		i := slices.IndexFunc(list, func(l Loss) bool { return l.Why == why })
		if i < 0 {
			i = len(list)
			list = append(list, Loss{Why: why})
		}
		list[i].Pairs++
	}
	return list
}

// conclude makes the outcome and the statement of what was found.
func (v *Verdict) conclude(comparable, unconfirmed bool) {
	var said []string
	for _, f := range v.Findings {
		said = append(said, f.Message)
	}
	if len(said) > mostSaid {
		said = append(said[:mostSaid], fmt.Sprintf("and %d more", len(v.Findings)-mostSaid))
	}
	for _, l := range v.Lost {
		said = append(said, fmt.Sprintf("%s: %s", plural(l.Pairs, "pair has no figure", "pairs have no figure"), l.Why))
	}
	aside := false
	for _, t := range v.Tables {
		if t.Aside != "" {
			said, aside = append(said, t.Test+": "+t.Aside), true
		}
	}
	confirmed := slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Again != nil })
	switch {
	case confirmed || len(v.Lost) > 0:
		v.Outcome = Fail
	case unconfirmed || aside:
		v.Outcome = Inconclusive
	case !comparable:
		v.Outcome = Inconclusive
		said = append(said, fmt.Sprintf("too few pairs were measured to compare: want %d or more of a kind, and %d partners for each rank", leastCompared, leastLow))
	default:
		said = append(said, v.acquittal()...)
	}
	for _, f := range v.Cleared {
		said = append(said, "once: "+f.Message)
	}
	v.Statement = strings.Join(said, ". ")
}

// mostSaid is how many findings the statement holds.
const mostSaid = 4
