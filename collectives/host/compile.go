package host

import (
	"fmt"

	"collbench/collectives"
)

// operation is one message at this node's end. Sizes and offsets are bytes.
type operation struct {
	action         collectives.Action
	buffer         collectives.Buffer
	fresh          bool // an accumulation onto the input, which is kept apart
	soft           bool // what arrives may have to be put aside until gates let it in
	peer           int32
	round          int32
	runs           int
	offset, length int // of the first run
	stride         int
	size           int  // of all runs together
	aside          int  // place in the staging area; soft operations only
	gating         bool // a send that lets in an arrival of its round byte by byte: it is not lent
	frees          []int32
	gates          []gate
}

// gate is an operation of the same round that must have passed before what arrives may be written.
type gate struct {
	id     int32
	prefix bool // it is a send of the very same bytes, so each byte is free as soon as it has been sent
}

// line is the two queues of messages between this node and one peer, by operation.
type line struct {
	node            collectives.Node
	sends, receives []int32
}

// Program is what one node does, ready to run: a queue of messages for each peer and direction, and what each
// message must wait for at this node.
type Program struct {
	me          collectives.Node
	element     int // bytes
	operations  []operation
	lines       []line
	needs       []int32 // operations of earlier rounds (and see Compile) that each operation waits for
	staging     int     // bytes
	dataSize    int
	scratchSize int
	apart       bool   // the input is kept apart
	copies      []span // of the input, to be copied into the data buffer at the start
}

// span is bytes from … to−1 of a buffer.
type span struct{ from, to int }

// Layout is what a program's buffers are like.
type Layout struct {
	Element       int // bytes
	Data, Scratch int // elements
	// In and Out are the input's and the output's parts of the data buffer (collectives.Contract), for a run out of
	// place: the input is then kept in a buffer of its own, laid out like the data buffer, and never written.
	// Without them the input is in the data buffer.
	In, Out []collectives.Part
}

// input is the buffer that keeps the input apart. No move names it.
const input = collectives.Scratch + 1

// Peers are the nodes that the program exchanges messages with; the node itself among them if it copies locally.
func (p *Program) Peers() []collectives.Node {
	var peers []collectives.Node
	for _, l := range p.lines {
		peers = append(peers, l.node)
	}
	return peers
}

// Compile readies the program of node me. The error names a move that leaves its buffer.
//
// Waiting is derived from the overlaps of what moves read and write, in the order that collectives.Phase defines.
// An operation waits as a whole for those of earlier rounds. Within a round, an arrival that must not be written
// before a send of the round has been made is soft: it is taken from its channel all the same, and put aside if need
// be. So are arrivals that wait for a soft one. Other arrivals simply wait for those listed before them.
//
// Where the input is kept apart, what is still as it was given is sent from there, and the first accumulation onto it
// reads it there; it is copied only where neither will do.
func Compile(phases []collectives.Phase, me collectives.Node, l Layout) (*Program, error) {
	p := &Program{me: me, element: l.Element, dataSize: l.Data * l.Element, scratchSize: l.Scratch * l.Element, apart: l.Out != nil || l.In != nil}
	c := compiler{Program: p, lineOf: map[collectives.Node]int32{}, histories: [2]*history{newHistory(), newHistory()}}
	c.eachRange(l.In, func(r *access) { r.input = true })
	for round, moves := range collectives.Steps(phases) {
		for _, sends := range []bool{true, false} { // what is sent is what was held when the round began
			for _, m := range moves {
				if (m.Action == collectives.Send) != sends {
					continue
				}
				if err := c.add(round, m); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, part := range l.Out {
		c.bring(part.Offset*l.Element, (part.Offset+part.Length)*l.Element)
	}
	return p, nil
}

type compiler struct {
	*Program
	lineOf    map[collectives.Node]int32
	histories [2]*history
	seen      []int32 // by operation: the last one that was found to wait for it, plus 1
}

func (c *compiler) add(round int, m collectives.Move) error {
	o := operation{action: m.Action, buffer: m.Buffer, round: int32(round), runs: m.Runs(), offset: m.Offset * c.element,
		length: m.Length * c.element, stride: m.Stride * c.element, size: m.Elements() * c.element}
	if o.stride == o.length {
		o.length, o.runs = o.size, 1
	}
	limit := c.dataSize
	if m.Buffer == collectives.Scratch {
		limit = c.scratchSize
	}
	for k := range o.runs {
		if at := o.offset + k*o.stride; at < 0 || at+o.length > limit {
			return fmt.Errorf("node %d, round %d: move of bytes %d … %d leaves a buffer of %d", c.me, round, at, at+o.length, limit)
		}
	}
	id := int32(len(c.operations))
	o.peer = c.line(m.Peer)
	c.operations = append(c.operations, o)
	c.needs = append(c.needs, 0)
	c.seen = append(c.seen, 0)
	l := &c.lines[o.peer]
	if m.Action == collectives.Send {
		l.sends = append(l.sends, id)
	} else {
		l.receives = append(l.receives, id)
	}
	c.link(id)
	return nil
}

// line finds the queues of a peer, making them if need be.
func (c *compiler) line(peer collectives.Node) int32 {
	i, ok := c.lineOf[peer]
	if !ok {
		i = int32(len(c.lines))
		c.lineOf[peer] = i
		c.lines = append(c.lines, line{node: peer})
	}
	return i
}

// eachRange goes through the history of parts of the data buffer.
func (c *compiler) eachRange(parts []collectives.Part, do func(*access)) {
	h := c.histories[collectives.Data]
	for _, part := range parts {
		first := h.cut(part.Offset * c.element)
		last := h.cut((part.Offset + part.Length) * c.element)
		for i := first; i < last; i++ {
			do(&h.ranges[i])
		}
	}
}

// bring has what is still as the input has it copied at the start.
func (c *compiler) bring(from, to int) {
	c.histories[collectives.Data].bring(from, to, func(from, to int) { c.copies = append(c.copies, span{from, to}) })
}

// take lets an operation read the input where that is kept apart, if it has all that the operation reads.
func (c *compiler) take(o *operation) {
	if o.buffer != collectives.Data || o.action == collectives.Receive || !c.apart {
		return
	}
	h, all := c.histories[collectives.Data], true
	for k := range o.runs {
		all = all && h.untouched(o.offset+k*o.stride, o.offset+k*o.stride+o.length)
	}
	switch {
	case !all:
		for k := range o.runs {
			c.bring(o.offset+k*o.stride, o.offset+k*o.stride+o.length)
		}
	case o.action == collectives.Send:
		o.buffer = input
	default:
		o.fresh = true
	}
}

// link finds out what the operation waits for.
func (c *compiler) link(id int32) {
	o := &c.operations[id]
	c.take(o)
	if o.buffer == input {
		return // nobody writes it
	}
	action := o.action
	if o.fresh {
		action = collectives.Receive // it does not read what it writes
	}
	var same []int32 // of this round
	need := func(d int32) {
		if d == id || c.seen[d] == id+1 {
			return
		}
		c.seen[d] = id + 1
		earlier := &c.operations[d]
		if earlier.round == o.round {
			same = append(same, d)
			o.soft = o.soft || earlier.action == collectives.Send || earlier.soft
			return
		}
		c.wait(id, d)
	}
	for k := range o.runs {
		from := o.offset + k*o.stride
		c.histories[o.buffer].note(action, id, from, from+o.length, need)
	}
	for _, d := range same {
		if !o.soft {
			c.wait(id, d)
			continue
		}
		s := &c.operations[d]
		s.gating = true
		o.gates = append(o.gates, gate{d, s.action == collectives.Send && s.runs == 1 && o.runs == 1 && s.offset == o.offset && s.length == o.length})
	}
	if o.soft {
		o.aside = c.staging
		c.staging += (o.size + 63) &^ 63
	}
}

func (c *compiler) wait(id, earlier int32) {
	c.needs[id]++
	c.operations[earlier].frees = append(c.operations[earlier].frees, id)
}
