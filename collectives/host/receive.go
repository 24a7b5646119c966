package host

import "collbench/collectives"

// receive takes what has arrived from the peer.
func (e *Engine) receive(p *end) (moved bool, err error) {
	for p.received < len(p.receives) {
		id := p.receives[p.received]
		if e.pending[id] != 0 {
			return moved, nil
		}
		o := &e.operations[id]
		at := e.moved[id]
		b, err := p.channel.Receive(e.Program.element, o.size-at)
		if err != nil {
			return moved, err
		}
		n := min(len(b)-len(b)%e.Program.element, o.size-at)
		if o.soft {
			n = e.receiveSoft(id, o, b[:n])
		} else {
			e.write(id, o, at, b[:n])
		}
		if n == 0 {
			return moved, nil
		}
		moved = true
		p.channel.Consume(n)
		e.moved[id] = at + n
		if at+n < o.size {
			continue
		}
		p.received++
		if !o.soft || e.written[id] == o.size {
			e.finish(id)
		} else {
			e.late = append(e.late, id)
		}
	}
	return moved, nil
}

// receiveSoft takes what the gates let in; when nothing else moves, it puts aside the rest. It returns how much of
// b it took.
func (e *Engine) receiveSoft(id int32, o *operation, b []byte) int {
	at := e.moved[id]
	open := e.settleOne(id, o)
	if e.written[id] == at {
		n := max(0, min(len(b), open-at))
		e.write(id, o, at, b[:n])
		e.written[id] += n
		if n > 0 || !e.stuck {
			return n
		}
	}
	if !e.stuck {
		return 0
	}
	return copy(e.staging[o.aside+at:], b)
}

// open is the number of leading bytes of a soft operation that may be written.
func (e *Engine) open(o *operation) int {
	open := o.size
	for _, g := range o.gates {
		switch {
		case e.done[g.id]:
		case g.prefix:
			sent := e.moved[g.id]
			open = min(open, sent-sent%e.Program.element)
		default:
			return 0
		}
	}
	return open
}

// settleOne writes what was put aside of one operation as far as its gates are open, and returns how far they are.
func (e *Engine) settleOne(id int32, o *operation) (open int) {
	open = e.open(o)
	from, to := e.written[id], min(open, e.moved[id])
	if from < to {
		e.write(id, o, from, e.staging[o.aside+from:o.aside+to])
		e.written[id] = to
	}
	return open
}

// settle does so for operations that have wholly arrived, and says whether any was finished.
func (e *Engine) settle() (moved bool) {
	kept := e.late[:0]
	for _, id := range e.late {
		o := &e.operations[id]
		e.settleOne(id, o)
		if e.written[id] == o.size {
			e.finish(id)
			moved = true
		} else {
			kept = append(kept, id)
		}
	}
	e.late = kept
	return moved
}

// write puts bytes at … at+len(b) of a message where they belong.
func (e *Engine) write(id int32, o *operation, at int, b []byte) {
	memory := e.memory[o.buffer]
	if o.runs == 1 {
		e.combine(o, memory, o.offset+at, b)
	} else {
		for done := 0; done < len(b); {
			start := o.offset + (at+done)/o.length*o.stride
			within := (at + done) % o.length
			n := min(o.length-within, len(b)-done)
			e.combine(o, memory, start+within, b[done:done+n])
			done += n
		}
	}
	if e.Fault != nil {
		e.Fault.apply(e, id, at, len(b))
	}
}

// combine does the operation's action with bytes that belong at one place of its buffer.
func (e *Engine) combine(o *operation, memory []byte, at int, b []byte) {
	dst := memory[at : at+len(b)]
	switch {
	case o.action == collectives.Receive:
		copy(dst, b)
	case o.fresh:
		e.Combine(dst, e.Input[at:at+len(b)], b)
	default:
		e.Combine(dst, dst, b)
	}
}
