package host

import "slices"

// exchangeBytes bounds the messages of an exchange: there is room for them in shared memory, and they are not lent.
const exchangeBytes = loanBytes

// isExchange finds out whether the program is nothing but one short message to each peer and one from each, through shared
// memory and in one round, as oneshot's is. When all its messages have been sent, what arrives can be written at once.
func (e *Engine) isExchange() bool {
	if len(e.ends) == 0 || len(e.Program.copies) > 0 {
		return false
	}
	for _, p := range e.ends {
		if p.lender == nil || len(p.sends) != 1 || len(p.receives) != 1 {
			return false
		}
	}
	first := &e.operations[0]
	for i := range e.operations {
		o := &e.operations[i]
		if o.round != first.round || o.runs != 1 || o.size >= exchangeBytes {
			return false
		}
	}
	// In the program's order: the first accumulation onto an input that is kept apart overwrites.
	e.arrivals = make([]int, len(e.ends))
	for i := range e.arrivals {
		e.arrivals[i] = i
	}
	slices.SortFunc(e.arrivals, func(a, b int) int { return int(e.ends[a].receives[0] - e.ends[b].receives[0]) })
	return true
}

// exchange runs such a program, without the general engine's book-keeping, which takes as long as the messages do.
func (e *Engine) exchange() error {
	for i := range e.ends {
		p := &e.ends[i]
		o := &e.operations[p.sends[0]]
		message := e.outgoing(o, 0)
		for idle := 0; len(message) > 0; idle++ {
			n, err := p.channel.Send(message)
			if err != nil {
				return err
			}
			if message = message[n:]; n > 0 {
				continue
			}
			if err := e.wait(p, o, idle); err != nil {
				return err
			}
		}
	}
	for _, i := range e.arrivals {
		p := &e.ends[i]
		id := p.receives[0]
		o := &e.operations[id]
		for at, idle := 0, 0; at < o.size; idle++ {
			b, err := p.channel.Receive(e.Program.element, o.size-at)
			if err != nil {
				return err
			}
			if len(b) > 0 {
				e.write(id, o, at, b)
				p.channel.Consume(len(b))
				at += len(b)
				continue
			}
			if err := e.wait(p, o, idle); err != nil {
				return err
			}
		}
	}
	if w := e.Watch.Waiting; w != nil && w.Load() != 0 {
		w.Store(0)
	}
	return nil
}

// wait waits for one peer, and reports it now and then.
func (e *Engine) wait(p *end, o *operation, idle int) error {
	if idle&reportMask == e.reportAt && e.Watch.Waiting != nil {
		e.Watch.Waiting.Store(int64(p.node) + 1)
		e.Watch.Round.Store(int64(o.round))
	}
	return e.Waiter.Wait(idle)
}
