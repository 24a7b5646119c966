package workers

import (
	"collbench/collectives"
)

// orderKind says what an order is.
type orderKind string

const (
	// From the fleet.
	startNodes   orderKind = "start"
	dismissNodes orderKind = "dismiss" // let them end by themselves
	killNodes    orderKind = "kill"
	askState     orderKind = "state?"
	endAgent     orderKind = "end agent" // of this host, which does not answer
	examineHost  orderKind = "host?"     // what is it like?
	goodbye      orderKind = "goodbye"
	// From an agent.
	childJoined  orderKind = "joined"
	agentGone    orderKind = "gone" // the agent below
	nodeStarted  orderKind = "started"
	notStarted   orderKind = "not started"
	nodeDead     orderKind = "dead"
	nodeStates   orderKind = "state"
	signalled    orderKind = "signal"
	hostExamined orderKind = "host"
)

// order is what the fleet tells agents, and what they answer.
type order struct {
	Kind   orderKind `json:"kind"`
	Launch int       `json:"launch,omitempty"`
	// Of start.
	Nodes       []int              `json:"nodes,omitempty"`       // to be started here
	Total       int                `json:"total,omitempty"`       // nodes of the launch
	Environment []string           `json:"environment,omitempty"` // of the workers, besides the agent's own
	Members     []collectives.Node `json:"members,omitempty"`     // of the host's shared memory; empty: there is none
	Keeper      bool               `json:"keeper,omitempty"`      // this agent makes the memory and hands it over
	Mates       int                `json:"mates,omitempty"`       // to so many other agents
	Socket      string             `json:"socket,omitempty"`      // at this abstract address
	// Of answers.
	Node   int         `json:"node,omitempty"` // of joined and gone: the rank of an agent
	PID    int         `json:"pid,omitempty"`  // also of end agent
	Text   string      `json:"text,omitempty"`
	States []nodeState `json:"states,omitempty"`
	Data   []byte      `json:"data,omitempty"`
}

// nodeState is what an agent sees of a node that it has started.
type nodeState struct {
	Node      int     `json:"node"`
	Stopped   bool    `json:"stopped,omitempty"`
	Stage     int32   `json:"stage"`
	Iteration int64   `json:"iteration"`
	Round     int64   `json:"round"`
	Waiting   int64   `json:"waiting"`
	Still     float64 `json:"still"` // seconds since something of that has changed
}

// forAgent is the purpose of control connections.
const forAgent = "agent"

// about is what an agent tells of itself when it joins.
type about struct {
	Host      string `json:"host"`     // its name
	Identity  string `json:"identity"` // the same for processes that can share memory and loopback
	LocalRank int    `json:"local_rank"`
	PID       int    `json:"pid"`
	CPUs      []int  `json:"cpus,omitempty"`    // it is bound to
	Address   string `json:"address,omitempty"` // for data connections; "": follows from the control connection
	Port      int    `json:"port,omitempty"`    // where those below it join; 0: there are none
}

// place is what rank 0 tells an agent that joins: which one it hangs below, and how to find that.
type place struct {
	Parent    int      `json:"parent"` // 0: the connection with rank 0 stays
	Name      string   `json:"name,omitempty"`
	PID       int      `json:"pid,omitempty"`
	Near      bool     `json:"near,omitempty"` // whether it is on the same host
	Addresses []string `json:"addresses,omitempty"`
}
