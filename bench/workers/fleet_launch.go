package workers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"collbench/bench"
)

// fleetCrew is the workers of one launch on the hosts of a fleet. It is a starter. The fleet's mutex guards it.
type fleetCrew struct {
	fleet   *Fleet
	pool    *Pool
	launch  int
	nodes   []*remote
	failure error
	news    chan struct{} // something has changed
	asked   map[*member]bool
	heard   func(event) // what a node says
}

// remote is a worker that an agent has started.
type remote struct {
	crew    *fleetCrew
	owner   *member
	process *process
	dead    bool
	how     string // it died
	stopped bool
	where   time.Duration // how long it has been where it is
}

// startTime bounds how long the workers of a launch take to be there.
const startTime = 30 * time.Second

// launch prepares a launch of the pool's nodes: rank i is started by agent i, switches by rank 0's.
func (f *Fleet) launch(p *Pool) *fleetCrew {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.launches++
	c := &fleetCrew{fleet: f, pool: p, launch: f.launches, news: make(chan struct{}, 1)}
	for i := range p.Nodes {
		owner := f.members[0]
		if i < p.Ranks {
			owner = f.members[i]
		}
		r := &remote{crew: c, owner: owner}
		r.process = &process{handle: r, exited: make(chan struct{}), progress: &bench.Progress{}}
		c.nodes = append(c.nodes, r)
	}
	f.crew = c
	return c
}

// start has the agents start all nodes and waits until they have.
func (c *fleetCrew) start(ctx context.Context, environment []string, heard func(event)) (processes []*process, err error) {
	if err := c.fleet.Lost(); err != nil {
		return nil, fmt.Errorf("%w: %w", bench.ErrJobLost, err)
	}
	if c.launch > 1 && c.fleet.own.early != nil {
		return nil, fmt.Errorf("%w: %w", bench.ErrJobLost, errOnce)
	}
	c.fleet.mutex.Lock()
	c.heard = heard
	c.fleet.mutex.Unlock()
	for m, o := range c.orders() {
		o.Environment = environment
		c.fleet.tell(m.rank, o)
	}
	deadline := time.After(startTime)
	for {
		started, ready, err := c.started()
		if ready || err != nil {
			return started, err
		}
		select {
		case <-c.news:
		case <-deadline:
			return started, fmt.Errorf("%s has not come within %s", c.absent(), startTime)
		case <-ctx.Done():
			return started, ctx.Err()
		}
	}
}

// orders are what the agents are told.
func (c *fleetCrew) orders() map[*member]order {
	orders := map[*member]order{}
	for _, nodes := range c.pool.members() {
		o := order{Kind: startNodes, Launch: c.launch, Total: len(c.nodes), Socket: "@collbench-" + rand.Text()}
		if len(nodes) > 1 {
			o.Members = nodes
		}
		var owners []*member
		for _, n := range nodes {
			if m := c.nodes[n].owner; !slices.Contains(owners, m) {
				owners = append(owners, m)
			}
		}
		for i, m := range owners {
			mine := o
			mine.Keeper, mine.Mates = i == 0, len(owners)-1
			for _, n := range nodes {
				if c.nodes[n].owner == m {
					mine.Nodes = append(mine.Nodes, int(n))
				}
			}
			orders[m] = mine
		}
	}
	return orders
}

// started lists the processes that are there, and says whether these are all.
func (c *fleetCrew) started() (list []*process, ready bool, err error) {
	c.fleet.mutex.Lock()
	defer c.fleet.mutex.Unlock()
	ready = true
	for _, r := range c.nodes {
		if r.process.pid == 0 {
			ready = false
		}
		if r.dead && err == nil {
			err = fmt.Errorf("%s (pid %d) %s", c.name(r), r.process.pid, r.how)
		}
	}
	if ready {
		for _, r := range c.nodes {
			list = append(list, r.process)
		}
		return list, true, nil
	}
	return nil, false, errors.Join(c.failure, err)
}

func (c *fleetCrew) name(r *remote) string { return c.pool.name(slices.Index(c.nodes, r)) }

// absent names the first node that is not there.
func (c *fleetCrew) absent() string {
	c.fleet.mutex.Lock()
	defer c.fleet.mutex.Unlock()
	for _, r := range c.nodes {
		if r.process.pid == 0 {
			return c.name(r)
		}
	}
	return "nobody"
}

// changed wakes up whoever waits for news.
func (c *fleetCrew) changed() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// take takes what an agent says of its nodes.
func (c *fleetCrew) take(m *member, o order) {
	defer c.changed()
	if o.Kind == nodeStates {
		delete(c.asked, m)
		for _, s := range o.States {
			if r := c.of(m, s.Node); r != nil {
				r.stopped, r.where = s.Stopped, time.Duration(s.Still*float64(time.Second))
				p := r.process.progress
				p.Stage.Store(s.Stage)
				p.Iteration.Store(s.Iteration)
				p.Round.Store(s.Round)
				p.Waiting.Store(s.Waiting)
			}
		}
		return
	}
	r := c.of(m, o.Node)
	switch {
	case o.Kind == notStarted:
		c.failure = errors.Join(c.failure, fmt.Errorf("rank %d on %s: %s", m.rank, m.name, o.Text))
	case r == nil:
	case o.Kind == nodeStarted:
		r.process.pid = o.PID
	case o.Kind == nodeDead:
		r.die(o.Text)
	}
}

// of is the node with the number, if the agent is the one that starts it.
func (c *fleetCrew) of(m *member, node int) *remote {
	if node < 0 || node >= len(c.nodes) || c.nodes[node].owner != m {
		return nil
	}
	return c.nodes[node]
}

// orphan ends the nodes of an agent that is lost.
func (c *fleetCrew) orphan(m *member) {
	for _, r := range c.nodes {
		if r.owner == m {
			r.die(fmt.Sprintf("ended with its agent (pid %d), which is gone or does not answer", m.PID))
		}
	}
	c.changed()
}

func (r *remote) die(how string) {
	if !r.dead {
		r.dead, r.how = true, how
		close(r.process.exited)
	}
}

func (r *remote) still() time.Duration {
	r.crew.fleet.mutex.Lock()
	defer r.crew.fleet.mutex.Unlock()
	return r.where
}

// hear takes what a node says.
func (c *fleetCrew) hear(m *member, p packet) {
	c.fleet.mutex.Lock()
	r, heard := c.of(m, int(p.node)), c.heard
	c.fleet.mutex.Unlock()
	if r == nil || heard == nil {
		return
	}
	var said message
	if err := json.Unmarshal(p.body, &said); err != nil {
		c.fleet.log("rank %d: control message: %v", m.rank, err)
		return
	}
	heard(event{node: int(p.node), message: said})
}

func (c *fleetCrew) broadcast(m message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("control message %s: %w", m.Kind, err)
	}
	c.fleet.down(packet{kind: forWorkers, rank: everybody, launch: int32(c.launch), body: body})
	return nil
}

func (c *fleetCrew) dismiss() { c.fleet.tell(everybody, order{Kind: dismissNodes, Launch: c.launch}) }
func (c *fleetCrew) kill()    { c.fleet.tell(everybody, order{Kind: killNodes, Launch: c.launch}) }

func (r *remote) death() string {
	r.crew.fleet.mutex.Lock()
	defer r.crew.fleet.mutex.Unlock()
	return r.how
}

func (r *remote) trouble() string {
	r.crew.fleet.mutex.Lock()
	defer r.crew.fleet.mutex.Unlock()
	switch {
	case r.stopped:
		return isStopped
	case r.crew.asked[r.owner]:
		return fmt.Sprintf("cannot be asked, because its agent (pid %d) does not answer,", r.owner.PID)
	}
	return ""
}

// refreshTime bounds how long agents may take to say how far their nodes are.
const refreshTime = time.Second

// refresh asks all agents and waits for their answers.
func (c *fleetCrew) refresh() {
	c.fleet.mutex.Lock()
	c.asked = map[*member]bool{}
	for _, r := range c.nodes {
		c.asked[r.owner] = true
	}
	c.fleet.mutex.Unlock()
	c.fleet.ask()
	deadline := time.After(refreshTime)
	for {
		c.fleet.mutex.Lock()
		left := len(c.asked)
		c.fleet.mutex.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-c.news:
		case <-deadline:
			return
		}
	}
}

// end has the agents give back what belongs to the launch.
func (c *fleetCrew) end() {
	c.fleet.mutex.Lock()
	if c.fleet.crew == c {
		c.fleet.crew = nil
	}
	c.fleet.mutex.Unlock()
	c.kill()
}
