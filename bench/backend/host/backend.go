// Package host measures collectives that this program carries out itself, between worker processes, over shared
// memory or TCP.
//
// It stands between the measuring loop, whose Backend it is, and collectives/host, which runs the programs: it
// chooses the algorithm where that is left to it, connects the nodes, keeps buffers, times, and verifies.
package host

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/algorithms"
	"collbench/collectives/host"
)

// Backend is the host backend.
type Backend struct{}

// Name implements bench.Backend.
func (Backend) Name() string { return "host" }

// The transports and kinds of buffers, by the names that a case has for them.
const (
	overShm    = "shm"
	overTCP    = "tcp"
	overBoth   = "shm+tcp" // shared memory within a host, TCP between hosts
	private    = "private"
	registered = "registered"
)

// Supports implements bench.Backend.
func (Backend) Supports(c bench.Case) error {
	if d, err := computing(c.How.Variant); err != nil {
		return err
	} else if d > 0 && c.How.Timing == bench.TimingBatch {
		return errors.New("variant compute=…: its computing begins and ends with an iteration: want timing barrier")
	}
	switch c.How.Transport {
	case overTCP, overBoth:
	case overShm:
		if c.Where.Hosts > 1 {
			return fmt.Errorf("transport shm: the ranks are on %d hosts, which share no memory", c.Where.Hosts)
		}
	default:
		return fmt.Errorf("unknown transport %q: want one of shm, tcp, shm+tcp", c.How.Transport)
	}
	switch c.How.Buffers {
	case private:
	case registered:
		if c.How.Transport == overTCP {
			return errors.New("registered buffers: TCP copies every message; they need shm")
		}
	default:
		return fmt.Errorf("unknown buffers %q: want private or registered", c.How.Buffers)
	}
	if c.What.Reduces() && c.What.Reduction == collectives.PreMulSum {
		return fmt.Errorf("%s: an operation of NCCL's", c.What.Reduction)
	}
	if c.What.Operation != "" {
		return supportsMessages(c)
	}
	if c.What.Overwrites() && c.How.Timing == bench.TimingBatch {
		return fmt.Errorf("%s in place back to back would work on its own results: want timing barrier, or out of place", c.What.Collective)
	}
	_, _, err := resolve(c)
	return err
}

// Algorithms implements bench.Backend: the programs.
func (Backend) Algorithms(c collectives.Collective) (names []string) {
	for _, a := range algorithms.For(c) {
		names = append(names, a.Name)
	}
	return names
}

// resolve finds the algorithm that the case names, or the one that is to be chosen, and its shape.
func resolve(c bench.Case) (collectives.Algorithm, collectives.Shape, error) {
	if c.What.Algorithm == bench.Auto {
		return choose(c)
	}
	a, err := algorithms.Find(c.What.Algorithm)
	if err != nil {
		return a, collectives.Shape{}, err
	}
	s, err := c.Shape(a)
	return a, s, err
}

// hello is what the nodes tell each other before they can connect.
type hello struct {
	Address string `json:"address"`
	Share   []byte `json:"share"` // of the secret, which is made of all nodes' shares
}

// Open implements bench.Backend.
func (Backend) Open(ctx context.Context, group bench.Group) (bench.Communicator, error) {
	poller, err := host.NewPoller()
	if err != nil {
		return nil, err
	}
	c := &communicator{group: group, poller: poller}
	if err := c.join(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// join opens this node's end and learns of the others'.
func (c *communicator) join(ctx context.Context) (err error) {
	c.network, err = host.Listen(ctx, c.group.Node(), c.group.Address(), c.poller)
	if err != nil {
		return err
	}
	mine := hello{Address: c.network.Address(), Share: make([]byte, 16)}
	_, _ = rand.Read(mine.Share) // it never fails
	message, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	all, err := c.group.Exchange(ctx, message)
	if err != nil {
		return fmt.Errorf("exchange of addresses: %w", err)
	}
	peers := make([]host.Peer, len(all))
	var secret []byte
	for v, message := range all {
		var theirs hello
		if err := json.Unmarshal(message, &theirs); err != nil {
			return fmt.Errorf("address of %s: %w", c.name(collectives.Node(v)), err)
		}
		peers[v] = host.Peer{Name: c.name(collectives.Node(v)), Address: theirs.Address}
		secret = append(secret, theirs.Share...)
	}
	c.network.Join(peers, secret)
	if err := c.share(); err != nil {
		return err
	}
	return c.pace()
}

// name is what messages call a node: "rank 3 on vm2", "switch 0 on switch".
func (c *communicator) name(v collectives.Node) string {
	if ranks := c.group.Ranks(); int(v) >= ranks {
		return fmt.Sprintf("switch %d on %s", int(v)-ranks, c.group.Host(v))
	}
	return fmt.Sprintf("rank %d on %s", v, c.group.Host(v))
}

// share takes the memory that the nodes of this host share, if there is any.
func (c *communicator) share() (err error) {
	segment := c.group.Shared()
	if segment == nil {
		return nil
	}
	c.shared, err = host.NewShared(segment.File, segment.Bytes, segment.Members, segment.Bells, c.group.Node())
	if err != nil {
		return err
	}
	c.sleeper, err = host.NewSleeper(c.poller, c.shared)
	return err
}

// pace holds the connections to the rates of links if the group says so.
func (c *communicator) pace() (err error) {
	paced, ok := c.group.(bench.PacedGroup)
	if !ok || paced.Pace() == nil {
		return nil
	}
	p := paced.Pace()
	limits := make([]host.Limits, len(p.Links)+1) // the last: hosts without a link
	places := map[string]int{}
	for i, l := range p.Links {
		limits[i] = host.Limits{Transmit: l.Transmit, Receive: l.Receive}
		places[l.Host] = i
	}
	if c.pacer, err = host.NewPacer(p.File, limits); err != nil {
		return err
	}
	c.network.Pace(c.pacer, func(v collectives.Node) int {
		if i, ok := places[c.group.Host(v)]; ok {
			return i
		}
		return len(p.Links)
	})
	return nil
}
