package workers

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// The control group is a tree of agents: rank r hangs below rank (r−1)/fanout, rank 0 is the root. No process has
// more than fanout connections below it, however many ranks there are, and what rank 0 says to all goes over each
// edge once.

// defaultFanout keeps 4,096 ranks within three edges of rank 0.
const defaultFanout = 16

// fanoutVariable makes trees deep with few ranks, for tests. All ranks must have the same.
const fanoutVariable = "COLLBENCH_TEST_FANOUT"

// fanout is the most children that an agent has.
var fanout = sync.OnceValue(func() int {
	if n, err := strconv.Atoi(os.Getenv(fanoutVariable)); err == nil && n > 0 {
		return n
	}
	return defaultFanout
})

// parentOf is the rank above rank r, which is not 0.
func parentOf(r int) int { return (r - 1) / fanout() }

// childrenOf is how many ranks are right below rank r of so many.
func childrenOf(r, size int) int { return max(0, min(size-1-r*fanout(), fanout())) }

// towards is the child of rank r through which rank to is reached, or −1 if rank to is not below rank r.
func towards(r, to int) int {
	for to > r {
		above := parentOf(to)
		if above == r {
			return to
		}
		to = above
	}
	return -1
}

// edge is a connection to the agent above or to one below.
type edge struct {
	conn  net.Conn
	mutex sync.Mutex
}

// edgeTime bounds how long an edge may take a packet. A process that is stopped takes none once its buffers are full.
const edgeTime = 5 * time.Second

// send sends a packet. Where that fails the edge is closed, which its reading side notices.
func (e *edge) send(p packet) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.conn.SetWriteDeadline(time.Now().Add(edgeTime))
	if err := p.write(e.conn); err != nil {
		e.conn.Close()
	}
}

// branch is an agent's place in the tree: its edges to the agents below it, and the way up.
type branch struct {
	rank, size int
	up         func(packet) // towards rank 0; there, the fleet itself
	mutex      sync.Mutex
	below      map[int]*edge // by rank
	came       int           // children that have come so far
	leaving    bool          // children may go
	work       sync.WaitGroup
}

func newBranch(rank, size int, up func(packet)) *branch {
	return &branch{rank: rank, size: size, up: up, below: map[int]*edge{}}
}

// room says why there is no place for a child with the rank.
func (b *branch) room(rank int) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch {
	case rank <= 0 || rank >= b.size || parentOf(rank) != b.rank:
		return fmt.Errorf("rank %d: has no place below rank %d of %d", rank, b.rank, b.size)
	case b.below[rank] != nil:
		return fmt.Errorf("rank %d is here already: do two processes have the same rank?", rank)
	}
	return nil
}

// adopt takes a child in, passes on what comes up from it, and tells rank 0 when it is gone. It returns whether all
// children are there now.
func (b *branch) adopt(rank int, conn net.Conn) (complete bool) {
	e := &edge{conn: conn}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.leaving || b.below[rank] != nil {
		conn.Close()
		return false
	}
	b.below[rank] = e
	b.came++
	b.work.Go(func() { b.listen(rank, e) })
	return b.came == childrenOf(b.rank, b.size)
}

func (b *branch) listen(rank int, e *edge) {
	for {
		p, err := readPacket(e.conn)
		if err == nil {
			b.up(p)
			continue
		}
		e.conn.Close()
		b.mutex.Lock()
		delete(b.below, rank)
		left := b.leaving
		b.mutex.Unlock()
		if !left {
			b.up(orderPacket(b.rank, order{Kind: agentGone, Node: rank}))
		}
		return
	}
}

// down passes a packet on to where it has to go below, to all at once: one that takes nothing does not keep the others waiting.
func (b *branch) down(p packet) {
	b.mutex.Lock()
	var edges []*edge
	if p.rank == everybody {
		for _, e := range b.below {
			edges = append(edges, e)
		}
	} else if e := b.below[towards(b.rank, int(p.rank))]; e != nil {
		edges = append(edges, e)
	}
	b.mutex.Unlock()
	var sent sync.WaitGroup
	for _, e := range edges {
		sent.Go(func() { e.send(p) })
	}
	sent.Wait()
}

// leave lets the children go: after a goodbye they close their edges by themselves; those that have not after the
// time given are cut off.
func (b *branch) leave(within time.Duration) {
	b.mutex.Lock()
	b.leaving = true
	b.mutex.Unlock()
	timer := time.AfterFunc(within, b.cut)
	b.work.Wait()
	timer.Stop()
}

// cut closes the edges to all children.
func (b *branch) cut() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.leaving = true
	for _, e := range b.below {
		e.conn.Close()
	}
}
