package host

import (
	"fmt"
	"math"
	"sync/atomic"

	"collbench/collectives"
)

// Waiter is what an engine does when no channel has anything for it.
type Waiter interface {
	// Wait returns when something may have changed. idle counts the calls since something last did, from 0. An
	// error ends the run: it was cancelled, or a peer is gone.
	Wait(idle int) error
	// Sleeps says whether Wait gives the CPU back until there is news.
	Sleeps() bool
}

// Watch is where an engine leaves word, now and then while it waits, of what it waits for. A field may be nil.
type Watch struct {
	Round   *atomic.Int64 // of the program
	Waiting *atomic.Int64 // node waited for, plus 1; 0: none
}

// Config is what an engine runs a program with.
type Config struct {
	Program       *Program
	Channels      func(collectives.Node) Channel // one for each of the program's peers but the node itself
	Data, Scratch []byte                         // at least as long as those the program was compiled for
	Input         []byte                         // as long as Data, where the program was compiled to keep it apart
	Combine       func(out, a, b []byte)         // out = a op b, equally long, whole elements; out may be a; nil: never needed
	Waiter        Waiter
	Watch         Watch
	Fault         *Fault // for tests
}

// Engine runs a program, any number of times, on one thread.
type Engine struct {
	Config
	operations []operation
	ends       []end
	memory     [3][]byte
	gathered   []byte // room for the runs of a message that is not in one piece
	staging    []byte
	free       func()

	pending  []int32 // by operation: how many others it still waits for
	moved    []int   // by operation: bytes that went into or came out of the channel
	written  []int   // by operation, soft ones: bytes that left the staging area or went past it
	done     []bool  // by operation
	late     []int32 // soft operations that have wholly arrived but are not wholly written
	left     int     // operations not done
	reportAt int     // which waits, modulo reportMask + 1
	stuck    bool    // nothing moved in the last pass: what arrives and may not be written is put aside now
	swaps    bool    // the program is an exchange
	arrivals []int   // exchange: the ends in the order in which their messages are taken
}

// end is where a run stands with one peer.
type end struct {
	channel         Channel
	lender          Lender // the channel, if it lends
	loans           []loan // not yet over, in order
	sends, receives []int32
	sent, received  int // of each
	node            collectives.Node
}

// loan is a send that is done when its loan is over.
type loan struct {
	id     int32
	ticket uint64
}

// NewEngine makes the engine of one program. The error says that memory was refused or a buffer is too short.
func NewEngine(c Config) (*Engine, error) {
	p := c.Program
	if len(c.Data) < p.dataSize || len(c.Scratch) < p.scratchSize {
		return nil, fmt.Errorf("node %d: buffers of %d and %d bytes, want %d and %d", p.me, len(c.Data), len(c.Scratch), p.dataSize, p.scratchSize)
	}
	if p.apart && len(c.Input) < p.dataSize {
		return nil, fmt.Errorf("node %d: input of %d bytes, want %d", p.me, len(c.Input), p.dataSize)
	}
	n := len(p.operations)
	e := &Engine{Config: c, operations: p.operations, memory: [3][]byte{c.Data, c.Scratch, c.Input}, free: func() {},
		pending: make([]int32, n), moved: make([]int, n), written: make([]int, n), done: make([]bool, n)}
	if !c.Waiter.Sleeps() {
		e.reportAt = reportLate
	}
	for _, l := range p.lines {
		ch := Channel(nil)
		if l.node == p.me {
			ch = newLoopback()
		} else {
			ch = c.Channels(l.node)
		}
		lender, _ := ch.(Lender)
		e.ends = append(e.ends, end{channel: ch, lender: lender, loans: make([]loan, 0, len(l.sends)), node: l.node, sends: l.sends, receives: l.receives})
	}
	for _, o := range p.operations {
		if o.runs > 1 {
			e.gathered = make([]byte, gatherBytes)
		}
	}
	if p.staging > 0 {
		var err error
		if e.staging, e.free, err = Memory(p.staging); err != nil {
			return nil, fmt.Errorf("staging area of %d bytes: %w", p.staging, err)
		}
	}
	e.swaps = e.isExchange()
	return e, nil
}

// Close gives the engine's memory back.
func (e *Engine) Close() { e.free() }

// gatherBytes is how much of a message of several runs is put together at a time.
const gatherBytes = 16 << 10

// Run carries the program out once. After an error the channels are in the middle of a message: no engine can use
// them again. The error of a channel is returned as it is.
func (e *Engine) Run() error {
	if e.swaps {
		return e.exchange()
	}
	e.reset()
	for idle := 0; e.left > 0; {
		moved, err := e.pass()
		if err != nil {
			return err
		}
		if moved {
			e.stuck, idle = false, 0
			continue
		}
		if !e.stuck && e.staging != nil {
			e.stuck = true
			continue
		}
		if idle&reportMask == e.reportAt {
			e.report()
		}
		if err := e.Waiter.Wait(idle); err != nil {
			return err
		}
		idle++
	}
	if w := e.Watch.Waiting; w != nil && w.Load() != 0 {
		w.Store(0)
	}
	return nil
}

// reportMask spaces the reports of what is waited for: one in 1024 waits. A node that sleeps reports before it does
// so first; one that spins does not before reportLate, for most of its waits are over by then.
const (
	reportMask = 1<<10 - 1
	reportLate = 100
)

// reset makes the engine ready for the program's first round.
func (e *Engine) reset() {
	copy(e.pending, e.Program.needs)
	clear(e.moved)
	clear(e.written)
	clear(e.done)
	for i := range e.ends {
		e.ends[i].sent, e.ends[i].received, e.ends[i].loans = 0, 0, e.ends[i].loans[:0]
	}
	e.late, e.left, e.stuck = e.late[:0], len(e.operations), false
	for _, c := range e.Program.copies {
		copy(e.Data[c.from:c.to], e.Input[c.from:c.to])
	}
}

// pass gives every peer one chance in each direction and says whether anything moved.
func (e *Engine) pass() (moved bool, err error) {
	earliest := e.earliest()
	for i := range e.ends {
		p := &e.ends[i]
		if p.sent < len(p.sends) || len(p.loans) > 0 {
			m, err := e.send(p, earliest)
			if err != nil {
				return false, err
			}
			moved = moved || m
		}
		if p.received < len(p.receives) {
			m, err := e.receive(p)
			if err != nil {
				return false, err
			}
			moved = moved || m
		}
	}
	if len(e.late) > 0 && e.settle() {
		moved = true
	}
	return moved, nil
}

// earliest is the first round of which something may be sent. What is sent later would only compete with it for the
// node's link: in a binomial broadcast the root's first receiver has others to serve, and its last has none.
func (e *Engine) earliest() int32 {
	round := int32(math.MaxInt32)
	if len(e.ends) == 1 {
		return round
	}
	for i := range e.ends {
		p := &e.ends[i]
		if p.sent < len(p.sends) && e.pending[p.sends[p.sent]] == 0 {
			round = min(round, e.operations[p.sends[p.sent]].round)
		}
	}
	return round
}

// send hands over what has room of what may be sent to the peer up to a round.
func (e *Engine) send(p *end, last int32) (moved bool, err error) {
	if len(p.loans) > 0 {
		moved = e.settleLoans(p)
	}
	for p.sent < len(p.sends) {
		id := p.sends[p.sent]
		if e.pending[id] != 0 {
			return moved, nil
		}
		o := &e.operations[id]
		if o.round > last {
			return moved, nil
		}
		if p.lender != nil && o.runs == 1 && !o.gating && e.moved[id] == 0 {
			ticket, lent, err := p.lender.Lend(e.outgoing(o, 0))
			if err != nil {
				return moved, err
			}
			if lent {
				p.loans = append(p.loans, loan{id, ticket})
				p.sent++
				moved = true
				continue
			}
		}
		n, err := p.channel.Send(e.outgoing(o, e.moved[id]))
		if err != nil || n == 0 {
			return moved, err
		}
		moved = true
		e.moved[id] += n
		if e.moved[id] == o.size {
			p.sent++
			e.finish(id)
		}
	}
	return moved, nil
}

// settleLoans finishes the sends whose loans are over.
func (e *Engine) settleLoans(p *end) (moved bool) {
	over := 0
	for over < len(p.loans) && p.lender.Back(p.loans[over].ticket) {
		e.finish(p.loans[over].id)
		over++
	}
	if over > 0 {
		p.loans = p.loans[:copy(p.loans, p.loans[over:])]
	}
	return over > 0
}

// outgoing is the rest of a message from byte at on, or its beginning where it is not in one piece.
func (e *Engine) outgoing(o *operation, at int) []byte {
	memory := e.memory[o.buffer]
	if o.runs == 1 {
		return memory[o.offset+at : o.offset+o.size]
	}
	n := 0
	for at < o.size && n < len(e.gathered) {
		start := o.offset + at/o.length*o.stride
		c := copy(e.gathered[n:], memory[start+at%o.length:start+o.length])
		n += c
		at += c
	}
	return e.gathered[:n]
}

// finish frees what waited for the operation.
func (e *Engine) finish(id int32) {
	e.done[id] = true
	e.left--
	for _, d := range e.operations[id].frees {
		e.pending[d]--
	}
}

// report says what is waited for: the first peer whose message is due, else the first that has no room.
func (e *Engine) report() {
	if e.Watch.Waiting == nil {
		return
	}
	for _, receives := range []bool{true, false} {
		for i := range e.ends {
			p := &e.ends[i]
			queue, at := p.sends, p.sent
			if receives {
				queue, at = p.receives, p.received
			}
			if !receives && len(p.loans) > 0 {
				queue, at = []int32{p.loans[0].id}, 0
			}
			if at < len(queue) && e.pending[queue[at]] == 0 && p.node != e.Program.me {
				e.Watch.Waiting.Store(int64(p.node) + 1)
				e.Watch.Round.Store(int64(e.operations[queue[at]].round))
				return
			}
		}
	}
}
