package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// object is a JSON object of an ECharts option.
type object = map[string]any

// figure is one chart of the page.
type figure struct {
	ID, Class   string // Class is its width in the page's grid
	Title, Note string
	Alt         string // what a screen reader says
	Height      int    // CSS pixels; 0 where Picture is set
	Option      template.JS
	Picture     template.HTML // drawn by us instead of ECharts
	Matrix      bool          // Option is one for assets/matrix.js
}

// chart is what the charts of go-echarts have in common.
type chart interface {
	Validate()
	JSON() map[string]any
}

// finish turns a chart into the figure's option: go-echarts' own output, changed by adjust, as JSON in which
// nothing can end the script element that holds it (encoding/json escapes <, > and &). Texts that begin with "css:"
// become colours and those with "fn:" become functions of assets/boot.js; no code stands in the data.
func (f figure) finish(c chart, adjust func(option object)) (figure, error) {
	c.Validate()
	raw, err := json.Marshal(c.JSON())
	if err != nil {
		return f, fmt.Errorf("chart %s: %w", f.ID, err)
	}
	var option object
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // sizes stay as they were written
	if err := decoder.Decode(&option); err != nil {
		return f, fmt.Errorf("chart %s: %w", f.ID, err)
	}
	delete(option, "title")
	delete(option, "color")
	option["aria"] = object{"enabled": true, "label": object{"description": f.Alt}}
	option["grid"] = object{"left": 8, "right": 24, "top": 44, "bottom": 34, "containLabel": true}
	if adjust != nil {
		adjust(option)
	}
	if raw, err = json.Marshal(option); err != nil {
		return f, fmt.Errorf("chart %s: %w", f.ID, err)
	}
	f.Option = template.JS(raw)
	return f, nil
}

// globals are the settings that all charts begin with. The ID is a JavaScript identifier, or go-echarts would draw
// a random one.
func globals(id string, legend bool) []charts.GlobalOpts {
	return []charts.GlobalOpts{
		charts.WithInitializationOpts(opts.Initialization{ChartID: id}),
		charts.WithAnimation(false),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(legend), Top: "6", Left: "0"}),
	}
}

// colour names the colours of the series, which the page's style sheet defines for light and dark.
func colour(i int) string { return fmt.Sprintf("css:--s%d", i%8) }

// symbol tells series apart without colour.
func symbol(i int) string {
	return []string{"circle", "rect", "triangle", "diamond", "roundRect", "pin", "arrow", "emptyCircle"}[i%8]
}

// logAxis is a logarithmic axis around the values, with bounds at powers of the base, since ECharts sets ticks
// there alone. Values that span more than about a decade have base 10 and the formatter's unit at each tick. Others
// have base 2 and are drawn in one unit, the largest that some value reaches, so that ticks are 1, 2, 4 MB/s: scale
// is what the values have to be multiplied by.
func logAxis(q quantity, values []float64) (axis object, scale float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	axis = object{"type": "log", "axisLabel": object{"formatter": "fn:" + q.formatter, "hideOverlap": true},
		"minorSplitLine": object{"show": false}}
	if math.IsInf(low, 0) {
		return axis, 1
	}
	base, scale := 10.0, 1.0
	if high/low < 30 {
		base = 2
		for _, u := range q.units {
			if high >= u.size {
				scale = 1 / u.size
				axis["axisLabel"] = object{"formatter": "{value} " + u.name, "hideOverlap": true}
				break
			}
		}
	}
	power := func(v float64, round func(float64) float64) float64 {
		e := math.Log(v*scale) / math.Log(base)
		if math.Abs(e-math.Round(e)) < 1e-9 {
			e = math.Round(e)
		}
		return math.Pow(base, round(e))
	}
	axis["logBase"], axis["min"], axis["max"] = base, power(low, math.Floor), power(high, math.Ceil)
	if axis["min"] == axis["max"] {
		axis["min"] = power(low, math.Floor) / base
	}
	return axis, scale
}

// sizeAxis is the axis of message sizes: powers of 2, from just below the least to just above the largest. ECharts
// sets a tick at each power of the base up to about nine powers, so a wider axis has base 4, 8, ….
func sizeAxis(sizes []int64) object {
	low, high := sizes[0], sizes[0]
	for _, s := range sizes {
		low, high = min(low, s), max(high, s)
	}
	from, to := math.Floor(math.Log2(float64(low))), math.Ceil(math.Log2(float64(high)))
	base := math.Exp2(math.Ceil((to - from) / 9))
	return object{"type": "log", "logBase": base, "name": "size of the buffer", "nameLocation": "middle", "nameGap": 26,
		"min": math.Exp2(from), "max": math.Exp2(to),
		"axisLabel": object{"formatter": "fn:bytes", "hideOverlap": true}, "splitLine": object{"show": false}}
}

// limit is a horizontal line with a label at its end.
type limit struct {
	label string
	value float64
}

// markLines draws limits into a series.
func markLines(limits []limit, vertical bool) object {
	data := []any{}
	axis, position := "yAxis", "insideEndTop"
	if vertical {
		axis, position = "xAxis", "start"
	}
	for _, l := range limits {
		data = append(data, object{axis: l.value, "name": l.label})
	}
	return object{"silent": true, "symbol": []string{"none", "none"}, "data": data, "animation": false,
		"lineStyle": object{"type": "dotted", "width": 1.5, "color": "css:--limit"},
		"label":     object{"show": true, "formatter": "{b}", "position": position, "rotate": 0, "color": "css:--limit", "fontSize": 11}}
}

// hidden is a series that only carries mark lines.
func hidden(kind string, limits []limit, vertical bool) object {
	return object{"type": kind, "name": "limits", "data": []any{}, "silent": true, "tooltip": object{"show": false}, "z": 0,
		"markLine": markLines(limits, vertical)}
}

// niceAbove is the next of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten above 1.04·v, so that bars end
// short of the edge.
func niceAbove(v float64) float64 {
	if v <= 0 {
		return 1
	}
	v *= 1.04
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
		if f*p >= v {
			return f * p
		}
	}
	return 10 * p
}
