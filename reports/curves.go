package reports

import (
	"fmt"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"collbench/bench/unit"
)

// rateOf is a quantity in bytes per second, which goes down when the time goes up. get is its value in the row.
func rateOf(name string, get func(point) *float64, model func(point) (float64, bool)) quantity {
	return quantity{name: name, formatter: "rate", units: []scaleUnit{{"TB/s", 1e12}, {"GB/s", 1e9}, {"MB/s", 1e6}, {"kB/s", 1e3}, {"B/s", 1}}, text: unit.Bandwidth, model: model, of: func(p point) (value, bool) {
		v := get(p)
		if v == nil {
			return value{}, false
		}
		out := value{mid: *v}
		if p.High > 0 {
			median := p.Row.Seconds.Median
			out.low, out.high = *v*median/p.High, *v*median/p.Low
		}
		return out, true
	}}
}

var (
	busBandwidth = rateOf("bus bandwidth", func(p point) *float64 { return p.Row.BusBW }, func(p point) (float64, bool) {
		if p.Row.Model == nil {
			return 0, false
		}
		return p.Row.Model.BusBW, true
	})
	wireBandwidth = rateOf("wire bandwidth", func(p point) *float64 { return p.Row.WireBW }, func(p point) (float64, bool) {
		if p.Row.Model == nil || p.Row.WireBW == nil || p.Row.Model.Seconds <= 0 {
			return 0, false
		}
		return *p.Row.WireBW * p.Row.Seconds.Median / p.Row.Model.Seconds, true
	})
	latency = quantity{name: "time", formatter: "time", units: []scaleUnit{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}, {"ns", 1e-9}}, text: unit.Seconds,
		of: func(p point) (value, bool) { return value{p.Row.Seconds.Median, p.Low, p.High}, true },
		model: func(p point) (float64, bool) {
			if p.Row.Model == nil {
				return 0, false
			}
			return p.Row.Model.Seconds, true
		}}
)

// speedUp is time of ring ÷ time of the line's algorithm at the same size; its interval divides the ends.
func speedUp(ring *line) quantity {
	return quantity{name: "speed-up over ring", formatter: "times", units: []scaleUnit{{"×", 1}}, text: times,
		of: func(p point) (value, bool) {
			r := ring.at(p.Case.What.Bytes)
			if r == nil {
				return value{}, false
			}
			v := value{mid: r.Row.Seconds.Median / p.Row.Seconds.Median}
			if r.High > 0 && p.High > 0 {
				v.low, v.high = r.Low/p.High, r.High/p.Low
			}
			return v, true
		},
		model: func(p point) (float64, bool) {
			r := ring.at(p.Case.What.Bytes)
			if r == nil || r.Row.Model == nil || p.Row.Model == nil || p.Row.Model.Seconds <= 0 {
				return 0, false
			}
			return r.Row.Model.Seconds / p.Row.Model.Seconds, true
		}}
}

func times(v float64) string { return fmt.Sprintf("%.2f×", v) }

// tip is what the tooltip says of a point.
func tip(q quantity, p point, v value) string {
	text := q.text(v.mid)
	if v.high > 0 {
		text += fmt.Sprintf(" [%s … %s]", q.text(v.low), q.text(v.high))
	}
	if m, ok := q.model(p); ok {
		text += fmt.Sprintf(", model %s (%s)", q.text(m), signed(v.mid/m-1))
	}
	if p.Row.Observed != "" && p.Row.Observed != p.Row.Algorithm {
		text += ", ran " + p.Row.Observed
	}
	return text
}

// draw makes the figure of a quantity: curves over the size, or bars where there is one size only.
func (f figure) draw(p panel, lines []line, q quantity, limits []limit) (figure, error) {
	if len(p.Sizes) == 1 {
		return f.bars(p, lines, q, limits)
	}
	return f.curves(p, lines, q, limits)
}

// curves draws a quantity against the size, both logarithmic: the measured line, the band of its intervals, the
// model dashed. The three have one name, so that the legend hides and shows them together.
func (f figure) curves(p panel, lines []line, q quantity, limits []limit) (figure, error) {
	c := charts.NewLine()
	c.SetGlobalOptions(globals(f.ID, true)...)
	axis, scale := logAxis(q, extent(lines, q, limits))
	var names []string
	var tips [][]string
	var extra []any
	for _, l := range lines {
		d := q.data(l, scale)
		names = append(names, l.Label)
		tips = append(tips, d.tips)
		c.AddSeries(l.Label, d.points,
			charts.WithLineChartOpts(opts.LineChart{SymbolSize: 6, Symbol: symbol(l.Colour), ShowSymbol: opts.Bool(true)}),
			charts.WithLineStyleOpts(opts.LineStyle{Width: 2, Color: colour(l.Colour)}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: colour(l.Colour)}))
		if d.band != nil {
			extra = append(extra, object{"type": "custom", "name": l.Label, "renderItem": "fn:band", "data": d.band, "silent": true, "clip": true,
				"encode": object{"x": []int{0, 3}, "y": []int{1, 2, 4, 5}}, "tooltip": object{"show": false},
				"itemStyle": object{"color": colour(l.Colour), "opacity": 0.2}, "z": 1})
		}
		if d.model != nil {
			extra = append(extra, object{"type": "line", "name": l.Label, "data": d.model, "symbol": "none", "silent": true,
				"tooltip": object{"show": false}, "lineStyle": object{"type": "dashed", "width": 1.5, "color": colour(l.Colour), "opacity": 0.85},
				"itemStyle": object{"color": colour(l.Colour)}})
		}
	}
	return f.finish(c, func(o object) {
		o["xAxis"] = sizeAxis(p.Sizes)
		o["yAxis"] = axis
		o["legend"].(object)["data"] = names
		o["group"] = "sizes"
		series := o["series"].([]any)
		for i, s := range series {
			addTips(s.(object), tips[i])
		}
		series = append(series, extra...)
		if limits != nil {
			scaled := slices.Clone(limits)
			for i := range scaled {
				scaled[i].value *= scale
			}
			series = append(series, hidden("line", scaled, false))
		}
		o["series"] = series
		o["tooltip"].(object)["formatter"] = "fn:sizeTip"
		tools(o, f.ID)
	})
}

// extent lists every value that the axis has to hold.
func extent(lines []line, q quantity, limits []limit) (all []float64) {
	for _, l := range lines {
		for _, at := range l.Points {
			if v, ok := q.of(at); ok {
				all = append(all, v.mid)
				if v.high > 0 {
					all = append(all, v.low, v.high)
				}
				if m, ok := q.model(at); ok {
					all = append(all, m)
				}
			}
		}
	}
	for _, l := range limits {
		all = append(all, l.value)
	}
	return all
}

// curve is the data of one line: its points, what the tooltip says of each, the model, and the band in pieces from
// point to point: size, low, high, next size, its low and high.
type curve struct {
	points      []opts.LineData
	tips        []string
	band, model []any
}

func (q quantity) data(l line, scale float64) (c curve) {
	var last []any
	for _, at := range l.Points {
		v, ok := q.of(at)
		if !ok {
			last = nil
			continue
		}
		size := at.Case.What.Bytes
		c.points = append(c.points, opts.LineData{Value: []any{size, v.mid * scale}})
		c.tips = append(c.tips, tip(q, at, v))
		if m, ok := q.model(at); ok {
			c.model = append(c.model, []any{size, m * scale})
		}
		if v.high == 0 {
			last = nil
			continue
		}
		next := []any{size, v.low * scale, v.high * scale}
		if last != nil {
			c.band = append(c.band, append(slices.Clone(last), next...))
		}
		last = next
	}
	return c
}

// addTips gives each data item of a series its tooltip.
func addTips(series object, tips []string) {
	data, _ := series["data"].([]any)
	for i, d := range data {
		d.(object)["tip"] = tips[i]
	}
}

// bars draws a quantity at one size: a bar for each line, its interval as a whisker, the model as a diamond.
func (f figure) bars(p panel, lines []line, q quantity, limits []limit) (figure, error) {
	c := charts.NewBar()
	c.SetGlobalOptions(globals(f.ID, true)...)
	var names, tips []string
	var bars []opts.BarData
	var whiskers, model []any
	highest := 0.0
	for _, l := range lines {
		at := l.Points[0]
		v, ok := q.of(at)
		if !ok {
			continue
		}
		i := len(names)
		names = append(names, l.Label)
		tips = append(tips, tip(q, at, v))
		bars = append(bars, opts.BarData{Value: v.mid, ItemStyle: &opts.ItemStyle{Color: colour(l.Colour)}})
		if v.high > 0 {
			whiskers = append(whiskers, []any{v.low, v.high, i})
		}
		if m, ok := q.model(at); ok {
			model = append(model, []any{m, i})
			highest = max(highest, m)
		}
		highest = max(highest, v.mid, v.high)
	}
	for _, l := range limits {
		highest = max(highest, l.value)
	}
	c.SetXAxis(names)
	c.AddSeries("measured", bars)
	return f.finish(c, func(o object) {
		o["yAxis"] = object{"type": "category", "data": names, "inverse": true, "axisTick": object{"show": false}}
		o["xAxis"] = object{"type": "value", "min": 0, "max": niceAbove(highest), "axisLabel": object{"formatter": "fn:" + q.formatter, "hideOverlap": true}}
		series := o["series"].([]any)
		bar := series[0].(object)
		bar["barMaxWidth"] = 34
		for i, d := range bar["data"].([]any) {
			d.(object)["tip"] = tips[i]
			d.(object)["label"] = object{"show": true, "position": "insideLeft", "formatter": q.text(bars[i].Value.(float64)), "color": "css:--onbar", "fontWeight": 600}
		}
		legend := []any{}
		if whiskers != nil {
			series = append(series, object{"type": "custom", "name": "95 % interval", "renderItem": "fn:whisker", "data": whiskers, "silent": true,
				"encode": object{"x": []int{0, 1}, "y": 2}, "tooltip": object{"show": false}, "itemStyle": object{"color": "css:--fg"}, "z": 5})
			legend = append(legend, object{"name": "95 % interval", "icon": "path://M0,0h2v4h8v-4h2v12h-2v-4h-8v4h-2z"})
		}
		if model != nil {
			series = append(series, object{"type": "scatter", "name": "model", "data": model, "symbol": "diamond", "symbolSize": 15, "silent": true,
				"tooltip": object{"show": false}, "itemStyle": object{"color": "css:--bg", "borderColor": "css:--fg", "borderWidth": 2}, "z": 6})
			legend = append(legend, object{"name": "model", "icon": "diamond"})
		}
		if limits != nil {
			series = append(series, hidden("scatter", limits, true))
		}
		o["series"] = series
		o["legend"].(object)["data"] = legend
		o["tooltip"].(object)["formatter"] = "fn:barTip"
		o["tooltip"].(object)["axisPointer"] = object{"type": "shadow"}
		o["grid"].(object)["bottom"] = 8
		tools(o, f.ID)
	})
}

// tools adds the button that saves the picture.
func tools(o object, name string) {
	o["toolbox"] = object{"right": 4, "top": 2, "itemSize": 13, "feature": object{"saveAsImage": object{"title": "save", "name": name}}}
}
