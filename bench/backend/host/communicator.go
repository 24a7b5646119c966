package host

import (
	"context"
	"fmt"
	"os"

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
	broken  error // a run has ended in the middle: what is under way belongs to nobody
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
	algorithm, shape, err := resolve(test)
	if err != nil {
		return nil, err
	}
	if shape.Ranks != c.group.Ranks() || algorithm.Nodes(shape) > c.group.Nodes() {
		return nil, fmt.Errorf("want %d ranks and %d nodes, have %d and %d", shape.Ranks, algorithm.Nodes(shape), c.group.Ranks(), c.group.Nodes())
	}
	o := &operation{communicator: c, test: test, algorithm: algorithm, shape: shape, rank: int(c.group.Node())}
	if o.rank >= algorithm.Nodes(shape) {
		return o, nil // a switch that another case needs
	}
	if err := o.build(ctx); err != nil {
		_ = o.Close()
		return nil, err
	}
	return o, nil
}

// build makes buffers, connections and engines.
func (o *operation) build(ctx context.Context) (err error) {
	v, size := o.group.Node(), o.test.What.DataType.Size()
	program, err := host.Compile(o.algorithm.Program(o.shape, v), v, size, o.shape.Size(), o.algorithm.ScratchSize(o.shape))
	if err != nil {
		return err
	}
	if o.data, err = o.memory(o.shape.Size() * size); err != nil {
		return err
	}
	scratch, err := o.memory(o.algorithm.ScratchSize(o.shape) * size)
	if err != nil {
		return err
	}
	fault, err := host.ParseFault(os.Getenv(host.FaultVariable))
	if err != nil {
		return err
	}
	o.fault = fault
	config := host.Config{Program: program, Data: o.data, Scratch: scratch, Fault: fault,
		Reduce: host.Reducer(o.test.What.DataType, o.test.What.Reduction)}
	if o.engine, err = o.start(ctx, config); err != nil {
		return err
	}
	if !o.isRank() {
		return nil
	}
	o.payload = host.NewPayload(o.shape, o.test.What.DataType, o.test.What.Reduction)
	o.input = o.data
	if !o.test.What.InPlace {
		if o.input, err = o.memory(len(o.data)); err != nil {
			return err
		}
	}
	return o.buildBarrier(ctx)
}

func (o *operation) buildBarrier(ctx context.Context) error {
	v := o.group.Node()
	program, err := host.Compile(dissemination(o.shape.Ranks, v), v, 1, 1, 0)
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
	if err := o.network.Connect(ctx, config.Program.Peers()); err != nil {
		return nil, err
	}
	progress := o.group.Progress()
	config.Channels = o.network.Channel
	config.Waiter = o.poller
	config.Watch = host.Watch{Round: &progress.Round, Waiting: &progress.Waiting}
	return host.NewEngine(config)
}

// memory gets zeroed memory that Close gives back.
func (o *operation) memory(bytes int) ([]byte, error) {
	if bytes == 0 {
		return nil, nil
	}
	b, free, err := host.Memory(bytes)
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
	if c.pacer != nil {
		c.pacer.Close()
	}
	return nil
}
