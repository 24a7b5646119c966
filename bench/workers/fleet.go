package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"collbench/bench/launch"
)

// Fleet is the agents of a job, one a rank, as rank 0 sees them: a star, whose centre is rank 0. It starts workers
// through them, and gives the job up when one of them is lost.
type Fleet struct {
	members  []*member // by rank; nil: has not joined
	missing  int
	all      chan struct{} // closed when all have joined
	door     *launch.Door
	give     context.CancelCauseFunc // ends the job
	log      func(format string, args ...any)
	mutex    sync.Mutex
	launches int
	crew     *fleetCrew // of the launch under way
	lost     error      // why the job cannot go on
	closed   bool
	work     sync.WaitGroup
}

// member is an agent as rank 0 sees it.
type member struct {
	about
	rank  int
	name  string // of the host, told apart from others of the same name
	conn  net.Conn
	write sync.Mutex
	heard time.Time // of the last answer; under the fleet's mutex
	gone  bool
}

// Options are how a process takes part in a job.
type Options struct {
	Command   []string // the program and arguments whose main function calls Serve
	Interface string   // name or prefix of the network to use; "": see launch.Addresses
	Join      time.Duration
	Log       func(format string, args ...any) // of what the user should know, line by line
}

// watchParents says whether a launcher stays as long as the processes that it started.
func watchParents(w *launch.World) bool {
	switch w.Launcher {
	case "pmix", "pmi1", "slurm", "torchrun":
		return true
	}
	return false
}

// errTold is the cause of a context that ends because some rank was told to end.
var errTold = errors.New("told to end")

// Join is the life of a rank that is not rank 0: it joins the job and serves until rank 0 ends it. x is closed.
func Join(ctx context.Context, w *launch.World, x launch.Exchange, parent int, o Options) error {
	a, err := joinAs(ctx, w, x, o)
	if err != nil {
		return err
	}
	if watchParents(w) {
		a.parent = parent
	}
	return a.serve(ctx)
}

func joinAs(ctx context.Context, w *launch.World, x launch.Exchange, o Options) (*agent, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Join)
	defer cancel()
	defer x.Close()
	card, err := launch.Visit(ctx, x)
	if err != nil {
		return nil, err
	}
	me, err := describe(w.LocalRank, o.Interface)
	if err != nil {
		return nil, err
	}
	a := &agent{command: o.Command, card: card, rank: w.Rank}
	return a, a.join(ctx, me)
}

// Gather is rank 0's way into the job: it returns when all ranks have joined. The context that it returns ends with
// the fleet, with the reason as its cause. x is closed.
func Gather(ctx context.Context, w *launch.World, x launch.Exchange, o Options) (*Fleet, context.Context, error) {
	defer x.Close()
	me, err := describe(w.LocalRank, o.Interface)
	if err != nil {
		return nil, nil, err
	}
	job, give := context.WithCancelCause(ctx)
	f := &Fleet{members: make([]*member, w.Size), missing: w.Size, all: make(chan struct{}), give: give, log: o.Log}
	wait, cancel := context.WithTimeout(job, o.Join)
	defer cancel()
	door, card, err := launch.Receive(wait, x, o.Interface, f.admit, f.enter, func(from string, why error) {
		f.log("refused a connection from %s: %v", from, why)
	})
	if err != nil {
		return nil, nil, err
	}
	f.door = door
	own := &agent{command: o.Command, card: card}
	if err = own.join(wait, me); err == nil {
		f.work.Go(func() { own.serve(context.WithoutCancel(ctx)) })
		select {
		case <-f.all:
		case <-wait.Done():
			err = errors.Join(f.absent(o.Join), ctx.Err())
		}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	f.work.Go(func() { f.watch(job) })
	return f, job, nil
}

// admit says why an agent or a worker that knows the secret is refused.
func (f *Fleet) admit(h launch.Header) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	switch {
	case h.Rank < 0 || h.Rank >= len(f.members):
		return fmt.Errorf("rank %d: there are %d", h.Rank, len(f.members))
	case h.Purpose == forAgent && f.members[h.Rank] != nil:
		return fmt.Errorf("rank %d is here already, on %s: do two processes have the same rank?", h.Rank, f.members[h.Rank].Host)
	case h.Purpose == forWorker && f.seatOf(h) == nil:
		return errors.New("no such worker is expected")
	case h.Purpose != forAgent && h.Purpose != forWorker:
		return fmt.Errorf("unknown purpose %q", h.Purpose)
	}
	return nil
}

// seatOf is the place of a worker in the launch under way; nil: it has none, or its connection is there already.
func (f *Fleet) seatOf(h launch.Header) *remote {
	var s seat
	if json.Unmarshal(h.Data, &s) != nil || f.crew == nil || s.Launch != f.crew.launch || s.Node < 0 || s.Node >= len(f.crew.nodes) {
		return nil
	}
	r := f.crew.nodes[s.Node]
	if r.owner.rank != h.Rank || r.process.conn != nil {
		return nil
	}
	return r
}

// enter takes in a connection that was let in.
func (f *Fleet) enter(h launch.Header, conn net.Conn) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if h.Purpose == forWorker {
		if r := f.seatOf(h); r != nil {
			r.process.conn = conn
			f.crew.changed()
			return
		}
		conn.Close()
		return
	}
	m := &member{rank: h.Rank, conn: conn, heard: time.Now()}
	if f.closed || f.members[h.Rank] != nil || json.Unmarshal(h.Data, &m.about) != nil {
		conn.Close()
		return
	}
	m.Host = plain(m.Host)
	f.members[h.Rank] = m
	f.work.Go(func() { f.listen(m) })
	if f.missing--; f.missing == 0 {
		f.nameHosts()
		close(f.all)
	}
}

// plain makes a host's name safe to print.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '\uFFFD' || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, name)
	if len(name) > 64 {
		name = name[:64]
	}
	if name == "" {
		name = "localhost"
	}
	return name
}

// absent names the ranks that have not joined.
func (f *Fleet) absent(after time.Duration) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var list []string
	for rank, m := range f.members {
		if m == nil && len(list) < maxPositions {
			list = append(list, fmt.Sprint(rank))
		}
	}
	return fmt.Errorf("%d of %d ranks have not come within %s: %s", f.missing, len(f.members), after, strings.Join(list, ", "))
}

// listen takes what an agent says, until it is gone.
func (f *Fleet) listen(m *member) {
	for {
		var o order
		err := receiveFrame(m.conn, &o)
		f.mutex.Lock()
		m.heard = time.Now()
		switch {
		case err != nil:
			f.lose(m, fmt.Errorf("rank %d on %s: its agent (pid %d) is gone", m.rank, m.name, m.PID))
		case o.Kind == signalled:
			f.lose(nil, fmt.Errorf("rank %d on %s was %s", m.rank, m.name, o.Text))
			f.give(errTold)
		case f.crew != nil && o.Launch == f.crew.launch:
			f.crew.take(m, o)
		}
		f.mutex.Unlock()
		if err != nil {
			return
		}
	}
}

// lose gives an agent up, and with it the job; nil stands for none. It says so at once: a launcher that has lost a
// process may leave this one no time. The mutex is held.
func (f *Fleet) lose(m *member, why error) {
	if m != nil {
		if m.gone {
			return
		}
		m.gone = true
		m.conn.Close()
	}
	if f.closed {
		return
	}
	if f.lost == nil {
		f.lost = why
		f.log("%v", why)
	}
	if f.crew != nil && m != nil {
		f.crew.orphan(m)
	}
}

// watch asks all agents now and then whether they are there.
func (f *Fleet) watch(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		f.giveUp(time.Now().Add(-silence))
		f.ask()
	}
}

// silent lists the agents that have not been heard since.
func (f *Fleet) silent(since time.Time) (list []*member) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, m := range f.members {
		if m != nil && !m.gone && m.heard.Before(since) {
			list = append(list, m)
		}
	}
	return list
}

// giveUp gives up the agents that have not been heard since.
func (f *Fleet) giveUp(since time.Time) {
	for _, m := range f.silent(since) {
		f.mutex.Lock()
		f.lose(m, fmt.Errorf("rank %d on %s: its agent (pid %d) does not answer", m.rank, m.name, m.PID))
		f.mutex.Unlock()
		f.endStopped(m)
	}
}

// endStopped has an agent that does not answer ended by another one of its host: stopped as it probably is, it would
// outlive the job, and its launcher would wait for it.
func (f *Fleet) endStopped(m *member) {
	for _, mate := range f.members {
		if mate != nil && mate != m && !mate.gone && mate.Identity == m.Identity {
			f.tell(mate, order{Kind: endAgent, PID: m.PID})
			return
		}
	}
}

// ask asks all agents for the state of their nodes.
func (f *Fleet) ask() {
	f.mutex.Lock()
	number, members := 0, f.members
	if f.crew != nil {
		number = f.crew.launch
	}
	f.mutex.Unlock()
	for _, m := range members {
		if m == nil {
			continue
		}
		f.tell(m, order{Kind: askState, Launch: number})
	}
}

// tell sends an agent an order. One that cannot take it will be lost for its silence.
func (f *Fleet) tell(m *member, o order) {
	m.write.Lock()
	defer m.write.Unlock()
	m.conn.SetWriteDeadline(time.Now().Add(time.Second))
	if err := sendFrame(m.conn, string(o.Kind), o); err != nil {
		m.conn.Close()
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
	members := f.members
	f.mutex.Unlock()
	f.door.Close()
	for _, m := range members {
		if m != nil {
			f.tell(m, order{Kind: goodbye})
		}
	}
	f.give(context.Canceled)
	deadline := time.AfterFunc(deathTime, func() {
		for _, m := range members {
			if m != nil {
				m.conn.Close()
			}
		}
	})
	f.work.Wait()
	deadline.Stop()
	return nil
}
