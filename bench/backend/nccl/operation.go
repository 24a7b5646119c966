package nccl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"collbench/bench"
	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
	"collbench/collectives"
	"collbench/collectives/host"
)

// operation is a prepared case on this rank.
type operation struct {
	*communicator
	test          bench.Case
	variant       variant
	role          role
	shape         collectives.Shape
	payload       *host.Payload
	in, out       end
	before, after []nccl.Hook  // make the input and check the output of an iteration
	result        cuda.Pointer // where the check says what it has found
	timer         *nccl.Timer
	closes        []func() error // in the order in which things were made
	fills         int            // times that the input was made new; the number of the iteration, or of the batch
	checked       int            // iterations of the last Run, or its one batch
	evidence      bench.Evidence
	observation   bench.Observation
}

func (o *operation) build(ctx context.Context) (err error) {
	if o.broken != nil {
		return fmt.Errorf("the communicator cannot be used any more: %w", o.broken)
	}
	if err := o.backend.Supports(o.test); err != nil {
		return err
	}
	leave, err := o.use()
	if err != nil {
		return err
	}
	defer leave()
	if o.variant, err = settle(o.test, o.version); err != nil {
		return err
	}
	if float8(o.test) && o.test.What.Reduces() && o.major < 9 {
		return fmt.Errorf("%w: NCCL reduces %s on GPUs of compute capability 9.0 and later", nccl.ErrNotSupported, o.test.What.DataType)
	}
	if o.shape, err = o.test.Whole(); err != nil {
		return err
	}
	if ranks := o.group.Ranks(); o.test.Where.Ranks != ranks {
		return fmt.Errorf("want %d ranks, have %d", o.test.Where.Ranks, ranks)
	}
	o.role = part(o.test, int(o.group.Node()))
	if err := o.buffers(ctx); err != nil {
		return err
	}
	if err := o.data(); err != nil {
		return err
	}
	nccl.ClearProfile()
	return o.ready(ctx)
}

// memory takes device memory, registered if the case asks for it. All ranks make a window together.
func (o *operation) memory(ctx context.Context, bytes int) (cuda.Pointer, error) {
	plain := o.test.How.Buffers == private && !o.variant.windows
	if plain && !o.variant.allocated {
		return o.take(cuda.Alloc(uint64(bytes)))
	}
	p, err := nccl.Alloc(bytes)
	if err != nil {
		return 0, err
	}
	o.closes = append(o.closes, func() error { return nccl.Free(p) })
	if plain {
		return p, nil
	}
	register := o.comm.Register
	if o.variant.windows {
		register = func(p cuda.Pointer, n int) (nccl.Registration, error) { return o.comm.Window(ctx, p, n) }
	}
	r, err := register(p, bytes)
	if err == nil {
		o.closes = append(o.closes, r.Close)
	}
	return p, err
}

// ready makes the operation and the loop over it. The barrier is an all-reduce of one int32, which every algorithm can carry
// out.
func (o *operation) ready(ctx context.Context) error {
	word, err := o.take(cuda.Alloc(4))
	if err != nil {
		return err
	}
	reduction, err := o.reduction()
	if err != nil {
		return err
	}
	work := o.comm.Prepare(o.stream, o.calls(reduction, word)...)
	o.closes = append(o.closes, closed(work.Close))
	barrier := o.comm.Prepare(o.stream, nccl.Call{Collective: nccl.AllReduce, Send: word, Recv: word, Count: 1, Type: nccl.Int32, Op: nccl.Sum})
	o.closes = append(o.closes, closed(barrier.Close))
	if o.variant.graph {
		if work, err = o.captured(ctx, work); err != nil {
			return err
		}
	}
	o.timer, err = nccl.Loop{
		Work: work, Barrier: barrier, Before: o.before, After: o.after, Batch: o.test.How.Timing == bench.TimingBatch, Aggregate: o.variant.group,
		HostClock: o.variant.hostClock,
	}.Prepare()
	return err
}

// reduction is NCCL's for the case; a sum that multiplies beforehand has to be made.
func (o *operation) reduction() (nccl.Op, error) {
	d, r := o.test.What.DataType, o.test.What.Reduction
	if !o.test.What.Reduces() || r != collectives.PreMulSum {
		return reductions[r], nil
	}
	op, err := o.comm.PreMulSum(host.Number(d, collectives.PreMulFactor), types[d])
	if err == nil {
		o.closes = append(o.closes, func() error { return o.comm.DestroyOp(op) })
	}
	return op, err
}

func closed(f func()) func() error { return func() error { f(); return nil } }

// captured is a graph of the operation. NCCL connects the ranks when an operation is first carried out, which a capture
// does not do.
func (o *operation) captured(ctx context.Context, work *nccl.Operation) (*nccl.Operation, error) {
	if err := errors.Join(work.Issue(ctx), o.stream.Synchronize()); err != nil {
		return nil, err
	}
	graph, err := o.stream.Capture(func() error { return work.Issue(ctx) })
	if err != nil {
		return nil, err
	}
	replay := o.comm.Replay(o.stream, graph)
	o.closes = append(o.closes, graph.Close, closed(replay.Close))
	return replay, nil
}

// Run implements bench.Operation.
func (o *operation) Run(ctx context.Context, iterations int) ([]float64, error) {
	leave, err := o.use()
	if err != nil {
		return nil, err
	}
	defer leave()
	var stop atomic.Int32
	unwatch := context.AfterFunc(ctx, func() { stop.Store(1) })
	defer unwatch()
	before := o.gauges.read(link(o.test))
	samples, err := o.measure(iterations, &stop)
	if errors.Is(err, nccl.ErrStopped) {
		err = context.Cause(ctx)
	}
	if err != nil {
		o.broken = err
		return nil, fmt.Errorf("%s: %s: %w", o.test, o.device, err)
	}
	if o.observation, err = o.observe(ctx, link(o.test), before); err != nil {
		return nil, err
	}
	if err := o.show(ctx); err != nil || !o.test.Times(int(o.group.Node())) {
		return nil, err
	}
	return samples, nil
}

// show finds out which algorithm ran. The error says that a variant was not done.
func (o *operation) show(ctx context.Context) error {
	records, lost := nccl.Profiled()
	log := o.readLog()
	o.evidence = bench.Evidence{Source: "library", Detail: "NCCL's sends and receives"}
	if o.test.What.Operation == "" {
		o.evidence = shown(o.test, o.shape.Count, o.variant.windows, records, lost, readDebugLog(log))
	}
	o.evidence.StandIn = cuda.StandIn() || nccl.StandIn()
	if o.version < v2_23 {
		if err := o.agreeWithFirst(ctx); err != nil {
			return err
		}
	}
	if err := o.variant.contrary(o.test, o.shape.Count, records, log); err != nil {
		return fmt.Errorf("%s: %w", o.test, err)
	}
	return nil
}

// agreeWithFirst takes over what rank 0 has seen: before the profiler plugin of 2.23 NCCL wrote its choice down there alone, in
// the log.
func (o *operation) agreeWithFirst(ctx context.Context) error {
	mine, err := json.Marshal(o.evidence)
	if err != nil {
		return err
	}
	all, err := o.group.Exchange(ctx, mine)
	if err != nil {
		return fmt.Errorf("exchange of what ran: %w", err)
	}
	return json.Unmarshal(all[0], &o.evidence)
}

// measure carries out the iterations. Their input is made, and their output is checked, by kernels between them.
func (o *operation) measure(iterations int, stop *atomic.Int32) ([]float64, error) {
	if err := o.stream.Set(o.result, 0, uint64(resultBytes)); err != nil {
		return nil, err
	}
	o.checked = iterations
	if o.test.How.Timing == bench.TimingBatch {
		o.checked = 1
	}
	first := uint32(o.fills)
	o.fills += o.checked
	samples, err := o.timer.Run(first, iterations, &o.group.Progress().Iteration, stop)
	if p, none := bench.FindPointToPoint(o.test.What.Operation); none == nil && !p.Windowed {
		for i := range samples {
			samples[i] /= 2 // there and back
		}
	}
	return samples, err
}

// Verify implements bench.Operation.
func (o *operation) Verify() (bench.Verdict, error) {
	leave, err := o.use()
	if err != nil {
		return bench.Verdict{}, err
	}
	defer leave()
	return o.found()
}

// Evidence implements bench.Operation.
func (o *operation) Evidence() bench.Evidence { return o.evidence }

// Chunks implements bench.Operation: how NCCL cuts messages is not known.
func (o *operation) Chunks() int { return 0 }

// Close implements bench.Operation.
func (o *operation) Close() error {
	if o.context == nil {
		return nil
	}
	leave, err := o.use()
	if err != nil {
		return err
	}
	defer leave()
	var errs []error
	if o.timer != nil {
		errs = append(errs, o.timer.Close())
	}
	for i := len(o.closes) - 1; i >= 0; i-- {
		errs = append(errs, o.closes[i]())
	}
	o.timer, o.closes = nil, nil
	return errors.Join(errs...)
}
