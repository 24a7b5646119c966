package reports

import (
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"collbench/bench/summary"
	"collbench/bench/unit"
)

// tally is one line of the charts of operations and of bytes: what the program says and what was counted.
type tally struct {
	label                 string
	colour                int
	slice                 float64 // bytes of S/N
	sends, receives       float64 // slices, by the program
	sent, received        float64 // bytes over the rank's link, by the program
	countedIn, countedOut float64 // bytes, by the link
	counted               bool
}

// tallies takes each line at its largest size.
func tallies(p panel, across func(point) (summary.LinkTraffic, bool)) (list []tally) {
	for _, l := range p.Lines {
		at := l.largest()
		if at.Row.Operations == nil || at.Row.AlgBW == nil {
			continue
		}
		o := at.Row.Operations
		t := tally{label: l.Label, colour: l.Colour, sends: o.Sends, receives: o.Receives,
			sent: float64(o.BytesSent), received: float64(o.BytesReceived),
			slice: *at.Row.AlgBW * at.Row.Seconds.Median / float64(at.Row.Ranks)}
		if link, ok := across(at); ok {
			t.sent, t.received = link.Sent, link.Received
		}
		if c := at.Row.Counted; c != nil {
			t.counted, t.countedOut, t.countedIn = true, c.BytesSent, c.BytesReceived
		}
		list = append(list, t)
	}
	return list
}

// operationsFigure shows sends + receives a rank in slices of S/N, with the lines of the literature for all-reduce.
func operationsFigure(f figure, p panel, list []tally) (figure, error) {
	n := p.Lines[0].Points[0].Case.Where.Ranks
	names := make([]string, len(list))
	sends, receives, counted := make([]opts.BarData, len(list)), make([]opts.BarData, len(list)), make([]opts.BarData, len(list))
	highest, anyCounted := 0.0, false
	tips := make([]string, len(list))
	for i, t := range list {
		names[i] = t.label
		sends[i] = opts.BarData{Value: t.sends}
		receives[i] = opts.BarData{Value: t.receives}
		tips[i] = fmt.Sprintf("program %s sends + %s receives = %s", number(t.sends), number(t.receives), number(t.sends+t.receives))
		highest = max(highest, t.sends+t.receives)
		// Where ranks share a link, what it carried says nothing of the operations inside the host.
		if t.counted && t.sent == float64(int64(t.sent)) && closeTo(t.sent, t.sends*t.slice, 0.02) {
			v := (t.countedIn + t.countedOut) / t.slice
			counted[i] = opts.BarData{Value: math.Round(v*100) / 100}
			tips[i] += fmt.Sprintf("; counted on the link, with headers: %.2f", v)
			highest, anyCounted = max(highest, v), true
		} else {
			counted[i] = opts.BarData{Value: "-"}
		}
	}
	var limits []limit
	if p.Collective == "all_reduce" && n > 1 && p.sameRanks() {
		limits = []limit{{fmt.Sprintf("4N = %d (slide)", 4*n), float64(4 * n)}, {fmt.Sprintf("4(N−1) = %d (ring)", 4*(n-1)), float64(4 * (n - 1))},
			{fmt.Sprintf("2N+2 = %d (NVLS)", 2*n+2), float64(2*n + 2)}}
		highest = max(highest, float64(4*n))
	}
	c := charts.NewBar()
	c.SetGlobalOptions(globals(f.ID, true)...)
	c.SetXAxis(names).AddSeries("sends, by the program", sends).AddSeries("receives, by the program", receives)
	if anyCounted {
		c.AddSeries("counted on the link", counted)
	}
	return f.finish(c, func(o object) {
		o["xAxis"] = object{"type": "category", "data": names, "axisTick": object{"show": false}, "axisLabel": object{"interval": 0, "hideOverlap": false, "width": labelWidth(f, len(list)), "overflow": "break"}}
		o["yAxis"] = object{"type": "value", "min": 0, "max": niceAbove(highest)}
		o["grid"].(object)["top"] = 58 // the legend may need two lines
		series := o["series"].([]any)
		for i, colour := range []string{"css:--program", "css:--program2", "css:--counted"}[:len(series)] {
			s := series[i].(object)
			s["itemStyle"] = object{"color": colour}
			s["barMaxWidth"] = 40
			if i < 2 {
				s["stack"] = "program"
			}
		}
		label := func(s object, color string) {
			s["label"] = object{"show": true, "position": "inside", "color": color, "fontWeight": 600, "formatter": "fn:short"}
		}
		label(series[0].(object), "#fff")
		label(series[1].(object), "#fff")
		if anyCounted {
			series[2].(object)["label"] = object{"show": true, "position": "top", "color": "css:--fg", "formatter": "fn:short"}
		}
		addTips(series[0].(object), tips)
		o["legend"].(object)["data"] = seriesNames(series)
		if limits != nil {
			lines := hidden("line", limits, false)
			lines["markLine"].(object)["label"].(object)["position"] = "end"
			series = append(series, lines)
			o["grid"].(object)["right"] = 118 // for the labels
		}
		o["series"] = series
		o["tooltip"].(object)["formatter"] = "fn:barTip"
		o["tooltip"].(object)["axisPointer"] = object{"type": "shadow"}
		o["grid"].(object)["bottom"] = 8
		tools(o, f.ID)
	})
}

// bytesFigure shows the bytes over one rank's link: by the program and counted by the kernel.
func bytesFigure(f figure, list []tally) (figure, error) {
	var names []string
	var program, counted []opts.BarData
	var tips []string
	highest := 0.0
	for _, t := range list {
		for _, d := range []struct {
			name           string
			program, count float64
		}{{"sent", t.sent, t.countedOut}, {"received", t.received, t.countedIn}} {
			names = append(names, t.label+"\n"+d.name)
			program = append(program, opts.BarData{Value: d.program})
			highest = max(highest, d.program, d.count)
			text := "program " + unit.BytesAbout(d.program)
			if t.counted {
				counted = append(counted, opts.BarData{Value: math.Round(d.count)})
				text += ", counted " + unit.BytesAbout(d.count)
				if d.program > 0 {
					text += " (" + signed(d.count/d.program-1) + ")"
				}
			} else {
				counted = append(counted, opts.BarData{Value: "-"})
			}
			tips = append(tips, text)
		}
	}
	step := byteStep(highest)
	c := charts.NewBar()
	c.SetGlobalOptions(globals(f.ID, true)...)
	c.SetXAxis(names).AddSeries("by the program", program).AddSeries("counted on the link", counted)
	return f.finish(c, func(o object) {
		o["xAxis"] = object{"type": "category", "data": names, "axisTick": object{"show": false}, "axisLabel": object{"interval": 0, "lineHeight": 15, "width": labelWidth(f, 2*len(list)), "overflow": "break"}}
		o["yAxis"] = object{"type": "value", "min": 0, "max": math.Ceil(highest*1.05/step) * step, "interval": step, "axisLabel": object{"formatter": "fn:bytes"}}
		series := o["series"].([]any)
		for i, colour := range []string{"css:--program", "css:--counted"} {
			s := series[i].(object)
			s["itemStyle"] = object{"color": colour}
			s["barMaxWidth"] = 34
		}
		addTips(series[0].(object), tips)
		o["legend"].(object)["data"] = seriesNames(series)
		o["tooltip"].(object)["formatter"] = "fn:barTip"
		o["tooltip"].(object)["axisPointer"] = object{"type": "shadow"}
		o["grid"].(object)["bottom"] = 8
		tools(o, f.ID)
	})
}

// byteStep is a power of two such that an axis up to v has four to eight steps.
func byteStep(v float64) float64 { return math.Exp2(math.Floor(math.Log2(max(1, v) / 4))) }

// labelWidth is the room for a label of n on the category axis, in CSS pixels.
func labelWidth(f figure, n int) int {
	if f.Class == "c12" {
		return 1050 / n
	}
	return 430 / n
}

func closeTo(a, b, fraction float64) bool { return math.Abs(a-b) <= fraction*math.Abs(b) }

// number writes a count that may be a fraction.
func number(v float64) string { return fmt.Sprintf("%.4g", v) }

func seriesNames(series []any) (names []any) {
	for _, s := range series {
		names = append(names, s.(object)["name"])
	}
	return names
}
