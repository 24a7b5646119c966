package host

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/host"
)

// messageTests are the point-to-point tests that the host backend carries out.
var messageTests = []string{"latency", "bandwidth", "bibandwidth", "multi_bandwidth"}

// supportsMessages says why a point-to-point test cannot be carried out.
func supportsMessages(c bench.Case) error {
	if !slices.Contains(messageTests, c.What.Operation) {
		return fmt.Errorf("the host backend has no point-to-point test %s: it has %s", c.What.Operation, strings.Join(messageTests, ", "))
	}
	if c.What.Operation == "bibandwidth" && !bench.Disjoint(c.Pairs()) {
		return errors.New("bibandwidth of a rank in two pairs at once: want pairs that share no rank")
	}
	_, err := c.Whole()
	return err
}

// side is what a rank does with one other in a point-to-point test.
type side struct {
	peer  collectives.Node
	first bool // of the pair: it sends, or begins
}

// sides lists what the rank does, with whom.
func sides(pairs []bench.Pair, rank int) (list []side) {
	for _, p := range pairs {
		switch rank {
		case p.From:
			list = append(list, side{collectives.Node(p.To), true})
		case p.To:
			list = append(list, side{collectives.Node(p.From), false})
		}
	}
	return list
}

// messages is the node's task in a point-to-point test: a program like those of the collectives. The data buffer begins with
// the message that the rank sends; behind it there is a place for what comes from each of its partners.
func (o *operation) messages() (task, error) {
	test, err := bench.FindPointToPoint(o.test.What.Operation)
	if err != nil {
		return task{}, err
	}
	whole, err := o.test.Whole()
	if err != nil {
		return task{}, err
	}
	o.half = !test.Windowed
	o.evidence = bench.Evidence{Source: "program", Detail: fmt.Sprintf("the host engine sent the messages over %s", o.test.How.Transport)}
	list := sides(o.test.Pairs(), o.rank)
	count, window := whole.Count, max(1, o.test.What.Window)
	t := task{layout: host.Layout{Element: o.test.What.DataType.Size(), Data: count * (1 + len(list)), Scratch: len(list)},
		data: func(data, _ []byte) content { return newPost(o.test, whole, list, test, data) }}
	switch {
	case !test.Windowed:
		t.phases = pingPong(list, count)
	case test.BothWays:
		t.phases = bothWays(list, count, window)
	default:
		t.phases = flood(list, count, window)
	}
	return t, nil
}

// pingPong has the first of each pair send a message and the second one send back what it got.
func pingPong(list []side, count int) []collectives.Phase {
	return phases(func(there, back *[]collectives.Move, i int, s side) {
		place := (1 + i) * count
		if s.first {
			*there = append(*there, collectives.Move{Action: collectives.Send, Peer: s.peer, Length: count})
			*back = append(*back, collectives.Move{Action: collectives.Receive, Peer: s.peer, Offset: place, Length: count})
			return
		}
		*there = append(*there, collectives.Move{Action: collectives.Receive, Peer: s.peer, Offset: place, Length: count})
		*back = append(*back, collectives.Move{Action: collectives.Send, Peer: s.peer, Offset: place, Length: count})
	}, list)
}

// flood has the first of each pair send a window of messages, and the second one an element of the last when it has them all.
func flood(list []side, count, window int) []collectives.Phase {
	return phases(func(there, back *[]collectives.Move, i int, s side) {
		place := (1 + i) * count
		if s.first {
			*there = append(*there, repeated(collectives.Move{Action: collectives.Send, Peer: s.peer, Length: count}, window)...)
			*back = append(*back, collectives.Move{Action: collectives.Receive, Buffer: collectives.Scratch, Peer: s.peer, Offset: i, Length: 1})
			return
		}
		*there = append(*there, repeated(collectives.Move{Action: collectives.Receive, Peer: s.peer, Offset: place, Length: count}, window)...)
		*back = append(*back, collectives.Move{Action: collectives.Send, Peer: s.peer, Offset: place, Length: 1})
	}, list)
}

// bothWays has both of a pair send a window of messages.
func bothWays(list []side, count, window int) []collectives.Phase {
	return phases(func(there, _ *[]collectives.Move, i int, s side) {
		*there = append(*there, repeated(collectives.Move{Action: collectives.Send, Peer: s.peer, Length: count}, window)...)
		*there = append(*there, repeated(collectives.Move{Action: collectives.Receive, Peer: s.peer, Offset: (1 + i) * count, Length: count}, window)...)
	}, list)
}

// phases makes a round of what goes there and one of what comes back. Within a round a queue's messages are in order, and
// partners do not wait for each other's.
func phases(add func(there, back *[]collectives.Move, i int, s side), list []side) []collectives.Phase {
	var rounds [2][]collectives.Move
	for i, s := range list {
		add(&rounds[0], &rounds[1], i, s)
	}
	return []collectives.Phase{{Rounds: 2, Varies: true, Moves: func(i int) []collectives.Move { return rounds[i] }}}
}

func repeated(m collectives.Move, times int) []collectives.Move {
	return slices.Repeat([]collectives.Move{m}, times)
}

// post is a rank's data of a point-to-point test.
type post struct {
	payload *host.Payload
	send    []byte
	places  []place
	mine    int // which rank of the payload's two this one is
}

// place is where a message arrives, and which rank of the payload's two has to find it right.
type place struct {
	data []byte
	as   int
}

// newPost lays out the data. What comes back of a ping-pong is what the first has sent, as if the second had to check it; the
// payload's rank 0 is the first of a pair and rank 1 the second.
func newPost(c bench.Case, whole collectives.Shape, list []side, test bench.PointToPoint, data []byte) *post {
	bytes := whole.Count * c.What.DataType.Size()
	p := &post{payload: host.NewPayload(whole, c.What.DataType, c.What.Reduction), send: data[:bytes]}
	for i, s := range list {
		if s.first && test.Windowed && !test.BothWays {
			continue // it gets an acknowledgement alone
		}
		at := place{data[(1+i)*bytes : (2+i)*bytes], 1}
		switch {
		case test.BothWays && s.first:
			at.as = 0
		case test.BothWays:
			p.mine = 1
		}
		p.places = append(p.places, at)
	}
	return p
}

func (p *post) fill(iteration int) { p.payload.Fill(p.mine, iteration, p.send) }

func (p *post) finish() {}

func (p *post) verify(iteration int) (v bench.Verdict) {
	for _, at := range p.places {
		wrong, first := p.payload.Verify(at.as, iteration, at.data)
		if wrong > 0 && v.Wrong == 0 {
			v.First = first
		}
		v.Wrong += wrong
		v.Checked += p.payload.Checked(at.as)
	}
	return v
}
