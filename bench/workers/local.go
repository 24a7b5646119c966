package workers

import (
	"context"
	"fmt"
	"os"
)

// local starts workers as children of this process.
type local struct {
	pool *Pool
	page *progressPage
}

func (l *local) refresh() {}

func (l *local) end() {
	if l.page != nil {
		l.page.close()
	}
}

func (l *local) start(context.Context) (processes []*process, err error) {
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
		w, err := l.fork(i, shared[n.Host])
		if err != nil {
			return processes, fmt.Errorf("starting %s: %w", l.pool.name(i), err)
		}
		processes = append(processes, w)
	}
	return processes, nil
}

// fork starts one node, which shares the files with the others of its host.
func (l *local) fork(node int, shared []*os.File) (*process, error) {
	conn, theirs, err := controlPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	files := append([]*os.File{theirs, l.page.file}, shared...)
	if p := l.pool.Pace; p != nil {
		files = append(files, p.File)
	}
	c, err := fork(l.pool.Command, l.pool.Env, l.pool.Nodes[node].Start, files)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &process{handle: c, conn: conn, pid: c.cmd.Process.Pid, exited: c.exited, progress: l.page.of(node)}, nil
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
