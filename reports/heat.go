package reports

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/unit"
)

// heatCells bounds a heat map: ECharts draws up to about 128 × 128 cells in a fraction of a second.
const heatCells = 128 * 128

// heatColumn is one column of a heat map: a case's medians by rank.
type heatColumn struct {
	label  string
	median []float64 // seconds by rank
	middle float64   // of the medians
}

func newHeatColumn(label string, r bench.Result) (heatColumn, bool) {
	c := heatColumn{label: label}
	for _, samples := range r.Seconds {
		if len(samples) == 0 {
			return c, false
		}
		c.median = append(c.median, stat.Median(samples))
	}
	if len(c.median) == 0 {
		return c, false
	}
	c.middle = stat.Median(c.median)
	return c, c.middle > 0
}

// heatFigures draws each rank's own time relative to the middle rank's: a map of rank × size for each line, or one
// of rank × algorithm where there is one size. The colours of all maps mean the same.
func heatFigures(prefix string, p panel, info bench.RunInfo) ([]figure, error) {
	type chartOf struct {
		title   string
		columns []heatColumn
	}
	var all []chartOf
	for _, l := range p.Lines {
		var columns []heatColumn
		for _, at := range l.Points {
			name := unit.Bytes(at.Case.What.Bytes)
			if len(p.Sizes) == 1 {
				name = l.Label
			}
			if c, ok := newHeatColumn(name, at.Result); ok {
				columns = append(columns, c)
			}
		}
		if columns != nil {
			all = append(all, chartOf{l.Label, columns})
		}
	}
	if len(p.Sizes) == 1 && len(all) > 0 {
		joined := chartOf{title: unit.Bytes(p.Sizes[0])}
		for _, c := range all {
			joined.columns = append(joined.columns, c.columns...)
		}
		all = []chartOf{joined}
	}
	widest := 0.02 // colours span at least ±2 %, so that noise stays pale
	for _, m := range all {
		for _, c := range m.columns {
			for _, v := range c.median {
				widest = max(widest, math.Abs(v/c.middle-1))
			}
		}
	}
	widest = min(widest, 1)
	var figures []figure
	for i, m := range all {
		ranks := len(m.columns[0].median)
		if ranks < 2 || ranks*len(m.columns) > heatCells {
			continue
		}
		class := "c6"
		if len(all) == 1 {
			class = "c12"
		}
		f := figure{ID: fmt.Sprintf("%sheat%d", prefix, i), Class: class, Title: "Each rank's own time: " + m.title, Height: 110 + min(20*ranks, 640),
			Note: "Median of the rank's own iteration times, relative to the middle rank. Blue finished earlier, red later.",
			Alt:  "Heat map of each rank's median time, relative to the middle rank, for " + m.title}
		f, err := heatMap(f, m.columns, rankNames(info, ranks), widest)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

func rankNames(info bench.RunInfo, ranks int) []string {
	names := make([]string, ranks)
	for i := range names {
		names[i] = fmt.Sprint(i)
		if at := slices.IndexFunc(info.Ranks, func(r bench.RankInfo) bool { return r.Rank == i }); at >= 0 && info.Ranks[at].Host != "" {
			names[i] += " · " + oneLine(info.Ranks[at].Host)
		}
	}
	return names
}

func heatMap(f figure, columns []heatColumn, ranks []string, widest float64) (figure, error) {
	var cells []opts.HeatMapData
	var tips []string
	names := make([]string, len(columns))
	for x, c := range columns {
		names[x] = c.label
		for y, v := range c.median {
			off := math.Round(1e5*(v/c.middle-1)) / 1e3
			cells = append(cells, opts.HeatMapData{Value: [3]any{x, y, off}})
			tips = append(tips, fmt.Sprintf("rank %s: %s, %s against the middle rank", ranks[y], unit.Seconds(v), signed(v/c.middle-1)))
		}
	}
	c := charts.NewHeatMap()
	c.SetGlobalOptions(globals(f.ID, false)...)
	c.AddSeries("rank", cells)
	return f.finish(c, func(o object) {
		o["xAxis"] = object{"type": "category", "data": names, "axisTick": object{"show": false}, "splitLine": object{"show": false}, "axisLabel": object{"hideOverlap": true}}
		o["yAxis"] = object{"type": "category", "data": ranks, "inverse": true, "axisTick": object{"show": false}, "splitLine": object{"show": false}, "axisLabel": object{"hideOverlap": true}}
		s := o["series"].([]any)[0].(object)
		addTips(s, tips)
		s["progressive"] = 0
		s["itemStyle"] = object{"borderColor": "css:--bg", "borderWidth": 1}
		if len(columns) <= 12 {
			s["label"] = object{"show": true, "formatter": "fn:cell", "color": "css:--fg", "fontSize": 11}
		}
		end := math.Ceil(1000*widest) / 10
		o["visualMap"] = object{"min": -end, "max": end, "dimension": 2, "calculable": false, "orient": "horizontal", "right": 8, "top": 4, "itemHeight": 120, "itemWidth": 10,
			"text": []string{fmt.Sprintf("+%.3g %%", end), fmt.Sprintf("−%.3g %%", end)}, "inRange": object{"color": []string{"css:--early", "css:--even", "css:--late"}}}
		o["tooltip"] = object{"show": true, "trigger": "item", "formatter": "fn:itemTip"}
		o["grid"].(object)["bottom"] = 8
	})
}
