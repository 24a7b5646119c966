package workers

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"collbench/collectives"
)

// local starts workers as children of this process.
type local struct {
	pool  *Pool
	page  *progressPage
	nodes []*localNode
}

// localNode is a worker that is this process's child.
type localNode struct {
	*child
	conn net.Conn
	pace observer
	page *progressPage
	node int
}

func (n *localNode) still() time.Duration { return n.pace.still(n.page.of(n.node)) }

func (l *local) refresh() {}

func (l *local) end() {
	l.dismiss()
	if l.page != nil {
		l.page.close()
	}
}

func (l *local) start(_ context.Context, environment []string, heard func(event)) (processes []*process, err error) {
	nodes := l.pool.Nodes
	if l.page, err = newProgressPage(len(nodes)); err != nil {
		return nil, err
	}
	shared := map[string][]*os.File{}
	defer func() {
		for _, files := range shared {
			closeAll(files)
		}
	}()
	members := l.pool.members()
	for i, n := range nodes {
		mates := members[n.Host]
		if len(mates) > 1 && shared[n.Host] == nil {
			if shared[n.Host], err = share(len(mates)); err != nil {
				return processes, err
			}
		}
		w, err := l.startOne(i, environment, mates, shared[n.Host])
		if err != nil {
			return processes, fmt.Errorf("starting %s: %w", l.pool.name(i), err)
		}
		l.nodes = append(l.nodes, w)
		processes = append(processes, &process{handle: w, pid: w.cmd.Process.Pid, exited: w.exited, progress: l.page.of(i)})
		go w.listen(heard)
	}
	return processes, nil
}

// startOne starts one node, which shares the files with the others of its host.
func (l *local) startOne(node int, environment []string, mates []collectives.Node, shared []*os.File) (*localNode, error) {
	s := seat{Node: collectives.Node(node), Team: l.pool.teams}
	files := shared
	if len(mates) > 1 {
		s.Members, s.Bytes = mates, segmentBytes
	}
	if p := l.pool.Pace; p != nil {
		files = append(files[:len(files):len(files)], p.File)
		s.PaceFD = paceFD(len(mates))
	}
	base := l.pool.Env
	if base == nil {
		base = os.Environ()
	}
	child, conn, err := startWorker(l.pool.Command, append(base[:len(base):len(base)], environment...), l.pool.Nodes[node].Start, l.page.file, files)
	if err != nil {
		return nil, err
	}
	n := &localNode{child: child, conn: conn, page: l.page, node: node}
	_ = n.send(message{Kind: takeSeat, Seat: &s}) // one that is dead already says how it died
	return n, nil
}

// send gives up after a while: a process that is stopped does not read.
func (n *localNode) send(m message) error {
	n.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	return send(n.conn, m)
}

// listen passes on what the process says, until it closes the connection.
func (n *localNode) listen(heard func(event)) {
	for {
		m, err := receive(n.conn)
		if err != nil {
			return // it is dead, or will be
		}
		heard(event{node: n.node, message: m})
	}
}

func (l *local) broadcast(m message) error {
	for i, n := range l.nodes {
		if err := n.send(m); err != nil {
			return fmt.Errorf("%s: %w", l.pool.name(i), err)
		}
	}
	return nil
}

func (l *local) dismiss() {
	for _, n := range l.nodes {
		n.conn.Close()
	}
}

func (l *local) kill() {
	for _, n := range l.nodes {
		n.child.kill()
	}
}

// paceFD is the descriptor of the pace's file in a worker with so many nodes on its host.
func paceFD(mates int) int {
	if mates > 1 {
		return bellsFD + mates
	}
	return segmentFD
}

// share makes the memory of a host and a bell for each member.
func share(members int) ([]*os.File, error) {
	segment, err := anonymous("segment", segmentBytes)
	if err != nil {
		return nil, err
	}
	files := []*os.File{segment}
	for range members {
		b, err := bell()
		if err != nil {
			return files, err
		}
		files = append(files, b)
	}
	return files, nil
}
