package model

import (
	"errors"
	"fmt"

	"collbench/collectives"
)

// Prediction is the price of a program on a machine.
type Prediction struct {
	Seconds    float64 // the whole collective
	Latency    float64 // of which latencies along chains of messages, and Machine.Start
	Transfer   float64 // of which time on the busiest links; Seconds is Latency + Transfer
	Rounds     int     // of the program
	Messages   int     // looked at: one round of each phase of each node
	Domain     int     // ranks of a domain of the machine as priced
	Bottleneck string  // the link that was busiest for the largest part, in words; "" where nothing is moved
	Sampled    bool    // rounds that vary were sampled, not all priced
	Replayed   bool    // message by message, not round by round
}

// Price predicts how long the algorithm takes on the machine for elements of so many bytes. Errors: a shape that the
// algorithm refuses, a machine that is impossible or does not fit (too few tiers, a domain's switch that does not
// reach a rank), and more messages than can be priced.
func Price(a collectives.Algorithm, s collectives.Shape, elementSize int, m Machine) (Prediction, error) {
	if err := a.Supports(s); err != nil {
		return Prediction{}, err
	}
	p, err := price(a, s, elementSize, m)
	if err != nil {
		return Prediction{}, fmt.Errorf("%s %s: %w", s.Collective, a.Name, err)
	}
	return p, nil
}

func price(a collectives.Algorithm, s collectives.Shape, elementSize int, m Machine) (Prediction, error) {
	if elementSize < 1 {
		return Prediction{}, fmt.Errorf("elements of %d bytes: want 1 or more", elementSize)
	}
	if err := m.Validate(); err != nil {
		return Prediction{}, fmt.Errorf("machine %s: %w", m.Name, err)
	}
	f, err := newFabric(a, s, m)
	if err != nil {
		return Prediction{}, err
	}
	l, err := read(a, s, elementSize, f)
	if err != nil {
		return Prediction{}, err
	}
	w := newSweep(f, l)
	w.run()
	w.runVaried()
	if w.meter.over || w.transfer > farthest {
		return Prediction{}, errors.New("takes longer than a month: a rate is too low for so many bytes")
	}
	p := Prediction{
		Latency: m.Start.Value + float64(w.latency)/picos, Transfer: float64(w.transfer) / picos,
		Rounds: w.rounds, Messages: w.messages + len(l.flows), Domain: f.domain, Sampled: w.sampled,
	}
	if m.FreeRunning {
		if err := p.replay(a, s, elementSize, f, m.Start.Value); err != nil {
			return Prediction{}, err
		}
	}
	p.Seconds = p.Latency + p.Transfer
	if w.heaviest > 0 {
		p.Bottleneck = f.name(w.bottleneck)
	}
	return p, nil
}

// replay lowers the price to that of the messages one by one if they are few enough. What is not latency along the
// chains is then transfer, waiting on links that others use included. Nodes that send in the order of the rounds are
// done no later than nodes in step: where the replay says so, its fair shares at a receiver's link are to blame,
// which a network's queues do not keep while they have room.
func (p *Prediction) replay(a collectives.Algorithm, s collectives.Shape, size int, f *fabric, start float64) error {
	player, ok := newPlayer(a, s, size, f)
	if !ok {
		return nil
	}
	total, err := player.play()
	if err != nil {
		return err
	}
	if start+total/picos > p.Latency+p.Transfer {
		return nil
	}
	p.Replayed, p.Sampled = true, false
	p.Transfer = max(0, start+total/picos-p.Latency)
	p.Latency = start + total/picos - p.Transfer
	return nil
}

// farthest is a month in picoseconds, well inside 64 bits.
const farthest = 30 * 86400 * 1e12

// sweep goes through the rounds from one start or end of a phase to the next. Times are in picoseconds.
type sweep struct {
	fabric *fabric
	ledger *ledger
	meter  *meter
	hops   []hop

	// of the present pattern
	streams, chains int   // phases under way
	chainLatency    int64 // sum over the messages of chained phases
	chainMessages   int64
	startLatency    int64 // the largest of the messages that begin now and are not chained

	stream stream

	latency, transfer float64
	rounds, messages  int
	heaviest          float64 // the largest part of the transfer that one pattern has, and its busiest link
	bottleneck        int
	sampled           bool
}

// stream is a time in which pipelines run and nothing else keeps step.
type stream struct {
	on       bool
	total    tally // what each link carries in all
	fresh    tally // what begins now
	inStep   float64
	passage  float64 // of one chunk over all hops
	steepest float64 // the most loaded round
}

func newSweep(f *fabric, l *ledger) *sweep {
	w := &sweep{fabric: f, ledger: l, meter: newMeter(len(f.cost))}
	w.stream.total.load = make([]float64, len(f.cost))
	w.stream.fresh.load = make([]float64, len(f.cost))
	return w
}

// apply puts the flows of a phase on the links, or takes them away.
func (w *sweep) apply(e event, sign int64) {
	flows := w.ledger.flows[e.lo:e.hi]
	switch e.kind {
	case streamed:
		w.streams += int(sign)
	case chained:
		w.chains += int(sign)
	}
	for _, x := range flows {
		var latency int64
		w.hops, latency = w.fabric.route(w.hops[:0], x.from, x.to)
		for _, h := range w.hops {
			ps := w.fabric.time(h, x.bytes)
			w.meter.add(h.link, sign*ps)
			if sign > 0 && w.stream.on {
				w.stream.total.add(h.link, float64(ps)*float64(e.rounds))
				w.stream.fresh.add(h.link, float64(ps))
			}
		}
		switch {
		case x.from == x.to:
		case e.kind == chained:
			w.chainLatency += sign * latency
			w.chainMessages += sign
		case sign > 0:
			w.startLatency = max(w.startLatency, latency)
		}
	}
}

// time is how long a link is busy with so many bytes; what is beyond farthest is cut to a little more.
func (f *fabric) time(h hop, bytes int64) int64 {
	return int64(min(float64(bytes)*f.cost[h.link]*h.share+0.5, farthest+1))
}

// byRound lists the numbers of the events in the order of a round of theirs.
func byRound(events []event, round func(event) int32) []int32 {
	last := int32(0)
	for _, e := range events {
		last = max(last, round(e))
	}
	next := make([]int32, last+2)
	for _, e := range events {
		next[round(e)+1]++
	}
	for r := range last {
		next[r+1] += next[r]
	}
	order := make([]int32, len(events))
	for i, e := range events {
		order[next[round(e)]] = int32(i)
		next[round(e)]++
	}
	return order
}

// until splits off the events whose round is now.
func until(order []int32, events []event, round func(event) int32, now int32) (these, rest []int32) {
	n := 0
	for n < len(order) && round(events[order[n]]) == now {
		n++
	}
	return order[:n], order[n:]
}

func (w *sweep) run() {
	events := w.ledger.events
	begins := func(e event) int32 { return e.start }
	starts, ends := byRound(events, begins), byRound(events, event.end)
	var these []int32
	active := 0
	for len(ends) > 0 {
		now := events[ends[0]].end()
		if len(starts) > 0 {
			now = min(now, events[starts[0]].start)
		}
		these, ends = until(ends, events, event.end, now)
		w.finish(these, active)
		active -= len(these)
		these, starts = until(starts, events, begins, now)
		w.begin(these)
		active += len(these)
		w.rounds = max(w.rounds, int(now))
		if active == 0 {
			continue
		}
		next := events[ends[0]].end()
		if len(starts) > 0 {
			next = min(next, events[starts[0]].start)
		}
		w.pattern(float64(next - now))
	}
	w.settle()
}

// finish takes phases that end off the links.
func (w *sweep) finish(ends []int32, active int) {
	if len(ends) < active {
		for _, i := range ends {
			w.apply(w.ledger.events[i], -1)
		}
		return
	}
	if active > 0 { // all end: nothing to take back one by one
		w.meter.clear()
		w.streams, w.chains, w.chainLatency, w.chainMessages = 0, 0, 0, 0
	}
}

// begin puts phases that start on the links and finds whether a stream starts or stops.
func (w *sweep) begin(starts []int32) {
	streams, chains := w.streams, w.chains
	for _, i := range starts {
		switch w.ledger.events[i].kind {
		case streamed:
			streams++
		case chained:
			chains++
		}
	}
	on := streams > 0 && chains == 0
	if w.stream.on && !on {
		w.settle()
	}
	w.stream.on = on
	w.startLatency = 0
	for _, i := range starts {
		w.apply(w.ledger.events[i], 1)
	}
}

// pattern charges so many equal rounds.
func (w *sweep) pattern(rounds float64) {
	worst := w.meter.heaviest()
	latency := float64(w.startLatency)
	if w.chainMessages > 0 {
		latency = max(latency, rounds*float64(w.chainLatency)/float64(w.chainMessages))
	}
	w.latency += latency
	transfer := rounds * float64(worst)
	if transfer > w.heaviest {
		w.heaviest, w.bottleneck = transfer, w.meter.where()
	}
	if w.stream.on {
		w.stream.inStep += transfer
		w.stream.passage += w.stream.fresh.take()
		w.stream.steepest = max(w.stream.steepest, float64(worst))
		return
	}
	w.transfer += transfer
}

// settle ends a stream: in step, or at the pace of the busiest link once the first chunk has passed.
func (w *sweep) settle() {
	if !w.stream.on {
		return
	}
	freely := w.stream.total.take() - w.stream.steepest + w.stream.passage
	w.transfer += min(w.stream.inStep, freely)
	w.stream.inStep, w.stream.passage, w.stream.steepest, w.stream.on = 0, 0, 0, false
}

// Phases that vary are priced round by round up to variedMoves phases, and beyond by evenly spread rounds, at least
// variedRounds of them.
const (
	variedMoves  = 2 << 20
	variedRounds = 16
)

// runVaried prices the phases whose rounds differ, each extent by itself.
func (w *sweep) runVaried() {
	l := w.ledger
	for k, phases := range l.varied {
		n := min(k.rounds, max(variedRounds, variedMoves/len(phases)))
		w.sampled = w.sampled || n < k.rounds
		w.rounds = max(w.rounds, k.start+k.rounds)
		for j := range n {
			i := int((float64(j) + 0.5) / float64(n) * float64(k.rounds))
			l.flows = l.flows[:0]
			for _, p := range phases {
				l.add(p.node, p.phase.Moves(i))
			}
			w.messages += len(l.flows)
			w.meter.clear()
			w.startLatency = 0
			w.apply(event{rounds: 1, hi: int32(len(l.flows))}, 1)
			worst := float64(w.meter.heaviest())
			weight := float64(k.rounds) / float64(n)
			w.latency += weight * float64(w.startLatency)
			w.transfer += weight * worst
			if weight*worst > w.heaviest {
				w.heaviest, w.bottleneck = weight*worst, w.meter.where()
			}
		}
	}
}
