package workers

import (
	"context"
	"fmt"
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
	dead     []int
	errors   []string
}

// collect waits for every node's answer. It passes exchanges on, and gives up when a node dies, complains, or is
// silent, when the bound has passed, or when ctx is cancelled. After an error the team is broken.
func (t *team) collect(ctx context.Context, bound time.Duration) (_ []*result, err error) {
	defer func() { t.broken = t.broken || err != nil }()
	n := len(t.processes)
	c := collection{
		results: make([]*result, n), answered: make([]bool, n), missing: n, parts: make([][][]byte, n),
		heard: make([]time.Time, n),
	}
	for i := range c.heard {
		c.heard[i] = time.Now()
	}
	timeout := time.NewTimer(bound)
	defer timeout.Stop()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	var settled <-chan time.Time
	for c.missing > 0 {
		select {
		case e := <-t.events:
			if err := t.take(&c, e); err != nil {
				return nil, err
			}
			if settled == nil && len(c.dead)+len(c.errors) > 0 {
				settled = time.After(settle)
			}
		case <-settled:
			return nil, t.failure(&c)
		case <-tick.C:
			for i := range t.processes {
				if time.Since(c.heard[i]) > min(silence, bound) {
					return nil, t.hang(&c, time.Since(c.heard[i]))
				}
				t.send(i, message{Kind: ping})
			}
		case <-timeout.C:
			return nil, t.hang(&c, bound)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(c.dead)+len(c.errors) > 0 {
		return nil, t.failure(&c)
	}
	return c.results, nil
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
			c.errors = append(c.errors, fmt.Sprintf("%s: %s", t.pool.name(e.node), text))
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
		if err := t.send(i, message{Kind: exchanged, Data: all}); err != nil && len(c.dead) == 0 {
			return err
		}
	}
	return nil
}

// failure says what went wrong: a death before complaints, which may only be its echo.
func (t *team) failure(c *collection) error {
	if len(c.dead) == 0 {
		slices.Sort(c.errors)
		more := ""
		if len(c.errors) > 1 {
			more = fmt.Sprintf(" (and %d more like it)", len(c.errors)-1)
		}
		return t.errorf("%s%s", c.errors[0], more)
	}
	t.starter.refresh()
	var texts []string
	for _, node := range c.dead {
		w := t.processes[node]
		texts = append(texts, fmt.Sprintf("%s (pid %d) %s", t.pool.name(node), w.pid, w.death()))
	}
	return fmt.Errorf("%s in %s", strings.Join(texts, ", "), t.where(c.dead[0]))
}

// hang says who did not go on, as well as it can be known: a node that is stopped, one that does not answer the
// watchdog, or the one that the others wait for.
func (t *team) hang(c *collection, after time.Duration) error {
	after = after.Round(time.Millisecond)
	t.starter.refresh()
	for i, w := range t.processes {
		if trouble := w.trouble(); trouble != "" {
			return fmt.Errorf("%s (pid %d) %s in %s; given up after %s", t.pool.name(i), w.pid, trouble, t.where(i), after)
		}
	}
	for i, w := range t.processes {
		if time.Since(c.heard[i]) > 2*pingEvery {
			return fmt.Errorf("%s (pid %d) does not answer in %s; given up after %s",
				t.pool.name(i), w.pid, t.where(i), after)
		}
	}
	node := t.blamed(c)
	return fmt.Errorf("%s (pid %d) did not go on in %s; given up after %s; %s",
		t.pool.name(node), t.processes[node].pid, t.where(node), after, t.positions())
}

// blamed follows who waits for whom to the node at the end: one that waits for nobody, or in a circle the first
// that comes up again.
func (t *team) blamed(c *collection) int {
	node := slices.Index(c.answered, false)
	seen := map[int]bool{}
	for !seen[node] {
		seen[node] = true
		next := int(t.processes[node].progress.Waiting.Load()) - 1
		if next < 0 || next >= len(t.processes) {
			break
		}
		node = next
	}
	return node
}

// where says what the node was at: "all_reduce 4 MiB ring, iterate, iteration 12".
func (t *team) where(node int) string {
	p := t.processes[node].progress
	stage := bench.Stage(p.Stage.Load())
	if stage == bench.StageIdle {
		stage = t.stage
	}
	text := stage.String()
	if t.current != (bench.Case{}) {
		text = fmt.Sprintf("%s, %s", t.current, stage)
	}
	if stage == bench.StageIterate || stage == bench.StageWarmUp {
		text += fmt.Sprintf(", iteration %d", p.Iteration.Load())
	}
	return text
}

// maxPositions bounds the list of positions in a message.
const maxPositions = 16

// positions says where every node is: "rank 0 on vm0: iterate, iteration 3, round 2, waits for rank 1".
func (t *team) positions() string {
	var list []string
	for i := range min(len(t.processes), maxPositions) {
		p := t.processes[i].progress
		text := fmt.Sprintf("%s: %s, iteration %d, round %d", t.pool.name(i), bench.Stage(p.Stage.Load()), p.Iteration.Load(), p.Round.Load())
		if waiting := int(p.Waiting.Load()) - 1; waiting >= 0 && waiting < len(t.processes) {
			text += ", waits for " + t.pool.name(waiting)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}
