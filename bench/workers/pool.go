package workers

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"collbench/bench"
	"collbench/collectives"
)

// Node is one process to be started: a rank, or behind the ranks a switch.
type Node struct {
	Host    string // nodes of the same host share memory
	Address string // IP address by which the others reach it
	// Start starts the command where the node belongs, such as in another network namespace. It is called on a
	// thread that lives as long as this process, and has to start the command from that thread: when the thread
	// that forked a worker ends, the kernel ends the worker. Nil: cmd.Start.
	Start func(cmd *exec.Cmd) error
}

// Pool starts teams of worker processes. It is a bench.Launcher.
type Pool struct {
	Command []string // the program and arguments whose main function calls Serve
	Env     []string // of the workers; nil: that of this process
	Ranks   int
	Nodes   []Node // ranks, then as many switches as any case needs
	// Timeout bounds each phase. 0: it follows from the case: see team.bound.
	Timeout time.Duration
	// Pace holds the connections between hosts to the rates of links that are not really there; nil: nothing does.
	Pace *bench.Pace
	// Links reads, by rank, the bytes that the rank's link has carried so far. Ranks that share a link share them
	// evenly. Nil: nothing counts.
	Links func() ([]bench.LinkBytes, error)
	teams int // launched so far
	// Fleet starts the processes on the hosts of a job; nil: this process starts them. With it Command, Env, Pace and
	// the nodes' Start are not used.
	Fleet *Fleet
}

// Launch starts the processes, with the environment besides their own, and waits until each of them has answered.
func (p *Pool) Launch(ctx context.Context, environment []string) (bench.Team, error) {
	if p.Ranks < 1 || len(p.Nodes) < p.Ranks {
		return nil, fmt.Errorf("%d nodes for %d ranks", len(p.Nodes), p.Ranks)
	}
	p.teams++
	t := &team{pool: p, events: make(chan event, 64+4*len(p.Nodes)), quit: make(chan struct{})}
	if err := t.start(ctx, environment); err != nil {
		t.broken = true
		t.Close()
		return nil, err
	}
	t.stage = bench.StageOpen
	if _, err := t.collect(ctx, t.bound(30*time.Second)); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// members groups the nodes by host.
func (p *Pool) members() map[string][]collectives.Node {
	hosts := map[string][]collectives.Node{}
	for i, n := range p.Nodes {
		hosts[n.Host] = append(hosts[n.Host], collectives.Node(i))
	}
	return hosts
}

// name names a node in messages: "rank 3 on vm3", "switch 0 on switch".
func (p *Pool) name(node int) string {
	if node >= p.Ranks {
		return fmt.Sprintf("switch %d on %s", node-p.Ranks, p.Nodes[node].Host)
	}
	return fmt.Sprintf("rank %d on %s", node, p.Nodes[node].Host)
}
