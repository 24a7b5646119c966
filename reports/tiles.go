package reports

import (
	"fmt"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
)

// tile is one key figure.
type tile struct{ Label, Value, Note string }

// tiles are the key figures; one that is not known is left out.
func tiles(info bench.RunInfo, rows []summary.Row, all []panel) (list []tile) {
	var best, quick *point
	var bestLabel, quickLabel string
	var ratio float64
	var ratioLabel, ratioNote string
	for _, p := range all {
		for _, l := range p.Lines {
			for i := range l.Points {
				at := &l.Points[i]
				if best == nil || *at.Row.BusBW > *best.Row.BusBW {
					best, bestLabel = at, p.Collective+" "+l.Label
				}
				if quick == nil || at.Row.Seconds.Median < quick.Row.Seconds.Median {
					quick, quickLabel = at, p.Collective+" "+l.Label
				}
			}
			last := l.largest()
			if ring := p.ring(l); ring != nil && ring.Label != l.Label && ring.at(last.Case.What.Bytes) != nil {
				if t := ring.at(last.Case.What.Bytes).Row.Seconds.Median / last.Row.Seconds.Median; t > ratio {
					ratio, ratioLabel, ratioNote = t, l.Label, unit.Bytes(last.Case.What.Bytes)
				}
			}
		}
	}
	if best != nil {
		list = append(list, tile{"Peak bus bandwidth", unit.Bandwidth(*best.Row.BusBW), bestLabel + " at " + unit.Bytes(best.Case.What.Bytes) + interval(*best)})
		note := quickLabel + " at " + unit.Bytes(quick.Case.What.Bytes)
		if quick.Row.Seconds.P99 != nil {
			note += ", p99 " + unit.Seconds(*quick.Row.Seconds.P99)
		}
		list = append(list, tile{"Shortest time", unit.Seconds(quick.Row.Seconds.Median), note})
	}
	if ratio > 0 {
		list = append(list, tile{"Best over ring", times(ratio), ratioLabel + " at " + ratioNote})
	}
	if worst, name, ok := worstModel(all); ok {
		list = append(list, tile{"Distance from model", signed(worst), name + ", largest size"})
	}
	if u, ok := busiestLink(info, all); ok {
		list = append(list, tile{"Busiest link", fmt.Sprintf("%.0f %%", 100*u.used), oneLine(u.host) + " of its rate, by " + u.by})
	}
	if s, ok := slowestRank(info, all); ok {
		list = append(list, tile{"Slowest rank", s.name, signed(s.above) + " against the middle rank"})
	}
	verified, wrong := 0, int64(0)
	for _, r := range rows {
		if r.Wrong != nil {
			verified++
			wrong += *r.Wrong
		}
	}
	if verified > 0 {
		list = append(list, tile{"Wrong elements", fmt.Sprint(wrong), "in " + plural(verified, "verified result", "verified results")})
	}
	return list
}

func interval(p point) string {
	if p.High == 0 {
		return ""
	}
	m := p.Row.Seconds.Median
	return fmt.Sprintf(", ±%s", percent(max(p.High-m, m-p.Low)/m))
}
