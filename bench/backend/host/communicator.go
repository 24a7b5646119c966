package host

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/host"
)

// communicator is this node's end of the group.
type communicator struct {
	group   bench.Group
	poller  *host.Poller
	network *host.Network
	pacer   *host.Pacer
	shared  *host.Shared  // nil: no memory is shared
	sleeper *host.Sleeper // nil likewise
	broken  error         // a run has ended in the middle: what is under way belongs to nobody
}

// Prepare implements bench.Communicator.
func (c *communicator) Prepare(ctx context.Context, test bench.Case) (bench.Operation, error) {
	o, err := c.prepare(ctx, test)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", test, err)
	}
	return o, nil
}

func (c *communicator) prepare(ctx context.Context, test bench.Case) (*operation, error) {
	if c.broken != nil {
		return nil, fmt.Errorf("the connections cannot be used any more: %w", c.broken)
	}
	if err := (Backend{}).Supports(test); err != nil {
		return nil, err
	}
	if test.How.Buffers == registered && c.shared == nil {
		return nil, fmt.Errorf("registered buffers: this node shares no memory with others")
	}
	o := &operation{communicator: c, cpu: -1, test: test, rank: int(c.group.Node()), nodes: c.group.Ranks()}
	t, err := o.choose()
	if err != nil {
		return nil, err
	}
	if test.Where.Ranks != c.group.Ranks() || o.nodes > c.group.Nodes() {
		return nil, fmt.Errorf("want %d ranks and %d nodes, have %d and %d", test.Where.Ranks, o.nodes, c.group.Ranks(), c.group.Nodes())
	}
	if o.rank >= o.nodes {
		return o, nil // a switch that another case needs
	}
	if err := o.build(ctx, t); err != nil {
		_ = o.Close()
		return nil, err
	}
	return o, nil
}

// task is what a node has to do for a case, before it is compiled.
type task struct {
	phases []collectives.Phase
	layout host.Layout
	input  int // elements of an input buffer apart from Data; 0: the input is in Data
	data   func(data, input []byte) content
}

// choose finds the node's task for the case, and how many nodes take part.
func (o *operation) choose() (task, error) {
	if o.test.What.Operation != "" {
		return o.messages()
	}
	algorithm, shape, err := resolve(o.test)
	if err != nil {
		return task{}, err
	}
	o.nodes, o.chunks = algorithm.Nodes(shape), shape.Chunks
	o.evidence = bench.Evidence{Observed: algorithm.Name, Source: "program",
		Detail: fmt.Sprintf("the host engine ran the program %s in %d chunks over %s", algorithm.Name, shape.Chunks, o.test.How.Transport)}
	if o.rank >= o.nodes {
		return task{}, nil
	}
	size := o.test.What.DataType.Size()
	t := task{phases: algorithm.Program(shape, o.group.Node()), layout: host.Layout{Element: size, Data: shape.Size(), Scratch: algorithm.ScratchSize(shape)},
		data: func(data, input []byte) content { return newBlocks(o.test, shape, o.rank, data, input) }}
	if o.isRank() && !o.test.What.InPlace {
		t.layout.In, t.layout.Out = collectives.Contract(shape, o.rank)
		t.input = shape.Size()
	}
	return t, nil
}

// build makes buffers, connections and engines.
func (o *operation) build(ctx context.Context, t task) (err error) {
	w := o.test.What
	program, err := host.Compile(t.phases, o.group.Node(), t.layout)
	if err != nil {
		return err
	}
	data, err := o.memory(t.layout.Data * t.layout.Element)
	if err != nil {
		return err
	}
	scratch, err := o.memory(t.layout.Scratch * t.layout.Element)
	if err != nil {
		return err
	}
	if o.fault, err = host.ParseFault(os.Getenv(host.FaultVariable)); err != nil {
		return err
	}
	input := data
	if t.input > 0 {
		if input, err = o.memory(t.input * t.layout.Element); err != nil {
			return err
		}
	}
	config := host.Config{Program: program, Data: data, Scratch: scratch, Input: input, Fault: o.fault}
	if w.Operation == "" {
		config.Combine = host.Combiner(w.DataType, w.Reduction)
	}
	o.engine, err = o.start(ctx, config)
	if err != nil || !o.isRank() {
		return err
	}
	if err := o.takeComputer(); err != nil {
		return err
	}
	o.content = t.data(data, input)
	return o.buildBarrier(ctx)
}

func (o *operation) buildBarrier(ctx context.Context) error {
	v := o.group.Node()
	program, err := host.Compile(dissemination(o.group.Ranks(), v), v, host.Layout{Element: 1, Data: 1})
	if err != nil {
		return err
	}
	o.barrier, err = o.start(ctx, host.Config{Program: program, Data: make([]byte, 1)})
	return err
}

// dissemination is a barrier's program: in each of ⌈log₂ N⌉ rounds a rank tells the one that is 2^k further, of the
// one byte that it sends on as soon as it has it from the one as far before (Hensgen, Finkel, Manber 1988).
func dissemination(ranks int, v collectives.Node) []collectives.Phase {
	rounds := 0
	for 1<<rounds < ranks {
		rounds++
	}
	return []collectives.Phase{{Rounds: rounds, Varies: true, Moves: func(i int) []collectives.Move {
		far := 1 << i % ranks
		return []collectives.Move{
			{Action: collectives.Send, Peer: collectives.Node((int(v) + far) % ranks), Length: 1},
			{Action: collectives.Receive, Peer: collectives.Node((int(v) + ranks - far) % ranks), Length: 1},
		}
	}}}
}

// start connects what a program needs and makes its engine.
func (o *operation) start(ctx context.Context, config host.Config) (*host.Engine, error) {
	far := map[collectives.Node]bool{} // peers that are reached by TCP
	for _, peer := range config.Program.Peers() {
		if peer == o.group.Node() || o.near(peer) {
			continue
		}
		if o.test.How.Transport == overShm {
			return nil, fmt.Errorf("transport shm: no memory is shared with %s", o.name(peer))
		}
		far[peer] = true
	}
	if err := o.network.Connect(ctx, slices.Collect(maps.Keys(far))); err != nil {
		return nil, err
	}
	config.Channels = func(peer collectives.Node) host.Channel {
		if far[peer] {
			return o.network.Channel(peer)
		}
		return o.shared.Channel(peer)
	}
	progress := o.group.Progress()
	config.Watch = host.Watch{Round: &progress.Round, Waiting: &progress.Waiting}
	config.Waiter = o.waiter()
	return host.NewEngine(config)
}

// near says whether the peer is reached through shared memory.
func (o *operation) near(peer collectives.Node) bool {
	return o.test.How.Transport != overTCP && o.shared != nil && o.shared.Has(peer)
}

// waiter is how this node waits in this case: alike for its program and its barriers. With peers in shared memory
// alone it stays on one CPU, also where it shares that with others: they would be moved about with each yield.
func (o *operation) waiter() host.Waiter {
	here, near := 0, 0
	for v := range collectives.Node(o.nodes) {
		if o.group.Host(v) == o.group.Host(o.group.Node()) {
			here++
		}
		if v == o.group.Node() || o.near(v) {
			near++
		}
	}
	alone := near == o.nodes // then so are all others
	if o.shared != nil {
		o.shared.Spinning(alone)
	}
	switch {
	case alone:
		cpus := host.CPUs()
		if near > 1 {
			o.cpu = cpus[o.shared.Place()%len(cpus)]
		}
		return &host.Spinner{Poller: o.poller, Yield: here > len(cpus)}
	case near > 1:
		return o.sleeper
	}
	return o.poller
}

// memory gets zeroed memory that Close gives back: registered, what the case asks to be.
func (o *operation) memory(bytes int) ([]byte, error) {
	if bytes == 0 {
		return nil, nil
	}
	take := host.Memory
	if o.test.How.Buffers == registered && o.shared != nil {
		take = o.shared.Memory
	}
	b, free, err := take(bytes)
	if err != nil {
		return nil, fmt.Errorf("%d bytes of memory: %w", bytes, err)
	}
	o.frees = append(o.frees, free)
	return b, nil
}

// Close implements bench.Communicator.
func (c *communicator) Close() error {
	if c.network != nil {
		c.network.Close()
	}
	c.poller.Close()
	if c.shared != nil {
		c.shared.Close()
	}
	if c.pacer != nil {
		c.pacer.Close()
	}
	return nil
}
