package reports

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// Bounds of a picture: what is larger would not be readable.
const (
	pictureRanks  = 8
	pictureNodes  = 20
	pictureRounds = 34
)

// arrow is what one node sends another in a round.
type arrow struct {
	round, elements int
	from, to        collectives.Node
	reduced         bool // the receiver adds it to what it holds
}

// pictureFigure draws the program of the line's algorithm: nodes side by side, time downwards, an arrow for what a
// node sends another in a round. ok is false where there is no program or its picture would not be readable.
func pictureFigure(id string, l line) (f figure, ok bool) {
	at := l.largest()
	name := at.Row.Observed
	if name == "" {
		name = at.Row.Algorithm
	}
	a, err := algorithms.Find(name)
	if err != nil {
		return f, false
	}
	s, err := at.Case.Shape(a)
	if err != nil {
		return f, false
	}
	if s.Ranks > pictureRanks {
		s.Ranks, s.Root, s.Local = pictureRanks, 0, min(s.Local, pictureRanks)
	}
	s.Chunks = 1
	s = collectives.Canonical(s)
	if a.Supports(s) != nil || a.Nodes(s) > pictureNodes {
		return f, false
	}
	arrows, rounds := arrowsOf(a, s)
	if len(arrows) == 0 || rounds > pictureRounds {
		return f, false
	}
	f = figure{ID: id, Class: "picture", Title: fmt.Sprintf("%s on %s", name, plural(s.Ranks, "rank", "ranks")),
		Note: fmt.Sprintf("%s, time downwards. Orange is reduced on arrival, blue is stored.", plural(rounds, "round", "rounds"))}
	f.Alt = "Picture of the program " + f.Title
	f.Picture = drawArrows(arrows, rounds, a.Nodes(s), s, f.Alt)
	return f, true
}

// pictures draws the program of each algorithm once.
func pictures(prefix string, p panel) (list []figure) {
	drawn := map[string]bool{}
	for i, l := range p.Lines {
		if f, ok := pictureFigure(fmt.Sprintf("%spicture%d", prefix, i), l); ok && !drawn[f.Title] {
			drawn[f.Title] = true
			list = append(list, f)
		}
	}
	width := map[int]string{1: "c6", 2: "c6", 4: "c3"}[len(list)]
	if width == "" {
		width = "c4"
	}
	for i := range list {
		list[i].Class += " " + width
	}
	return list
}

// arrowsOf lists what crosses between nodes, round by round; several messages of a pair in a round are one arrow.
func arrowsOf(a collectives.Algorithm, s collectives.Shape) (arrows []arrow, rounds int) {
	type path struct {
		round    int
		from, to collectives.Node
	}
	reduced := map[path]bool{}
	place := map[path]int{}
	for v := range a.Nodes(s) {
		me := collectives.Node(v)
		for t, moves := range collectives.Steps(a.Program(s, me)) {
			for _, m := range moves {
				switch {
				case m.Peer == me:
				case m.Action == collectives.Accumulate:
					reduced[path{t, m.Peer, me}] = true
				case m.Action == collectives.Send:
					p := path{t, me, m.Peer}
					i, ok := place[p]
					if !ok {
						i = len(arrows)
						place[p] = i
						arrows = append(arrows, arrow{round: t, from: me, to: m.Peer})
					}
					arrows[i].elements += m.Elements()
					rounds = max(rounds, t+1)
				}
			}
		}
	}
	for p, i := range place {
		// What a switch receives first is only stored, but it is the beginning of a sum.
		arrows[i].reduced = reduced[p] || int(p.to) >= s.Ranks && anyInto(reduced, func(q path) bool { return q.to == p.to && q.round == p.round })
	}
	return arrows, rounds
}

func anyInto[K comparable](set map[K]bool, match func(K) bool) bool {
	for k := range set {
		if match(k) {
			return true
		}
	}
	return false
}

// drawArrows is the SVG. It holds numbers and fixed words alone.
func drawArrows(arrows []arrow, rounds, nodes int, s collectives.Shape, alt string) template.HTML {
	const column, left, top = 46.0, 30.0, 30.0
	row := max(15.0, min(60, 330/float64(rounds)))
	x := func(v collectives.Node) float64 {
		gap := 0.0
		if int(v) >= s.Ranks {
			gap = 14
		}
		return left + column*(float64(v)+0.5) + gap
	}
	width := left + column*float64(nodes) + 20
	height := top + row*float64(rounds) + 12
	slice := max(1, float64(s.Size())/float64(s.Ranks))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s" style="max-width:%.0fpx">`, width, height, template.HTMLEscapeString(alt), width*1.15)
	for v := range nodes {
		class, label := "rank", fmt.Sprint(v)
		if v >= s.Ranks {
			class, label = "switch", fmt.Sprintf("S%d", v-s.Ranks)
		}
		at := x(collectives.Node(v))
		fmt.Fprintf(&b, `<line class="life" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, at, top, at, height-8)
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="6" width="30" height="19" rx="5"/><text x="%.1f" y="20">%s</text>`, class, at-15, at, label)
	}
	for t := range rounds {
		y := top + row*float64(t)
		fmt.Fprintf(&b, `<line class="round" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><text class="n" x="12" y="%.1f">%d</text>`, left-6, y, width-8, y, y+row/2+4, t+1)
	}
	for _, a := range arrows {
		class, word := "put", "stored"
		if a.reduced {
			class, word = "add", "reduced"
		}
		slices := float64(a.elements) / slice
		y := top + row*float64(a.round)
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke-width="%.2f" marker-end="url(#%s)"><title>round %d: %s to %s, %s of S/N, %s</title></line>`,
			class, x(a.from), y+1.5, x(a.to), y+row-1.5, min(3.6, 0.9+0.9*math.Sqrt(slices)), class, a.round+1, nodeName(a.from, s), nodeName(a.to, s), number(slices), word)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func nodeName(v collectives.Node, s collectives.Shape) string {
	if int(v) >= s.Ranks {
		return fmt.Sprintf("switch %d", int(v)-s.Ranks)
	}
	return fmt.Sprintf("rank %d", v)
}
