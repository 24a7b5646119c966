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
	"sync"
	"syscall"
	"time"

	"collbench/bench/launch"
)

// agent is one rank's process in a job that a launcher has started: it starts the rank's workers as rank 0 says, and
// opens no vendor's library itself.
type agent struct {
	command []string
	card    launch.Card
	rank    int
	conn    net.Conn
	write   sync.Mutex
	crew    *crew // of the launch under way
	parent  int   // process without which this one has no job any more; 0: there is none
}

// Times of an agent.
const (
	// silentFleet is how long rank 0 may be silent before its agents give it up; it speaks every pingEvery.
	silentFleet = 30 * time.Second
	// farewell is how long an agent that was told to end waits until rank 0 has kept its results.
	farewell = 4 * time.Second
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

// join connects with rank 0.
func (a *agent) join(ctx context.Context, me about) error {
	data, err := json.Marshal(me)
	if err != nil {
		return err
	}
	if a.conn, err = launch.Knock(ctx, a.card, launch.Header{Rank: a.rank, Purpose: forAgent, Data: data}); err != nil {
		return err
	}
	a.card.Addresses = []string{a.conn.RemoteAddr().String()} // the workers go the same way
	return nil
}

// serve does what rank 0 says until it says goodbye. When ctx ends it tells rank 0, which ends the job.
func (a *agent) serve(ctx context.Context) error {
	defer a.conn.Close()
	defer func() { a.dismiss() }()
	stop := context.AfterFunc(ctx, func() {
		a.tell(order{Kind: signalled, Text: "told to end (SIGINT or SIGTERM)"})
		time.AfterFunc(farewell, func() { a.conn.Close() })
	})
	defer stop()
	for {
		a.conn.SetReadDeadline(time.Now().Add(silentFleet))
		var o order
		if err := receiveFrame(a.conn, &o); err != nil {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, os.ErrDeadlineExceeded):
				return fmt.Errorf("rank 0 has been silent for %s", silentFleet)
			}
			return fmt.Errorf("rank 0 is gone: %w", err)
		}
		switch o.Kind {
		case startNodes:
			a.dismiss()
			a.crew = newCrew(a, o)
			go a.crew.start(ctx, o)
		case killNodes:
			if a.crew != nil && a.crew.launch == o.Launch {
				a.dismiss()
			}
		case askState:
			if a.parent != 0 && os.Getppid() != a.parent {
				return errors.New("the launcher is gone")
			}
			a.tell(order{Kind: nodeStates, Launch: o.Launch, States: a.crew.states(o.Launch)})
		case endAgent:
			syscall.Kill(o.PID, syscall.SIGKILL)
		case goodbye:
			return ctx.Err()
		default:
			return fmt.Errorf("rank 0 gives an unknown order %q", o.Kind)
		}
	}
}

// dismiss ends the crew, if there is one.
func (a *agent) dismiss() {
	if a.crew != nil {
		a.crew.end()
		a.crew = nil
	}
}

// tell sends rank 0 an answer. Where that fails the reading side notices too.
func (a *agent) tell(o order) {
	a.write.Lock()
	defer a.write.Unlock()
	a.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_ = sendFrame(a.conn, string(o.Kind), o)
}

// crew is what an agent has started for one launch.
type crew struct {
	agent  *agent
	launch int
	work   context.Context
	stop   context.CancelFunc
	began  chan struct{} // closed when start is done
	mutex  sync.Mutex
	page   *progressPage
	nodes  map[int]*child
}

func newCrew(a *agent, o order) *crew {
	c := &crew{agent: a, launch: o.Launch, nodes: map[int]*child{}, began: make(chan struct{})}
	c.work, c.stop = context.WithCancel(context.Background())
	return c
}

// start starts the nodes of an order and tells rank 0 how that went.
func (c *crew) start(ctx context.Context, o order) {
	defer close(c.began)
	if err := c.startAll(ctx, o); err != nil {
		c.agent.tell(order{Kind: notStarted, Launch: c.launch, Text: err.Error()})
	}
}

func (c *crew) startAll(_ context.Context, o order) error {
	page, err := newProgressPage(o.Total)
	if err != nil {
		return err
	}
	c.mutex.Lock()
	c.page = page
	c.mutex.Unlock()
	files, err := c.shared(o)
	defer closeAll(files)
	if err != nil {
		return err
	}
	for _, node := range o.Nodes {
		if err := c.startOne(node, files); err != nil {
			return fmt.Errorf("node %d: %w", node, err)
		}
	}
	return nil
}

// shared makes the memory of the host, or gets it from the agent that does.
func (c *crew) shared(o order) ([]*os.File, error) {
	switch {
	case len(o.Members) < 2:
		return nil, nil
	case !o.Keeper:
		return takeOver(c.work, o.Socket, 1+len(o.Members))
	}
	files, err := share(len(o.Members))
	if err != nil || o.Mates == 0 {
		return files, err
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: o.Socket, Net: "unixpacket"})
	if err != nil {
		return files, fmt.Errorf("handing over the shared memory: %w", err)
	}
	return files, handOver(c.work, listener, files, o.Mates)
}

// startOne starts a node, whose control connection goes straight to rank 0.
func (c *crew) startOne(node int, shared []*os.File) error {
	data, err := json.Marshal(seat{Launch: c.launch, Node: node})
	if err != nil {
		return err
	}
	conn, err := launch.Knock(c.work, c.agent.card, launch.Header{Rank: c.agent.rank, Purpose: forWorker, Data: data})
	if err != nil {
		return err
	}
	defer conn.Close()
	control, err := conn.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	defer control.Close()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.work.Err() != nil {
		return c.work.Err()
	}
	w, err := fork(c.agent.command, nil, nil, append([]*os.File{control, c.page.file}, shared...))
	if err != nil {
		return err
	}
	c.nodes[node] = w
	c.agent.tell(order{Kind: nodeStarted, Launch: c.launch, Node: node, PID: w.cmd.Process.Pid})
	go func() {
		<-w.exited
		c.agent.tell(order{Kind: nodeDead, Launch: c.launch, Node: node, Text: w.death()})
	}()
	return nil
}

// end ends all nodes and returns when they are gone.
func (c *crew) end() {
	c.stop()
	c.mutex.Lock()
	for _, w := range c.nodes {
		w.kill()
	}
	c.mutex.Unlock()
	<-c.began
	for _, w := range c.nodes {
		<-w.exited
	}
	if c.page != nil {
		c.page.close()
	}
}

// states says how far the nodes of the launch are.
func (c *crew) states(launch int) []nodeState {
	if c == nil || c.launch != launch {
		return nil
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var list []nodeState
	for node, w := range c.nodes {
		p := c.page.of(node)
		list = append(list, nodeState{Node: node, Stopped: w.trouble() != "", Stage: p.Stage.Load(), Iteration: p.Iteration.Load(),
			Round: p.Round.Load(), Waiting: p.Waiting.Load()})
	}
	return list
}
