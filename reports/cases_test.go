package reports

import (
	"testing"

	"collbench/bench"
	"collbench/bench/summary"
)

func TestPanels(t *testing.T) {
	var r run
	r.info, r.results, r.rows = lab(1<<20, 2<<20).build(t)
	for launch := 1; launch < 3; launch++ {
		_, more, _ := lab(1<<20, 2<<20).build(t)
		for _, m := range more {
			m.Launch = launch
			for rank := range m.Seconds {
				for i := range m.Seconds[rank] {
					m.Seconds[rank][i] *= 1 + 0.1*float64(launch)
				}
			}
			r.results = append(r.results, m)
		}
	}
	r.results[2].Status = bench.Wrong // sharp of the first launch
	r.rows = nil
	for _, result := range r.results {
		r.rows = append(r.rows, summary.Of(r.info, result))
	}
	all := panels(r.results, r.rows)
	if len(all) != 1 || len(all[0].Lines) != 3 || len(all[0].Sizes) != 2 {
		t.Fatalf("%+v", all)
	}
	ring := all[0].Lines[0]
	if ring.Label != "ring" || len(ring.Points) != 2 || ring.Points[0].Case.What.Bytes != 1<<20 {
		t.Fatalf("the first line is %q with %d points", ring.Label, len(ring.Points))
	}
	p := ring.Points[0]
	if p.Launches != 3 || p.Row.Launch != 1 {
		t.Errorf("launch %d of %d stands for all, want the middle one", p.Row.Launch, p.Launches)
	}
	if low, high := p.Low/p.Row.Seconds.Median, p.High/p.Row.Seconds.Median; low > 0.92 || high < 1.08 {
		t.Errorf("the interval spans %g … %g of the middle, want all launches", low, high)
	}
	if sharp := all[0].Lines[2]; sharp.Label != "sharp" || sharp.Points[0].Launches != 2 {
		t.Errorf("a wrong result is drawn: %q, %d launches", sharp.Label, sharp.Points[0].Launches)
	}
}

func TestLabelsSayWhatDiffers(t *testing.T) {
	var r run
	r.info, r.results, _ = lab(1<<20, 2<<20).build(t)
	for i := range r.results {
		r.results[i].Case.What.Algorithm = "ring"
		r.results[i].Case.What.InPlace = i%3 == 1
		if i%3 == 2 {
			r.results[i].Case.What.Algorithm, r.results[i].Evidence.Observed = bench.Auto, "sharp"
		} else {
			r.results[i].Evidence.Observed = "ring"
		}
		r.rows = append(r.rows, summary.Of(r.info, r.results[i]))
	}
	var labels []string
	for _, l := range panels(r.results, r.rows)[0].Lines {
		labels = append(labels, l.Label)
	}
	want := []string{"ring, out of place", "ring, in place", "auto → sharp, out of place"}
	if len(labels) != 3 || labels[0] != want[0] || labels[1] != want[1] || labels[2] != want[2] {
		t.Errorf("%q, want %q", labels, want)
	}
}

func TestNarrowest(t *testing.T) {
	link := func(host string, rate float64) bench.LinkInfo {
		return bench.LinkInfo{Host: host, Transmit: rate, Receive: rate}
	}
	for _, c := range []struct {
		links  []bench.LinkInfo
		host   string
		differ bool
	}{
		{nil, "", false},
		{[]bench.LinkInfo{link("a", 1), link("b", 1)}, "a", false},
		{[]bench.LinkInfo{link("a", 1), link("b", 2)}, "a", true},
		{[]bench.LinkInfo{link("a", 2), link("b", 1), link("c", 2)}, "b", true},
	} {
		if got, differ := narrowest(c.links); got.Host != c.host || differ != c.differ {
			t.Errorf("%v: %q %v, want %q %v", c.links, got.Host, differ, c.host, c.differ)
		}
	}
}
