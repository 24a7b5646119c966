package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
)

// Thresholds of the headline.
const (
	modelTolerance = 0.10 // the model's promise for a virtual cluster
	rankStandsOut  = 0.05 // a rank's time above the middle rank's that is worth a name
)

// verdict is what the page says first.
type verdict struct {
	Class, Sign, Word string
	Sentences         []string
}

// judge reads the rows: a wrong or failed row fails; nothing measured or an interrupted run is inconclusive; what
// is unproven, or far from the model at the largest size, is a warning.
func judge(info bench.RunInfo, rows []summary.Row, all []panel) verdict {
	count := map[bench.Status]int{}
	for _, r := range rows {
		count[r.Status]++
	}
	v := verdict{Class: "pass", Sign: "✔", Word: "PASS"}
	far, farthest := farFromModel(all)
	switch {
	case count[bench.Wrong]+count[bench.Failed] > 0:
		v = verdict{Class: "fail", Sign: "✖", Word: "FAIL"}
		worst := bench.Failed
		if count[bench.Wrong] > 0 {
			worst = bench.Wrong
		}
		v.Sentences = append(v.Sentences, firstError(rows, worst, count[bench.Wrong]+count[bench.Failed]))
	case len(all) == 0 && !messages(rows) || count[bench.Interrupted] > 0:
		v = verdict{Class: "inconclusive", Sign: "?", Word: "INCONCLUSIVE"}
		switch {
		case count[bench.Interrupted] > 0:
			v.Sentences = append(v.Sentences, "The run was interrupted: what follows was measured until then.")
		case count[bench.Unproven] > 0:
			v.Sentences = append(v.Sentences, "No figure stands. "+firstError(rows, bench.Unproven, count[bench.Unproven]))
		default:
			v.Sentences = append(v.Sentences, "Nothing was measured.")
		}
	case count[bench.Unproven] > 0:
		v = verdict{Class: "warn", Sign: "!", Word: "WARN"}
		v.Sentences = append(v.Sentences, fmt.Sprintf("%s of %d %s unproven.", plural(count[bench.Unproven], "result", "results"), len(rows), isAre(count[bench.Unproven])))
	case far:
		v = verdict{Class: "warn", Sign: "!", Word: "WARN", Sentences: farthest}
		farthest = nil
	}
	for _, p := range all {
		v.Sentences = append(v.Sentences, comparison(p)...)
	}
	v.Sentences = append(v.Sentences, farthest...)
	if s := correctness(rows); s != "" {
		v.Sentences = append(v.Sentences, s)
	}
	if s := culprit(info, all); s != "" {
		v.Sentences = append(v.Sentences, s)
	}
	return v
}

// messages says whether a point-to-point test was measured: those have rows and no charts.
func messages(rows []summary.Row) bool {
	return slices.ContainsFunc(rows, func(r summary.Row) bool {
		return r.Operation != "" && r.Seconds != nil && (r.Status == bench.OK || r.Status == bench.Unproven)
	})
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// firstError quotes the first row of that status, whose text names the rank and its host, as one of n.
func firstError(rows []summary.Row, status bench.Status, n int) string {
	for _, r := range rows {
		if r.Status == status {
			text := fmt.Sprintf("%s: %s", caseName(r), r.Status)
			if r.Error != "" {
				text += ": " + r.Error
			}
			if n > 1 {
				text += fmt.Sprintf(" (and %d more)", n-1)
			}
			return oneLine(text)
		}
	}
	return ""
}

// comparison says how the algorithms compare with ring at the largest size, fastest first.
func comparison(p panel) []string {
	size := p.Sizes[len(p.Sizes)-1]
	type entry struct {
		label string
		times float64
	}
	var entries []entry
	for _, l := range p.Lines {
		ring := p.ring(l)
		if ring == nil || ring.at(size) == nil || l.at(size) == nil || ring.Label == l.Label {
			continue
		}
		entries = append(entries, entry{l.Label, ring.at(size).Row.Seconds.Median / l.at(size).Row.Seconds.Median})
	}
	if len(entries) == 0 {
		return nil
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return -compareFloat(a.times, b.times) })
	var parts []string
	for i, e := range entries {
		if i == 4 {
			break
		}
		parts = append(parts, fmt.Sprintf("%s is %s", e.label, faster(e.times)))
	}
	return []string{fmt.Sprintf("%s of %s: %s.", p.Collective, unit.Bytes(size), strings.Join(parts, ", "))}
}

func faster(t float64) string {
	if math.Abs(t-1) < 0.005 {
		return "as fast as ring"
	}
	return fmt.Sprintf("%.2f× as fast as ring", t)
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// worstModel finds the line whose largest size is farthest from the model, as a fraction of the prediction.
func worstModel(all []panel) (worst float64, name string, ok bool) {
	for _, p := range all {
		for _, l := range p.Lines {
			if d, known := offModel(l.largest().Row); known && (!ok || math.Abs(d) > math.Abs(worst)) {
				worst, name, ok = d, p.Collective+" "+l.Label, true
			}
		}
	}
	return worst, name, ok
}

// farFromModel says how well the model holds, and whether that is worse than its promise.
func farFromModel(all []panel) (far bool, sentences []string) {
	worst, name, ok := worstModel(all)
	switch {
	case !ok:
		return false, nil
	case math.Abs(worst) > modelTolerance:
		return true, []string{fmt.Sprintf("Farthest from the model at the largest size: %s took %s.", name, longer(worst))}
	}
	return false, []string{fmt.Sprintf("At the largest size the model holds within %.1f %%; farthest is %s (%s).", math.Ceil(1000*math.Abs(worst))/10, name, signed(worst))}
}

func longer(d float64) string {
	if d < 0 {
		return fmt.Sprintf("%.0f %% less time than predicted", -100*d)
	}
	return fmt.Sprintf("%.0f %% more time than predicted", 100*d)
}

// correctness counts the verified results.
func correctness(rows []summary.Row) string {
	verified, wrong := 0, 0
	for _, r := range rows {
		if r.Wrong != nil {
			verified++
			if *r.Wrong > 0 {
				wrong++
			}
		}
	}
	switch {
	case verified == 0:
		return ""
	case wrong == 0:
		return fmt.Sprintf("Every element was right in all %s.", plural(verified, "verified result", "verified results"))
	}
	return fmt.Sprintf("%d of %d verified results hold wrong elements.", wrong, verified)
}

// culprit names the link that was busiest or narrowest and the rank that stands out.
func culprit(info bench.RunInfo, all []panel) string {
	var parts []string
	if l, ok := narrowest(info.Links); ok {
		parts = append(parts, fmt.Sprintf("The narrowest link is %s's, %s.", oneLine(l.Host), unit.BitRate(min(l.Transmit, l.Receive))))
	}
	if u, ok := busiestLink(info, all); ok {
		parts = append(parts, fmt.Sprintf("The busiest link, %s's, carried %.0f %% of its rate (%s).", oneLine(u.host), 100*u.used, u.by))
	}
	if s, ok := slowestRank(info, all); ok && s.above >= rankStandsOut {
		parts = append(parts, fmt.Sprintf("Rank %s takes %.0f %% longer than the middle rank.", s.name, 100*s.above))
	} else if ok {
		parts = append(parts, "No rank stands out.")
	}
	return strings.Join(parts, " ")
}

// narrowest is the link with the lowest rate, where links differ.
func narrowest(links []bench.LinkInfo) (least bench.LinkInfo, differ bool) {
	for i, l := range links {
		rate := min(l.Transmit, l.Receive)
		if i == 0 || rate < min(least.Transmit, least.Receive) {
			differ = differ || i > 0
			least = l
		} else if rate > min(least.Transmit, least.Receive) {
			differ = true
		}
	}
	return least, differ
}

// use is how busy a link was.
type use struct {
	host, by string
	used     float64 // of its rate, headers included
}

// busiestLink compares what each link carried with its rate, at each line's largest size.
func busiestLink(info bench.RunInfo, all []panel) (busiest use, ok bool) {
	rate := map[string]bench.LinkInfo{}
	for _, l := range info.Links {
		rate[l.Host] = l
	}
	for _, p := range all {
		for _, l := range p.Lines {
			at := l.largest()
			carried := map[string]bench.LinkBytes{}
			for _, r := range info.Ranks {
				if r.Rank >= 0 && r.Rank < len(at.Result.Counted) {
					c := carried[r.Host]
					carried[r.Host] = bench.LinkBytes{Sent: c.Sent + at.Result.Counted[r.Rank].Sent, Received: c.Received + at.Result.Counted[r.Rank].Received}
				}
			}
			for _, link := range info.Links {
				c, known := carried[link.Host]
				if !known {
					continue
				}
				for _, u := range []float64{c.Sent / link.Transmit, c.Received / link.Receive} {
					if used := u / at.Row.Seconds.Median; used > busiest.used && !math.IsInf(used, 0) {
						busiest, ok = use{link.Host, l.Label, used}, true
					}
				}
			}
		}
	}
	return busiest, ok
}

// slow is the rank whose iterations take longest.
type slow struct {
	name  string
	above float64 // fraction above the middle rank
}

// slowestRank averages each rank's median relative to the middle rank over all cases of collectives in which all
// ranks have the same part: the last rank of a broadcast is not slow because it ends last.
func slowestRank(info bench.RunInfo, all []panel) (s slow, ok bool) {
	var sums []float64
	columns := 0
	for _, p := range all {
		if p.Lines[0].Points[0].Case.What.Collective.Rooted() {
			continue
		}
		for _, l := range p.Lines {
			for _, at := range l.Points {
				c, known := newHeatColumn("", at.Result)
				if !known || len(c.median) < 2 || sums != nil && len(sums) != len(c.median) {
					continue
				}
				if sums == nil {
					sums = make([]float64, len(c.median))
				}
				columns++
				for r, v := range c.median {
					sums[r] += v/c.middle - 1
				}
			}
		}
	}
	if columns == 0 {
		return s, false
	}
	worst := 0
	for r, v := range sums {
		if v > sums[worst] {
			worst = r
		}
	}
	return slow{rankNames(info, len(sums))[worst], sums[worst] / float64(columns)}, true
}
