package workers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"collbench/bench/launch"
)

// Fleet is the agents of a job, one a rank, as rank 0 sees them. It starts workers through them, and gives the job up
// when one of them is lost.
type Fleet struct {
	own      *agent     // rank 0's, whose branch is the tree's root
	obeying  sync.Mutex // held while rank 0's agent does what it is told
	members  []*member  // by rank; nil: has not come
	waiting  map[int][]*member
	missing  int
	all      chan struct{} // closed when all have joined
	door     *launch.Door
	give     context.CancelCauseFunc // ends the job
	log      func(format string, args ...any)
	mutex    sync.Mutex
	launches int
	crew     *fleetCrew       // of the launch under way
	answers  chan examination // of hosts that were asked; nil: none was
	lost     error            // why the job cannot go on
	closed   bool
	work     sync.WaitGroup
}

// member is an agent as rank 0 sees it.
type member struct {
	about
	rank   int
	name   string   // of the host, told apart from others of the same name
	ends   ends     // of the connection by which it came
	conn   net.Conn // that connection; nil on rank 0
	joined bool     // it has its place in the tree
	heard  time.Time
	gone   bool
}

// Options are how a process takes part in a job.
type Options struct {
	Command   []string // the program and arguments whose main function calls Serve
	Interface string   // name or prefix of the network to use; "": see launch.Addresses
	Join      time.Duration
	Log       func(format string, args ...any) // of what the user should know, line by line
	Examine   func() []byte                    // what rank 0 gets to know of this host when it asks (Fleet.Examine); nil: nothing
}

// errTold is the cause of a context that ends because some rank was told to end.
var errTold = errors.New("told to end")

// Gather is rank 0's way into the job: it returns when all ranks have joined. The context that it returns ends with
// the fleet, with the reason as its cause. x is closed.
func Gather(ctx context.Context, w *launch.World, x launch.Exchange, o Options) (*Fleet, context.Context, error) {
	defer x.Close()
	me, err := describe(w.LocalRank, o.Interface)
	if err != nil {
		return nil, nil, err
	}
	job, give := context.WithCancelCause(ctx)
	f := &Fleet{all: make(chan struct{}), give: give, log: o.Log, waiting: map[int][]*member{}}
	wait, cancel := context.WithTimeout(job, o.Join)
	defer cancel()
	if err = f.open(wait, w, x, me, o); err == nil {
		select {
		case <-f.all:
		case <-wait.Done():
			if err = f.Lost(); err == nil {
				err = errors.Join(f.absent(o.Join), ctx.Err())
			}
		}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	f.work.Go(func() { f.watch(job) })
	return f, job, nil
}

// open lets the other ranks in. The size of the world may be known only after its meeting.
func (f *Fleet) open(ctx context.Context, w *launch.World, x launch.Exchange, me about, o Options) error {
	f.own = &agent{command: o.Command, look: o.Examine, early: earlyOf(x), branch: newBranch(0, w.Size, f.hear)}
	ready := make(chan struct{}) // the others are admitted when rank 0 is there itself
	admit := func(h launch.Header) error { <-ready; return f.admit(h) }
	door, _, err := launch.Receive(ctx, x, o.Interface, admit, f.enter, refusals(f.log))
	if err != nil {
		close(ready)
		return err
	}
	me.Port = door.Port()
	f.mutex.Lock()
	f.door, f.members, f.missing, f.own.size = door, make([]*member, w.Size), w.Size, w.Size
	f.members[0] = &member{about: me, heard: time.Now(), ends: ends{loopback, loopback}}
	f.members[0].Host = plain(me.Host)
	f.join(f.members[0])
	f.mutex.Unlock()
	close(ready)
	return nil
}

// hear takes what an agent says. It is called from many goroutines, and passes on what workers say.
func (f *Fleet) hear(p packet) {
	f.mutex.Lock()
	m, crew := f.memberOf(int(p.rank)), f.crew
	if m != nil {
		m.heard = time.Now()
	}
	f.mutex.Unlock()
	switch {
	case m == nil:
	case p.kind == forAgents:
		o, err := p.order()
		if err != nil {
			f.log("%v", err)
			return
		}
		f.answer(m, o)
	case crew != nil && int(p.launch) == crew.launch:
		crew.hear(m, p)
	}
}

// answer takes what an agent answers.
func (f *Fleet) answer(m *member, o order) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	switch {
	case o.Kind == childJoined:
		if child := f.memberOf(o.Node); child != nil {
			f.join(child)
		}
	case o.Kind == agentGone:
		if child := f.memberOf(o.Node); child != nil {
			f.lose(child, fmt.Errorf("rank %d on %s: its agent (pid %d) is gone", child.rank, child.name, child.PID))
		}
	case o.Kind == signalled:
		f.lose(nil, fmt.Errorf("rank %d on %s was %s", m.rank, m.name, o.Text))
		f.give(errTold)
	case o.Kind == hostExamined:
		f.examined(m, o)
	case f.crew != nil && o.Launch == f.crew.launch:
		f.crew.take(m, o)
	}
}

func (f *Fleet) memberOf(rank int) *member {
	if rank < 0 || rank >= len(f.members) {
		return nil
	}
	return f.members[rank]
}

// lose gives an agent up, and with it the job; nil stands for none. It says so at once: a launcher that has lost a
// process may leave this one no time. The mutex is held.
func (f *Fleet) lose(m *member, why error) {
	if m != nil && m.gone || f.closed {
		return
	}
	if m != nil {
		m.gone = true
	}
	if f.lost == nil {
		f.lost = why
		f.log("%v", why)
	}
	if f.missing > 0 { // nobody need wait for the others
		f.give(why)
	}
	if f.crew != nil && m != nil {
		f.crew.orphan(m)
	}
}

// tell gives an agent, or everybody, an order.
func (f *Fleet) tell(rank int, o order) { f.down(orderPacket(rank, o)) }

// down sends a packet to the agents below, and to rank 0's own. The mutex is not held: an edge may block.
func (f *Fleet) down(p packet) {
	f.own.down(p)
	if p.rank == everybody || p.rank == 0 {
		f.obeying.Lock()
		defer f.obeying.Unlock()
		if _, err := f.own.take(p); err != nil {
			f.log("%v", err)
		}
	}
}

// Lost says why the job could not go on: which agent was lost or told to end; nil: none was.
func (f *Fleet) Lost() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.lost
}

// farewellCheck bounds how long agents may take to show that they are there before a goodbye.
const farewellCheck = 2 * time.Second

// Close says goodbye to all agents, which end what they have started and themselves.
func (f *Fleet) Close() error {
	// Who cannot take a goodbye has to be ended while there still are others to do it.
	start := time.Now()
	f.ask()
	for len(f.silent(start)) > 0 && time.Since(start) < farewellCheck {
		time.Sleep(time.Millisecond)
	}
	f.giveUp(start)
	f.mutex.Lock()
	f.closed = true
	f.mutex.Unlock()
	if f.door != nil {
		f.door.Close()
	}
	f.tell(everybody, order{Kind: goodbye})
	f.give(context.Canceled)
	f.own.leave(deathTime)
	f.work.Wait()
	return nil
}
