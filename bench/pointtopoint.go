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
	Call          Call
	// Windowed: an iteration is a window of messages, and so many are under way at once; the receiver acknowledges the last one
	// unless BothWays. Else an iteration is one message.
	Windowed bool
	BothWays bool // both ranks of a pair send at once
	AllPairs bool // ranks r and r + N/2 are pairs, all at once; else there is the one pair that the case names
	// Alone: the first rank of the pair acts by itself and waits until its call is done: that is a sample. Without it, and without
	// a window, a sample is half of a message there and one back: what one message takes.
	Alone bool
}

// Call is what carries a message.
type Call string

// The calls. A put, a get and the atomics act on memory of the other rank, which has no part in them.
const (
	Message       Call = "message" // a send that the other rank receives
	ActiveMessage Call = "active message"
	Stream        Call = "stream" // a send into a stream of bytes without bounds between messages
	Put           Call = "put"
	PutFlush      Call = "put and flush" // done when the data is in the other rank's memory
	Get           Call = "get"
	Add           Call = "add"
	FetchAdd      Call = "fetch and add"
	Swap          Call = "swap"
	CompareSwap   Call = "compare and swap"
)

// Atomic says whether the call is an atomic operation on one element of 4 or 8 bytes.
func (c Call) Atomic() bool { return c == Add || c == FetchAdd || c == Swap || c == CompareSwap }

// PointToPoints lists the tests in the order in which they are shown: those of the OSU micro-benchmarks, then those of
// ucx_perftest. Which of them a backend can carry out is its Supports' to say.
var PointToPoints = []PointToPoint{
	{Name: "latency", Call: Message, Summary: "half of a message there and back (osu_latency, tag_lat)"},
	{Name: "bandwidth", Call: Message, Windowed: true, Summary: "a window of messages, then an acknowledgement (osu_bw, tag_bw)"},
	{Name: "bibandwidth", Call: Message, Windowed: true, BothWays: true, Summary: "a window of messages in both directions at once (osu_bibw)"},
	{Name: "multi_bandwidth", Call: Message, Windowed: true, AllPairs: true, Summary: "bandwidth between ranks r and r + N/2, all pairs at once (osu_mbw_mr)"},
	{Name: "am_latency", Call: ActiveMessage, Summary: "half of an active message there and back (ucp_am_lat)"},
	{Name: "am_bandwidth", Call: ActiveMessage, Windowed: true, Summary: "a window of active messages (ucp_am_bw)"},
	{Name: "stream_latency", Call: Stream, Summary: "half of a message there and back through a stream (stream_lat)"},
	{Name: "stream_bandwidth", Call: Stream, Windowed: true, Summary: "a window of messages through a stream (stream_bw)"},
	{Name: "put_latency", Call: Put, Summary: "half of a put there and one back, each seen in memory (ucp_put_lat)"},
	{Name: "put_flush", Call: PutFlush, Alone: true, Summary: "a put until it is flushed to the other's memory (osu_put_latency)"},
	{Name: "put_bandwidth", Call: Put, Windowed: true, Summary: "a window of puts (osu_put_bw, ucp_put_bw)"},
	{Name: "put_bibandwidth", Call: Put, Windowed: true, BothWays: true, Summary: "a window of puts in both directions at once (osu_put_bibw)"},
	{Name: "get_latency", Call: Get, Alone: true, Summary: "a get until its data is here (osu_get_latency, ucp_get -O 1)"},
	{Name: "get_bandwidth", Call: Get, Windowed: true, Summary: "a window of gets (osu_get_bw, ucp_get)"},
	{Name: "add_rate", Call: Add, Windowed: true, Summary: "a window of atomic additions (ucp_add)"},
	{Name: "fetch_add", Call: FetchAdd, Alone: true, Summary: "an atomic addition until the value before is here (osu_fop_latency, ucp_fadd)"},
	{Name: "swap", Call: Swap, Alone: true, Summary: "an atomic swap until the value before is here (ucp_swap)"},
	{Name: "compare_swap", Call: CompareSwap, Alone: true, Summary: "an atomic compare and swap until the value before is here (osu_cas_latency, ucp_cswap)"},
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
