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
	test     bench.Case
	variant  variant
	rank     int
	shape    collectives.Shape
	payload  *host.Payload
	in, out  cuda.Pointer // the same in place
	data     []byte       // on the host: the input is made and the output is checked there
	timer    *nccl.Timer
	closes   []func() error // in the order in which things were made
	fills    int            // times that the input was made new; the number of the iteration, or of the batch
	verified bench.Verdict
	evidence bench.Evidence
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
	if o.variant, err = findVariants(o.test.How.Variant); err != nil {
		return err
	}
	if o.shape, err = o.test.Whole(); err != nil {
		return err
	}
	if ranks := o.group.Ranks(); o.test.Where.Ranks != ranks {
		return fmt.Errorf("want %d ranks, have %d", o.test.Where.Ranks, ranks)
	}
	o.data = make([]byte, o.shape.Size()*o.test.What.DataType.Size())
	if o.out, err = o.memory(ctx, len(o.data)); err != nil {
		return err
	}
	o.in = o.out
	if !o.test.What.InPlace {
		if o.in, err = o.memory(ctx, len(o.data)); err != nil {
			return err
		}
	}
	o.payload = host.NewPayload(o.shape, o.test.What.DataType, o.test.What.Reduction)
	nccl.ClearProfile()
	return o.ready(ctx)
}

// memory takes device memory, registered if the case asks for it.
func (o *operation) memory(ctx context.Context, bytes int) (cuda.Pointer, error) {
	if o.test.How.Buffers == private && !o.variant.windows {
		p, err := cuda.Alloc(uint64(bytes))
		if err == nil {
			o.closes = append(o.closes, p.Free)
		}
		return p, err
	}
	p, err := nccl.Alloc(bytes)
	if err != nil {
		return 0, err
	}
	o.closes = append(o.closes, func() error { return nccl.Free(p) })
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

// call is the case as NCCL is asked for it: the blocks lie where the contract of the collective has them.
func (o *operation) call() nccl.Call {
	size := o.test.What.DataType.Size()
	mine := cuda.Pointer(o.rank * o.shape.Count * size)
	n := o.shape.Ranks
	k := nccl.Call{
		Collective: calls[o.test.What.Collective], Send: o.in, Recv: o.out, Count: o.shape.Count, Type: types[o.test.What.DataType],
		Op: reductions[o.test.What.Reduction], Root: o.shape.Root, To: (o.rank + 1) % n, From: (o.rank + n - 1) % n,
	}
	switch o.test.What.Collective {
	case collectives.AllGather, collectives.Gather:
		k.Send += mine
	case collectives.ReduceScatter, collectives.Scatter:
		k.Recv += mine
	}
	return k
}

// ready makes the operations and the loop over them. The barrier is an all-reduce of one int32, which every algorithm
// can carry out.
func (o *operation) ready(ctx context.Context) error {
	work := o.comm.Prepare(o.stream, o.call())
	o.closes = append(o.closes, closed(work.Close))
	word, err := cuda.Alloc(4)
	if err != nil {
		return err
	}
	o.closes = append(o.closes, word.Free)
	barrier := o.comm.Prepare(o.stream, nccl.Call{Collective: nccl.AllReduce, Send: word, Recv: word, Count: 1, Type: nccl.Int32, Op: nccl.Sum})
	o.closes = append(o.closes, closed(barrier.Close))
	if o.variant.graph {
		if work, err = o.captured(ctx, work); err != nil {
			return err
		}
	}
	o.timer, err = nccl.Loop{Work: work, Barrier: barrier, Batch: o.test.How.Timing == bench.TimingBatch, HostClock: o.variant.hostClock}.Prepare()
	return err
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
	o.verified = bench.Verdict{}
	samples, err := o.measure(iterations, &stop)
	if errors.Is(err, nccl.ErrStopped) {
		err = context.Cause(ctx)
	}
	if err != nil {
		o.broken = err
		return nil, fmt.Errorf("%s: %s: %w", o.test, o.device, err)
	}
	return samples, o.show(ctx)
}

// show finds out which algorithm ran. Before the profiler plugin of 2.23 only rank 0 wrote that down, in its log: it tells
// the others.
func (o *operation) show(ctx context.Context) error {
	o.evidence = o.seen()
	o.evidence.StandIn = cuda.StandIn() || nccl.StandIn()
	if o.version >= v2_23 {
		return nil
	}
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

func (o *operation) measure(iterations int, stop *atomic.Int32) (samples []float64, err error) {
	progress := o.group.Progress()
	if o.test.How.Timing == bench.TimingBatch {
		if err := o.renew(); err != nil {
			return nil, err
		}
		return o.timer.Run(0, iterations, &progress.Iteration, stop)
	}
	var one atomic.Int64 // each call of the loop counts from 0
	for range iterations {
		progress.Iteration.Store(int64(o.fills))
		if err := o.renew(); err != nil {
			return nil, err
		}
		seconds, err := o.timer.Run(0, 1, &one, stop)
		if err != nil {
			return nil, err
		}
		samples = append(samples, seconds...)
		if err := o.verify(); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// renew makes the input new.
func (o *operation) renew() error {
	o.payload.Fill(o.rank, o.fills, o.data)
	o.fills++
	return cuda.Upload(o.in, o.data)
}

// verify checks the results of the last iteration.
func (o *operation) verify() error {
	if o.payload.Checked(o.rank) == 0 {
		return nil
	}
	if err := cuda.Download(o.data, o.out); err != nil {
		return err
	}
	wrong, first := o.payload.Verify(o.rank, o.fills-1, o.data)
	o.verified.Checked += o.payload.Checked(o.rank)
	if wrong > 0 && o.verified.Wrong == 0 {
		unit := "iteration"
		if o.test.How.Timing == bench.TimingBatch {
			unit = "batch"
		}
		o.verified.First = fmt.Sprintf("%s %d, %s", unit, o.fills-1, first)
	}
	o.verified.Wrong += wrong
	return nil
}

// Verify implements bench.Operation.
func (o *operation) Verify() (bench.Verdict, error) {
	if o.test.How.Timing != bench.TimingBatch || o.fills == 0 {
		return o.verified, nil
	}
	leave, err := o.use()
	if err != nil {
		return o.verified, err
	}
	defer leave()
	o.verified = bench.Verdict{}
	return o.verified, o.verify()
}

// Evidence implements bench.Operation.
func (o *operation) Evidence() bench.Evidence { return o.evidence }

// seen is what this rank has seen of the algorithm that ran.
func (o *operation) seen() bench.Evidence {
	records, lost := nccl.Profiled()
	if ran := wrongProtocol(o.variant.protocol, o.test, o.shape.Count, records); ran != "" {
		return bench.Evidence{Observed: o.test.What.Algorithm + " with protocol " + ran, Source: "profiler", Detail: "asked for " + o.variant.protocol}
	}
	return shown(o.test, o.shape.Count, o.variant.windows, records, lost, o.readLog())
}

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
