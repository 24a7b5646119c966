package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"collbench/bench/launch"
)

// agent is one rank's process in a job that a launcher has started: it starts the rank's workers as rank 0 says, and
// passes on what rank 0 and the agents below it have to say to each other. It opens no vendor's library itself.
type agent struct {
	*branch
	command []string
	look    func() []byte // at this host; nil: nobody can
	early   *early        // a worker that was started before the ranks had met; nil: none was
	crew    *crew         // of the launch under way
	watched int           // process without which this one has no job any more; 0: there is none
}

// Times of an agent.
const (
	// silentParent is how long the agent above may be silent before those below give it up; what rank 0 says to all
	// comes every pingEvery.
	silentParent = 20 * time.Second
	// farewell is how long an agent that was told to end waits until rank 0 has kept its results.
	farewell = 4 * time.Second
	// leaveTime is how long the agents below may take to end after a goodbye.
	leaveTime = 2 * time.Second
)

// describe says who this process is.
func describe(localRank int, choice string) (about, error) {
	a := about{LocalRank: localRank, PID: os.Getpid()}
	a.Host, _ = os.Hostname()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	network, _ := os.Readlink("/proc/self/ns/net")
	numbers, _ := os.Readlink("/proc/self/ns/pid")
	a.Identity = strings.Join([]string{a.Host, strings.TrimSpace(string(boot)), network, numbers}, " ")
	if cpus := CPUs(); len(cpus) < online() && len(cpus) <= 1024 {
		a.CPUs = cpus
	}
	if choice != "" {
		list, err := launch.Addresses(choice)
		if err != nil {
			return a, fmt.Errorf("--interface: %w", err)
		}
		a.Address = list[0]
	}
	return a, nil
}

// online counts the processors that are switched on.
func online() int {
	text, _ := os.ReadFile("/sys/devices/system/cpu/online")
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(text)), ",") {
		first, last, ranged := strings.Cut(part, "-")
		a, err := strconv.Atoi(first)
		if err != nil {
			continue
		}
		b := a
		if ranged {
			b, _ = strconv.Atoi(last)
		}
		n += max(0, b-a+1)
	}
	return n
}

// parentEdge is the edge to the agent above.
type parentEdge struct {
	edge
	place
}

func (p *parentEdge) String() string {
	if p.Parent == 0 {
		return "rank 0"
	}
	return fmt.Sprintf("rank %d on %s, through which rank 0 is reached,", p.Parent, plain(p.Name))
}

// join finds this agent's place in the tree. Where others hang below it, it lets them in.
func (a *agent) join(ctx context.Context, card launch.Card, me about, log func(string, ...any)) (*parentEdge, error) {
	above := make(chan *parentEdge, 1) // children may come before this agent has its own place
	a.up = func(p packet) {
		up, ok := <-above
		if ok {
			above <- up
			up.send(p)
		}
	}
	if childrenOf(a.rank, a.size) > 0 {
		door, err := a.letIn(card.Secret, log)
		if err != nil {
			return nil, err
		}
		me.Port = door.Port()
	}
	p, err := a.findPlace(ctx, card, me)
	if err != nil {
		close(above)
		return nil, err
	}
	above <- p
	return p, nil
}

// findPlace asks rank 0 for the agent above, and connects with it.
func (a *agent) findPlace(ctx context.Context, card launch.Card, me about) (*parentEdge, error) {
	data, err := json.Marshal(me)
	if err != nil {
		return nil, err
	}
	conn, err := launch.Knock(ctx, card, launch.Header{Rank: a.rank, Purpose: forAgent, Data: data})
	if err != nil {
		return nil, err
	}
	p := &parentEdge{}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })
	err = receiveFrame(conn, &p.place)
	if !stop() || err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("waiting for a place below rank %d: %w", parentOf(a.rank), context.Cause(ctx))
		}
		return nil, fmt.Errorf("rank 0 is gone: %w", err)
	}
	if p.Parent != 0 {
		conn.Close()
		conn, err = launch.Knock(ctx, launch.Card{Secret: card.Secret, Addresses: p.Addresses}, launch.Header{Rank: a.rank, Purpose: forAgent})
		if err != nil {
			return nil, fmt.Errorf("rank %d: %w", p.Parent, err)
		}
	}
	p.conn = conn
	return p, nil
}

// letIn opens the door for the agents below, and closes it when all have come.
func (a *agent) letIn(secret []byte, log func(string, ...any)) (*launch.Door, error) {
	var door *launch.Door
	opened := make(chan struct{})
	defer close(opened)
	admit := func(h launch.Header) error {
		if h.Purpose != forAgent {
			return fmt.Errorf("unknown purpose %q", h.Purpose)
		}
		return a.room(h.Rank)
	}
	enter := func(h launch.Header, conn net.Conn) {
		complete := a.adopt(h.Rank, conn)
		a.up(orderPacket(a.rank, order{Kind: childJoined, Node: h.Rank}))
		if complete {
			<-opened
			go door.Close()
		}
	}
	var err error
	door, err = launch.OpenDoor(nil, secret, admit, enter, refusals(log))
	return door, err
}

// serve does what rank 0 says until it says goodbye. When ctx ends it tells rank 0, which ends the job.
func (a *agent) serve(ctx context.Context, above *parentEdge) error {
	defer a.cut()
	defer func() { a.dismiss(true) }()
	defer above.conn.Close()
	stop := context.AfterFunc(ctx, func() {
		a.tell(order{Kind: signalled, Text: "told to end (SIGINT or SIGTERM)"})
		time.AfterFunc(farewell, func() { above.conn.Close() })
	})
	defer stop()
	for {
		above.conn.SetReadDeadline(time.Now().Add(silentParent))
		p, err := readPacket(above.conn)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			if above.Near && above.PID > 0 { // stopped, as it probably is, it would keep its launcher waiting
				syscall.Kill(above.PID, syscall.SIGKILL)
			}
			return fmt.Errorf("%s has been silent for %s", above, silentParent)
		default:
			return fmt.Errorf("%s is gone: %w", above, err)
		}
		a.down(p)
		if p.rank != everybody && int(p.rank) != a.rank {
			continue
		}
		if done, err := a.take(p); done || err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// take does what a packet for this agent says. Done: it was the last.
func (a *agent) take(p packet) (done bool, err error) {
	if p.kind == forWorkers {
		if a.crew != nil && a.crew.launch == int(p.launch) {
			a.crew.deliver(p.body)
		}
		return false, nil
	}
	o, err := p.order()
	if err != nil {
		return false, err
	}
	mine := a.crew != nil && a.crew.launch == o.Launch
	switch o.Kind {
	case startNodes:
		a.endCrew(true)
		a.crew = newCrew(a, o)
		go a.crew.start(o)
	case dismissNodes:
		if mine {
			a.crew.release()
		}
	case killNodes:
		if mine {
			a.dismiss(true)
		}
	case askState:
		if a.watched != 0 && os.Getppid() != a.watched {
			return false, errors.New("the launcher is gone")
		}
		a.tell(order{Kind: nodeStates, Launch: o.Launch, States: a.crew.states(o.Launch)})
	case examineHost:
		a.examine()
	case endAgent:
		syscall.Kill(o.PID, syscall.SIGKILL)
	case goodbye:
		a.dismiss(false)
		a.leave(leaveTime)
		return true, nil
	default:
		return false, fmt.Errorf("rank 0 gives an unknown order %q", o.Kind)
	}
	return false, nil
}

// dismiss ends all that this agent has started: at once, or by leave of the nodes, which have little time for that.
func (a *agent) dismiss(atOnce bool) {
	a.endCrew(atOnce)
	if a.early != nil {
		a.early.end()
	}
}

// endCrew ends the crew, if there is one.
func (a *agent) endCrew(atOnce bool) {
	if a.crew != nil {
		a.crew.end(atOnce)
		a.crew = nil
	}
}

// tell sends rank 0 an answer. Where that fails the reading side notices too.
func (a *agent) tell(o order) { a.up(orderPacket(a.rank, o)) }
