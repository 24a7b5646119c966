package workers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"collbench/bench"
)

// event is something that a process did.
type event struct {
	node    int
	message message
	dead    bool
}

// The watchdog asks every node now and then whether it is there. A node answers on a thread of its own, whatever
// its working thread does, so one that is silent for so long is stopped or starved.
const (
	pingEvery = time.Second
	silence   = 10 * time.Second
	// settle is how long after the first bad news the watchdog waits for more: the death of one node reaches it
	// only after the complaints of those that were connected with it.
	settle = 300 * time.Millisecond
	// settleRefusals is how long after a node has said that it does not support the case it waits for all others to say so: some
	// may be slow, and some may wait in vain for the one that has refused.
	settleRefusals = 2 * time.Second
)

// slowLink is the rate in bytes per second that a first iteration is given at least, before any time is known.
const slowLink = 1e6

// expected is how long so many iterations may take: 20 times what they took before.
func (t *team) expected(iterations int) time.Duration {
	seconds := 20 * t.each * float64(iterations)
	if t.each == 0 {
		seconds = 30 + 2*float64(t.current.What.Bytes)*float64(iterations)/slowLink
	}
	return max(10*time.Second, time.Duration(seconds*float64(time.Second)))
}

// bound is how long a phase may take: what follows from the case, or what the user says.
func (t *team) bound(expected time.Duration) time.Duration {
	if t.pool.Timeout > 0 {
		return t.pool.Timeout
	}
	return expected
}

// collection is the answers to one request as they come in.
type collection struct {
	results  []*result
	answered []bool
	missing  int
	parts    [][][]byte // of exchanges: of each node those that have not been passed on
	heard    []time.Time
	idle     time.Time // when this process has begun to wait for news
	deadline time.Time // of all answers
	dead     []int
	errors   []complaint
}

// complaint is an error that a node has answered with.
type complaint struct {
	node    int
	text    string
	refused bool // not supported, and nothing begun
}

// collect waits for every node's answer. It passes exchanges on, and gives up when a node dies, complains, or is
// silent, when the bound has passed, or when ctx is cancelled. After an error the team is broken.
func (t *team) collect(ctx context.Context, bound time.Duration) (_ []*result, err error) {
	defer func() { t.broken = t.broken || err != nil && !errors.Is(err, bench.ErrNotSupported) }()
	n := len(t.processes)
	c := collection{
		results: make([]*result, n), answered: make([]bool, n), missing: n, parts: make([][][]byte, n),
		heard: make([]time.Time, n), deadline: time.Now().Add(bound),
	}
	for i := range c.heard {
		c.heard[i] = time.Now()
	}
	timeout := time.NewTimer(bound)
	defer timeout.Stop()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	var settled <-chan time.Time
	hasty := false
	for c.missing > 0 {
		c.idle = time.Now()
		select {
		case e := <-t.events:
			c.attend()
			if err := t.take(&c, e); err != nil {
				return nil, err
			}
			switch {
			case c.broken() && !hasty:
				hasty, settled = true, time.After(settle)
			case settled == nil && len(c.errors) > 0:
				settled = time.After(min(settleRefusals, bound/2))
			}
		case <-settled:
			return nil, t.failure(&c)
		case <-tick.C:
			c.attend()
			for i, w := range t.processes {
				w.still()
				if time.Since(c.heard[i]) > min(silence, bound) {
					return nil, t.hang(&c, time.Since(c.heard[i]))
				}
			}
			_ = t.starter.broadcast(message{Kind: ping}) // one that cannot be reached falls silent
		case <-timeout.C:
			c.attend()
			if left := time.Until(c.deadline); left > 0 {
				timeout.Reset(left)
				continue
			}
			return nil, t.hang(&c, bound)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c.refused() {
		return nil, t.errorf("%w: %s", bench.ErrNotSupported, c.errors[0].text)
	}
	if len(c.dead)+len(c.errors) > 0 {
		return nil, t.failure(&c)
	}
	return c.results, nil
}

// attend begins each turn. The watchdog's tick ends every wait, so one that took much longer was this process's own: it was
// stopped (Ctrl-Z), or its machine was. That is nobody else's silence, and what others have said meanwhile is still to be read.
func (c *collection) attend() {
	now := time.Now()
	held := now.Sub(c.idle)
	if held < 2*pingEvery {
		return
	}
	for i := range c.heard {
		c.heard[i] = now
	}
	c.deadline = c.deadline.Add(held)
}

// broken says whether something has gone wrong, more than that nodes do not support the case.
func (c *collection) broken() bool {
	return len(c.dead) > 0 || slices.ContainsFunc(c.errors, func(e complaint) bool { return !e.refused })
}

// refused says whether all nodes have answered that the case is not supported.
func (c *collection) refused() bool {
	for _, e := range c.errors {
		if !e.refused {
			return false
		}
	}
	return len(c.errors) == len(c.results) && len(c.dead) == 0
}

// take takes one event into the collection.
func (t *team) take(c *collection, e event) error {
	c.heard[e.node] = time.Now()
	if e.dead {
		c.dead = append(c.dead, e.node)
		return nil
	}
	switch e.message.Kind {
	case done, failed:
		if c.answered[e.node] {
			return t.errorf("%s answered twice", t.pool.name(e.node))
		}
		c.answered[e.node] = true
		c.missing--
		c.results[e.node] = e.message.Result
		if e.message.Kind == failed {
			text := strings.TrimPrefix(e.message.Error, t.current.String()+": ") // the failure's own prefix
			c.errors = append(c.errors, complaint{e.node, text, e.message.Refused})
		}
	case exchange:
		if len(e.message.Data) != 1 {
			return t.errorf("%s: an exchange of %d parts", t.pool.name(e.node), len(e.message.Data))
		}
		c.parts[e.node] = append(c.parts[e.node], e.message.Data[0])
		return t.exchange(c)
	}
	return nil
}

// exchange passes the parts on when there is one of every node.
func (t *team) exchange(c *collection) error {
	all := make([][]byte, len(c.parts))
	for i, parts := range c.parts {
		if len(parts) == 0 {
			return nil
		}
		all[i] = parts[0]
	}
	for i := range c.parts {
		c.parts[i] = c.parts[i][1:]
	}
	if err := t.starter.broadcast(message{Kind: exchanged, Data: all}); err != nil && len(c.dead) == 0 {
		return t.errorf("%w", err)
	}
	return nil
}
