package bench

import (
	"context"
	"os"

	"collbench/collectives"
)

// Backend carries out collectives by some library, or by ourselves. A worker process opens it once.
type Backend interface {
	Name() string
	// Supports says why the backend cannot carry out the case; nil if it can. Whether the case's algorithm exists, and is one
	// for the case, is the backend's matter too.
	Supports(Case) error
	// Algorithms lists the names of the algorithms that the backend has for the collective, besides auto.
	Algorithms(collectives.Collective) []string
	// Open joins the group. The communicator is this node's end.
	Open(context.Context, Group) (Communicator, error)
}

// Group is what a node knows of the others, and how it reaches them before the backend can.
type Group interface {
	Node() collectives.Node // a rank, or from Ranks up a switch
	Ranks() int
	Nodes() int // ranks and switches
	Host(n collectives.Node) string
	// Address is the IP address by which the others reach this node's data connections.
	Address() string
	// Exchange is an all-gather of small messages (up to 1 MiB) among all nodes, in node order.
	Exchange(ctx context.Context, mine []byte) ([][]byte, error)
	// Shared is the memory that the nodes of this host share, or nil: see Segment.
	Shared() *Segment
	// Progress tells the watchdog what the node is doing; cheap, callable from the timed loop's thread.
	Progress() *Progress
}

// Segment is memory that the nodes of one host share, made by the process that started them, so that nothing is
// left behind when they end. Nodes find their place in it by their place in Members.
type Segment struct {
	File    *os.File
	Bytes   int64 // length of File; pages are only there once they are touched
	Members []collectives.Node
	Bells   []*os.File // one eventfd a member: written to wake a member that sleeps
}

// Communicator is a backend's end of a group.
type Communicator interface {
	// Prepare is called by all nodes at once with the same case.
	Prepare(context.Context, Case) (Operation, error)
	Close() error
}

// Operation is a prepared case on one node.
type Operation interface {
	// Run carries out so many iterations and returns this rank's samples: seconds an iteration. With TimingBarrier
	// there is a sample an iteration, with TimingBatch one sample for all. A switch, and a rank that Case.Times leaves
	// out, returns none.
	Run(ctx context.Context, iterations int) ([]float64, error)
	// Verify checks the results of the iterations of the last Run: of each of them with TimingBarrier, of the last
	// with TimingBatch, and of messages that follow each other without a barrier.
	Verify() (Verdict, error)
	Evidence() Evidence
	// Chunks is the number of chunks in use.
	Chunks() int
	Close() error
}

// Verdict is what a node found in its results.
type Verdict struct {
	Checked int64  `json:"checked"` // elements
	Wrong   int64  `json:"wrong"`
	First   string `json:"first,omitempty"` // the first bad element: "iteration 3, element 17: 5, want 4"
}

// Configured is a backend whose library reads settings only once in a process. Cases that need others are measured
// by fresh processes.
type Configured interface {
	Backend
	// Environment lists the variables, "NAME=VALUE", that the processes that carry out the case have to have from their
	// start.
	Environment(Case) ([]string, error)
}

// Meeter is a backend whose library brings the ranks of a launcher's job together by itself, once in the life of the
// job's processes. There is one launch then, with one environment.
type Meeter interface {
	Configured
	// Meet starts the library on all ranks at once and gives rank 0's card, of 1,000 bytes at most, to all. It is called
	// before Open, on the thread that works from then on.
	Meet(ctx context.Context, card []byte) (rank, ranks int, rank0card []byte, err error)
	// Exit ends a process that has met, after its communicator was closed, in the way that the launcher takes for a good end.
	Exit(code int)
}
