package model

import (
	"fmt"
	"math"

	"collbench/collectives"
)

// replayLimit is the number of messages up to which a program can be replayed one by one: a second or less.
const replayLimit = 40000

// message is one message of a replay. Times are in picoseconds.
type message struct {
	from    int32
	round   int
	bytes   float64 // still to be sent
	needs   []int32 // messages that must have arrived
	hops    []hop
	latency float64
	arrived float64 // infinite until it has left
	rate    float64 // bytes per picosecond
	state   sharing
}

// sharing is how far the rate of a message is found.
type sharing uint8

const (
	unshared sharing = iota
	fixed            // but still counted on its links
	settled
)

// unlimited is the rate in bytes per picosecond where no link is in the way.
const unlimited = 1e6

// player replays a program message by message where nobody keeps step. A message starts when those before it
// between the same two nodes have left and everything has arrived that overlaps what it carries, and while its node
// has nothing of an earlier round that it could send; messages under way share the links by max–min fairness, as TCP connections do about.
type player struct {
	fabric *fabric
	size   int
	all    []message
	queues [][]int32 // per pair of nodes that talk, the messages that have not left, in order
	ends   map[pair]int
	room   []float64 // per link
	users  []float64
	used   []int32
	first  map[int32]int // by node: the earliest round of what it could send
}

type pair struct{ from, to collectives.Node }

// posted is a send or an arrival of a node.
type posted struct {
	id    int32
	round int
	move  collectives.Move
}

// newPlayer lists the messages; ok is false where there are too many.
func newPlayer(a collectives.Algorithm, s collectives.Shape, size int, f *fabric) (p *player, ok bool) {
	p = &player{fabric: f, size: size, first: map[int32]int{}, ends: map[pair]int{}, room: make([]float64, len(f.cost)), users: make([]float64, len(f.cost))}
	f.acksAlong = true
	nodes := collectives.Node(a.Nodes(s))
	sends := make([][]posted, nodes)
	for v := range nodes {
		for round, moves := range collectives.Steps(a.Program(s, v)) {
			for _, m := range moves {
				if m.Action == collectives.Send && m.Peer != v {
					sends[v] = append(sends[v], posted{p.post(v, round, m), round, m})
				}
			}
			if len(p.all) > replayLimit {
				return nil, false
			}
		}
	}
	for v := range nodes {
		p.depend(sends[v], p.arrivals(a.Program(s, v), v), max(s.Size(), a.ScratchSize(s)))
	}
	return p, true
}

// post puts a message at the end of its pair's queue.
func (p *player) post(v collectives.Node, round int, m collectives.Move) int32 {
	id := int32(len(p.all))
	hops, latency := p.fabric.route(nil, int32(v), int32(m.Peer))
	p.all = append(p.all, message{from: int32(v), round: round, bytes: float64(m.Elements() * p.size), hops: hops, latency: float64(latency), arrived: math.Inf(1)})
	k := pair{v, m.Peer}
	at, known := p.ends[k]
	if !known {
		at = len(p.queues)
		p.ends[k] = at
		p.queues = append(p.queues, nil)
	}
	p.queues[at] = append(p.queues[at], id)
	return id
}

// arrivals matches the receives of a node with the messages of its peers. What a rank combines also loads it.
func (p *player) arrivals(phases []collectives.Phase, v collectives.Node) (list []posted) {
	taken := map[collectives.Node]int{}
	for round, moves := range collectives.Steps(phases) {
		for _, m := range moves {
			if m.Action == collectives.Send || m.Peer == v {
				continue
			}
			id := p.queues[p.ends[pair{m.Peer, v}]][taken[m.Peer]]
			taken[m.Peer]++
			if m.Action == collectives.Accumulate && int(v) < p.fabric.ranks {
				p.all[id].hops, _ = p.fabric.route(p.all[id].hops, int32(v), int32(v))
			}
			list = append(list, posted{id, round, m})
		}
	}
	return list
}

// stripes is the number of parts of a buffer by which arrivals are looked up.
const stripes = 512

// depend finds for each send the arrivals of earlier rounds that it has to wait for.
func (p *player) depend(sends, arrivals []posted, length int) {
	width := max(1, (length+stripes-1)/stripes)
	var at [stripes][]int32
	for i, r := range arrivals {
		first, last := reach(r.move)
		for k := max(0, first/width); k <= min(last/width, stripes-1); k++ {
			at[k] = append(at[k], int32(i))
		}
	}
	for _, d := range sends {
		first, last := reach(d.move)
		newest := int32(-1)
		for k := max(0, first/width); k <= min(last/width, stripes-1); k++ {
			for _, i := range at[k] {
				if r := arrivals[i]; r.round < d.round && (i > newest || k > first/width) && overlap(d.move, r.move) {
					p.all[d.id].needs = append(p.all[d.id].needs, r.id)
					newest = i
				}
			}
		}
	}
}

// reach is the first and the last element that a move touches.
func reach(m collectives.Move) (first, last int) {
	other := m.Offset + (m.Runs()-1)*m.Stride
	return min(m.Offset, other), max(m.Offset, other) + m.Length - 1
}

// play is the time of all messages in picoseconds.
func (p *player) play() (total float64, err error) {
	now := 0.0
	var active []int32
	for {
		step, open := math.Inf(1), false
		active = active[:0]
		for _, q := range p.queues {
			if len(q) == 0 {
				continue
			}
			open = true
			ready := 0.0
			for _, n := range p.all[q[0]].needs {
				ready = max(ready, p.all[n].arrived)
			}
			if ready <= now {
				active = append(active, q[0])
			} else {
				step = min(step, ready-now)
			}
		}
		if !open {
			return total, nil
		}
		active = p.earliest(active)
		p.share(active)
		for _, id := range active {
			m := &p.all[id]
			left := m.bytes
			if left > handedOver+1 { // then its node may go on
				left -= handedOver
			}
			step = min(step, left/m.rate)
		}
		if math.IsInf(step, 1) {
			return 0, fmt.Errorf("at %g s every message waits for another", now/picos)
		}
		now = p.advance(active, now, step)
		for i, q := range p.queues {
			if len(q) > 0 && !math.IsInf(p.all[q[0]].arrived, 1) {
				total = max(total, p.all[q[0]].arrived)
				p.queues[i] = q[1:]
			}
		}
	}
}

// handedOver is how much of a message may be left when its node goes on to the next: the host's engine hands it to
// the kernel, which takes over so much before it can send it.
const handedOver = 256 << 10

// earliest keeps of what each node could send what belongs to the first round that is not handed over, and what was
// before it, as the host's engine does.
func (p *player) earliest(active []int32) []int32 {
	clear(p.first)
	for _, id := range active {
		m := &p.all[id]
		if first, known := p.first[m.from]; m.bytes > handedOver && (!known || m.round < first) {
			p.first[m.from] = m.round
		}
	}
	kept := active[:0]
	for _, id := range active {
		m := &p.all[id]
		if first, known := p.first[m.from]; !known || m.round <= first {
			kept = append(kept, id)
		}
	}
	return kept
}

// advance moves what is under way on by a step.
func (p *player) advance(active []int32, now, step float64) float64 {
	for _, id := range active {
		m := &p.all[id]
		m.bytes -= m.rate * step
		if m.bytes < 1e-3 { // what rounding leaves of whole bytes
			m.arrived = now + step + m.latency
		}
	}
	return now + step
}

// share fixes the rates of the messages under way by progressive filling: the scarcest link shares what it has
// among its messages, those are out, and so on.
func (p *player) share(active []int32) {
	p.used = p.used[:0]
	for _, id := range active {
		p.all[id].state, p.all[id].rate = unshared, unlimited
		for _, h := range p.all[id].hops {
			if p.users[h.link] == 0 && p.fabric.cost[h.link] > 0 {
				p.used = append(p.used, h.link)
				p.room[h.link] = 1 / p.fabric.cost[h.link]
			}
			p.users[h.link] += h.share
		}
	}
	const rounding = 1e-9
	for left := len(active); left > 0; {
		low := math.Inf(1)
		for _, l := range p.used {
			if p.users[l] > rounding {
				low = min(low, p.room[l]/p.users[l])
			}
		}
		low = max(low, 0)
		before := left
		for _, id := range active {
			if m := &p.all[id]; m.state == unshared && p.limited(m, low*(1+rounding)) {
				m.state, m.rate = fixed, low
				left--
			}
		}
		if left == before { // nothing is in the way of the rest
			break
		}
		p.take(active, low)
	}
	for _, id := range active {
		for _, h := range p.all[id].hops {
			p.users[h.link] = 0
		}
	}
}

// limited says whether a link of the message gives no more than so much to each.
func (p *player) limited(m *message, rate float64) bool {
	for _, h := range m.hops {
		if p.fabric.cost[h.link] > 0 && p.users[h.link] > 0 && p.room[h.link] <= rate*p.users[h.link] {
			return true
		}
	}
	return false
}

// take removes from the links what has just been fixed at a rate.
func (p *player) take(active []int32, rate float64) {
	for _, id := range active {
		m := &p.all[id]
		if m.state != fixed {
			continue
		}
		m.state = settled
		for _, h := range m.hops {
			p.room[h.link] -= rate * h.share
			p.users[h.link] -= h.share
		}
	}
}
