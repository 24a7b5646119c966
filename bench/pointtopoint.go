package bench

import (
	"encoding/json"
	"fmt"
	"strings"

	"collbench/collectives"
)

// PointToPoint is a test of messages between pairs of ranks. Everything that differs between the tests is said here, in values
// that backends, the plan and the reports read.
type PointToPoint struct {
	Name, Summary string
	// Windowed: an iteration is a window of messages under way at once, which the receiver acknowledges unless BothWays. Else it
	// is one message there and one back, and a sample is half of its time: what one message takes.
	Windowed bool
	BothWays bool // both ranks of a pair send at once
	AllPairs bool // ranks r and r + N/2 are pairs, all at once; else there is the one pair that the case names
}

// PointToPoints lists the tests, as the OSU micro-benchmarks have them, in the order in which they are shown.
var PointToPoints = []PointToPoint{
	{Name: "latency", Summary: "half of a message there and back (osu_latency)"},
	{Name: "bandwidth", Summary: "a window of messages, then an acknowledgement (osu_bw)", Windowed: true},
	{Name: "bibandwidth", Summary: "a window of messages in both directions at once (osu_bibw)", Windowed: true, BothWays: true},
	{Name: "multi_bandwidth", Summary: "bandwidth between ranks r and r + N/2, all pairs at once (osu_mbw_mr)", Windowed: true, AllPairs: true},
}

// FindPointToPoint returns the test of that name; the error lists the names there are.
func FindPointToPoint(name string) (PointToPoint, error) {
	var names []string
	for _, p := range PointToPoints {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return PointToPoint{}, fmt.Errorf("unknown operation %q: want one of %s", name, strings.Join(names, ", "))
}

// Pair is two ranks of a point-to-point test. From is the one that sends, or begins, and whose clock counts.
type Pair struct{ From, To int }

// Pairs lists the pairs of a point-to-point test; nil for a collective.
func (c Case) Pairs() (list []Pair) {
	p, err := FindPointToPoint(c.What.Operation)
	switch {
	case err != nil:
	case c.Where.Pairs != "":
		list, _ = ParsePairs(c.Where.Pairs)
	case !p.AllPairs:
		list = []Pair{{c.Where.From, c.Where.To}}
	default:
		for r := range c.Where.Ranks / 2 {
			list = append(list, Pair{r, r + c.Where.Ranks/2})
		}
	}
	return list
}

// Times says whether the rank gives samples: every rank of a collective, and of a point-to-point test the first of each pair.
func (c Case) Times(rank int) bool {
	timed := c.TimedRanks()
	return rank < len(timed) && timed[rank]
}

// TimedRanks says of each rank what Times does.
func (c Case) TimedRanks() []bool {
	timed := make([]bool, c.Where.Ranks)
	for rank := range timed {
		timed[rank] = c.What.Operation == ""
	}
	for _, p := range c.Pairs() {
		if p.From < len(timed) {
			timed[p.From] = true
		}
	}
	return timed
}

// Moved is the number of bytes that all pairs together send in an iteration of a point-to-point test with a window; 0 for the
// others, whose figure is a time.
func (c Case) Moved() int64 {
	p, err := FindPointToPoint(c.What.Operation)
	if err != nil || !p.Windowed {
		return 0
	}
	bytes := c.What.Bytes / int64(c.What.DataType.Size()) * int64(c.What.DataType.Size()) * int64(c.What.Window) * int64(len(c.Pairs()))
	if p.BothWays {
		bytes *= 2
	}
	return bytes
}

// Whole is the shape of the data, whatever the algorithm: that of the collective, or of one message and its pair of ranks.
func (c Case) Whole() (collectives.Shape, error) {
	w := c.What
	if w.Operation != "" {
		return collectives.NewShape(collectives.SendRecv, 2, 0, w.Bytes, w.DataType)
	}
	return collectives.NewShape(w.Collective, c.Where.Ranks, w.Root, w.Bytes, w.DataType)
}

// Name is the name of the collective or of the point-to-point test.
func (w What) Name() string {
	if w.Operation != "" {
		return w.Operation
	}
	return w.Collective.String()
}

// Reduces says whether the case has a reduction.
func (w What) Reduces() bool { return w.Operation == "" && w.Collective.Reduces() }

// Overwrites says whether the collective, in place, leaves something else where its input was, so that it cannot be repeated
// back to back.
func (w What) Overwrites() bool {
	c := w.Collective
	return w.InPlace && w.Operation == "" && (c.Reduces() || c == collectives.AllToAll || c == collectives.SendRecv)
}

// MarshalJSON leaves out of a point-to-point test what only a collective has.
func (w What) MarshalJSON() ([]byte, error) {
	type plain What
	if w.Operation == "" {
		return json.Marshal(plain(w))
	}
	return json.Marshal(struct {
		plain
		Collective *int `json:"collective,omitempty"`
		Reduction  *int `json:"op,omitempty"`
		Root       *int `json:"root,omitempty"`
		InPlace    *int `json:"in_place,omitempty"`
	}{plain: plain(w)})
}
