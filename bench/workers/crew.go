package workers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"collbench/collectives"
)

// crew is what an agent has started for one launch.
type crew struct {
	agent  *agent
	launch int
	work   context.Context
	stop   context.CancelFunc
	began  chan struct{} // closed when start is done
	mutex  sync.Mutex
	page   *progressPage
	nodes  map[int]*crewNode
}

// crewNode is a worker of this rank, or on rank 0 a switch.
type crewNode struct {
	*child
	conn   net.Conn // its control connection
	pace   observer
	silent bool // it has taken no message for long: it is stopped or dead
}

func newCrew(a *agent, o order) *crew {
	c := &crew{agent: a, launch: o.Launch, nodes: map[int]*crewNode{}, began: make(chan struct{})}
	c.work, c.stop = context.WithCancel(context.Background())
	return c
}

// start starts the nodes of an order and tells rank 0 how that went.
func (c *crew) start(o order) {
	defer close(c.began)
	if err := c.startAll(o); err != nil {
		c.agent.tell(order{Kind: notStarted, Launch: c.launch, Text: err.Error()})
	}
}

func (c *crew) startAll(o order) (err error) {
	early := c.agent.early
	var page *progressPage
	if early != nil {
		page, err = early.takePage(o.Total)
	} else {
		page, err = newProgressPage(o.Total)
	}
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
		if err := c.startOne(node, o, files); err != nil {
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

// startOne starts a node, or seats the one that was started before the ranks had met.
func (c *crew) startOne(node int, o order, shared []*os.File) error {
	s := seat{Node: collectives.Node(node), Team: c.launch}
	n := &crewNode{}
	if early := c.agent.early; early != nil {
		if node != c.agent.rank {
			return errors.New("a backend that brings the ranks together by itself has no switches")
		}
		n.child, n.conn = early.child, early.conn
	} else {
		if len(o.Members) > 1 {
			s.Members, s.Bytes = o.Members, segmentBytes
		}
		var err error
		if n.child, n.conn, err = startWorker(c.agent.command, append(os.Environ(), o.Environment...), nil, c.page.file, shared); err != nil {
			return err
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.nodes[node] = n
	if c.work.Err() != nil { // ended meanwhile: end waits for what is in nodes
		n.kill()
		return c.work.Err()
	}
	n.deliver(message{Kind: takeSeat, Seat: &s})
	c.agent.tell(order{Kind: nodeStarted, Launch: c.launch, Node: node, PID: n.cmd.Process.Pid})
	go c.listen(node, n)
	go func() {
		<-n.exited
		c.agent.tell(order{Kind: nodeDead, Launch: c.launch, Node: node, Text: n.death()})
	}()
	return nil
}

// listen passes on what a node says.
func (c *crew) listen(node int, n *crewNode) {
	for {
		body, err := readFrame(n.conn)
		if err != nil {
			return // it is dead, or will be
		}
		c.agent.up(packet{kind: forWorkers, rank: int32(c.agent.rank), launch: int32(c.launch), node: int32(node), body: body})
	}
}

// deliver gives all nodes a message, as it is.
func (c *crew) deliver(body []byte) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, n := range c.nodes {
		n.write(body)
	}
}

func (n *crewNode) deliver(m message) {
	n.conn.SetWriteDeadline(time.Now().Add(edgeTime))
	_ = send(n.conn, m) // one that is dead is reported as that
}

// write gives up after a while: a process that is stopped does not read, and others wait.
func (n *crewNode) write(body []byte) {
	if n.silent {
		return
	}
	n.conn.SetWriteDeadline(time.Now().Add(time.Second))
	n.silent = writeFrame(n.conn, body) != nil
}

// release lets the nodes end by themselves: they do when their control connections close.
func (c *crew) release() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, n := range c.nodes {
		n.conn.Close()
	}
}

// end ends all nodes, at once or after they have had a chance to, and returns when they are gone.
func (c *crew) end(atOnce bool) {
	c.stop()
	if !atOnce {
		c.release()
		c.gone(time.After(grace))
	}
	c.mutex.Lock()
	for _, n := range c.nodes {
		n.kill()
	}
	c.mutex.Unlock()
	<-c.began
	c.gone(nil)
	c.release()
	if c.page != nil {
		c.page.close()
	}
}

// gone waits until all nodes are gone, or until the deadline.
func (c *crew) gone(deadline <-chan time.Time) {
	c.mutex.Lock()
	var list []*crewNode
	for _, n := range c.nodes {
		list = append(list, n)
	}
	c.mutex.Unlock()
	for _, n := range list {
		select {
		case <-n.exited:
		case <-deadline:
			return
		}
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
	for node, n := range c.nodes {
		p := c.page.of(node)
		list = append(list, nodeState{Node: node, Stopped: n.trouble() != "", Stage: p.Stage.Load(), Iteration: p.Iteration.Load(),
			Round: p.Round.Load(), Waiting: p.Waiting.Load(), Still: n.pace.still(p).Seconds()})
	}
	return list
}
