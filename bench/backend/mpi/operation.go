package mpi

import (
	"context"
	"fmt"
	"runtime"

	"collbench/bench"
	"collbench/cgo/mpi"
	"collbench/collectives"
	"collbench/collectives/host"
)

// communicator is this rank's end of the MPI world.
type communicator struct {
	backend *Backend
	group   bench.Group
}

// Close implements bench.Communicator. It ends MPI, which all ranks do together and none can take back.
func (c *communicator) Close() error { return c.backend.library.Finalize() }

// operation is a prepared case on this rank.
type operation struct {
	*communicator
	test     bench.Case
	rank     int // in the payload: of a point-to-point test 0 the first of the pair, 1 the second
	shape    collectives.Shape
	runner   *mpi.Runner
	kind     mpi.Kind
	payload  *host.Payload
	in, out  []byte // in nil: in place
	frees    []func()
	evidence bench.Evidence
	fills    int // times that the input was made new; the number of the iteration, or of the batch
	verified bench.Verdict
}

// Prepare implements bench.Communicator.
func (c *communicator) Prepare(_ context.Context, test bench.Case) (bench.Operation, error) {
	o := &operation{communicator: c, test: test}
	if err := o.build(); err != nil {
		_ = o.Close()
		return nil, fmt.Errorf("%s: %w", test, err)
	}
	return o, nil
}

func (o *operation) build() (err error) {
	if err := o.backend.Supports(o.test); err != nil {
		return fmt.Errorf("%w: %w", bench.ErrNotSupported, err)
	}
	settings, err := o.backend.resolve(o.test)
	if err != nil {
		return err
	}
	o.evidence = settings[0].evidence(o.backend.library) // the library is open: there is one family
	if o.shape, err = o.test.Whole(); err != nil {
		return err
	}
	if ranks := o.group.Ranks(); o.test.Where.Ranks != ranks {
		return fmt.Errorf("want %d ranks, have %d", o.test.Where.Ranks, ranks)
	}
	w, size := o.test.What, o.test.What.DataType.Size()
	job := mpi.Job{Kind: kinds[w.Collective], Type: dataTypes[w.DataType], Reduction: reductions[w.Reduction], Count: o.shape.Count,
		Block: o.shape.Count * size, Root: w.Root, Window: w.Window}
	o.rank = int(o.group.Node())
	if w.Operation != "" {
		job.Kind, job.Peer, o.rank = o.side()
	}
	o.kind = job.Kind
	bytes := o.shape.Size() * size
	if o.out, err = o.memory(bytes); err != nil {
		return err
	}
	if !w.InPlace {
		if o.in, err = o.memory(bytes); err != nil {
			return err
		}
	}
	job.In, job.Out = o.in, o.out
	if o.runner, err = o.backend.library.Ready(job); err != nil {
		return err
	}
	o.payload = host.NewBoundedPayload(o.shape, w.DataType, w.Reduction)
	return nil
}

// side is what this rank does in a point-to-point test, with whom, and which rank of the two it is.
func (o *operation) side() (kind mpi.Kind, peer, rank int) {
	p, _ := bench.FindPointToPoint(o.test.What.Operation)
	first, second := mpi.Ping, mpi.Pong
	switch {
	case p.BothWays:
		first, second = mpi.BothWays, mpi.BothWays
	case p.Windowed:
		first, second = mpi.Flood, mpi.Swallow
	}
	for _, pair := range o.test.Pairs() {
		switch int(o.group.Node()) {
		case pair.From:
			return first, pair.To, 0
		case pair.To:
			return second, pair.From, 1
		}
	}
	return mpi.Idle, 0, 0
}

func (o *operation) memory(bytes int) ([]byte, error) {
	b, free, err := mpi.Memory(bytes)
	if err == nil {
		o.frees = append(o.frees, free)
	}
	return b, err
}

// Run implements bench.Operation.
func (o *operation) Run(ctx context.Context, iterations int) ([]float64, error) {
	runtime.LockOSThread() // MPI is called from the thread that has initialised it: the worker's main thread is locked
	defer runtime.UnlockOSThread()
	o.verified = bench.Verdict{}
	samples, err := o.measure(ctx, iterations)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.test, err)
	}
	if !o.test.Times(int(o.group.Node())) {
		return nil, nil
	}
	return samples, nil
}

func (o *operation) measure(ctx context.Context, iterations int) (samples []float64, err error) {
	turns, each := iterations, 1
	if o.test.How.Timing == bench.TimingBatch {
		turns, each = 1, iterations
	}
	for range turns {
		seconds, err := o.timed(each)
		if err != nil {
			return nil, err
		}
		samples = append(samples, seconds)
		if o.test.How.Timing != bench.TimingBatch {
			o.verify()
		}
	}
	return samples, ctx.Err()
}

// shortest is the clock's resolution, for where there is nothing to do.
const shortest = 1e-9

// timed makes the input new, waits for all ranks, and times so many iterations back to back: seconds for each.
func (o *operation) timed(iterations int) (float64, error) {
	o.payload.Fill(o.rank, o.fills, o.input())
	o.fills++
	seconds, err := o.runner.Run(iterations, &o.group.Progress().Iteration)
	if o.kind == mpi.Ping {
		seconds /= 2 // there and back
	}
	return max(seconds, shortest) / float64(iterations), err
}

// input is where the input is.
func (o *operation) input() []byte {
	if o.in != nil {
		return o.in
	}
	return o.out
}

// verify checks the results of the last iteration.
func (o *operation) verify() {
	data := o.result()
	if data == nil {
		return
	}
	wrong, first := o.payload.Verify(o.rank, o.fills-1, data)
	o.verified.Checked += o.payload.Checked(o.rank)
	if wrong > 0 && o.verified.Wrong == 0 {
		unit := "iteration"
		if o.test.How.Timing == bench.TimingBatch {
			unit = "batch"
		}
		o.verified.First = fmt.Sprintf("%s %d, %s", unit, o.fills-1, first)
	}
	o.verified.Wrong += wrong
}

// result is the buffer that holds the output where the contract of the collective has it; nil where there is none.
func (o *operation) result() []byte {
	w := o.test.What
	switch {
	case o.kind == mpi.Idle || o.kind == mpi.Flood:
		return nil
	case o.kind == mpi.Broadcast && o.rank == w.Root:
		return o.input() // MPI_Bcast has one buffer
	case o.kind == mpi.ReduceScatter && w.InPlace: // MPI leaves the block at the beginning
		block := o.shape.Count * w.DataType.Size()
		copy(o.out[o.rank*block:], o.out[:block])
	}
	return o.out
}

// Verify implements bench.Operation.
func (o *operation) Verify() (bench.Verdict, error) {
	if o.test.How.Timing == bench.TimingBatch && o.fills > 0 {
		o.verified = bench.Verdict{}
		o.verify()
	}
	return o.verified, nil
}

// Evidence implements bench.Operation.
func (o *operation) Evidence() bench.Evidence { return o.evidence }

// Chunks implements bench.Operation: how the library cuts messages is not known.
func (o *operation) Chunks() int { return 0 }

// Close implements bench.Operation.
func (o *operation) Close() error {
	if o.runner != nil {
		o.runner.Close()
	}
	for _, free := range o.frees {
		free()
	}
	o.runner, o.frees = nil, nil
	return nil
}
