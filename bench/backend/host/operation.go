package host

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"collbench/bench"
	"collbench/collectives/host"
)

// operation is a prepared case on this node.
type operation struct {
	*communicator
	test     bench.Case
	rank     int
	nodes    int // that take part: ranks, then switches
	chunks   int
	half     bool         // a sample is half of an iteration's time
	engine   *host.Engine // nil on a node that the case has no use for
	barrier  *host.Engine // nil on a switch
	content  content      // nil likewise
	evidence bench.Evidence
	fault    *host.Fault
	frees    []func()
	cpu      int            // to stay on; −1: any
	compute  time.Duration  // beside each iteration
	computer *host.Computer // nil: nothing is computed
	fills    int            // times that the input was made new; the number of the iteration, or of the batch
	verdict  bench.Verdict
}

func (o *operation) isRank() bool { return o.rank < o.group.Ranks() }

// Run implements bench.Operation.
func (o *operation) Run(ctx context.Context, iterations int) ([]float64, error) {
	if o.engine == nil {
		return nil, nil
	}
	if o.broken != nil {
		return nil, fmt.Errorf("%s: the connections cannot be used any more: %w", o.test, o.broken)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if o.cpu >= 0 {
		defer host.Pin(o.cpu)()
	}
	unwatch := context.AfterFunc(ctx, func() { o.poller.Stop(context.Cause(ctx)) })
	defer unwatch()
	o.verdict = bench.Verdict{}
	samples, err := o.measure(iterations)
	if err != nil {
		o.broken = err
		return nil, fmt.Errorf("%s: %w", o.test, err)
	}
	if !o.test.Times(o.rank) {
		return nil, nil
	}
	return samples, nil
}

func (o *operation) measure(iterations int) (samples []float64, err error) {
	batch := o.test.How.Timing == bench.TimingBatch
	if batch && o.isRank() {
		seconds, err := o.timed(iterations)
		return []float64{seconds}, err
	}
	for i := range iterations {
		if !o.isRank() {
			if !batch || i == 0 {
				o.renew()
			}
			if err := o.engine.Run(); err != nil {
				return nil, err
			}
			continue
		}
		seconds, err := o.timed(1)
		if err != nil {
			return nil, err
		}
		samples = append(samples, seconds)
		o.verify()
	}
	return samples, nil
}

// renew counts what is about to be measured, and makes a rank's input new.
func (o *operation) renew() {
	if o.isRank() {
		o.content.fill(o.fills)
	}
	if o.fault != nil {
		o.fault.Now = int64(o.fills)
	}
	o.group.Progress().Iteration.Store(int64(o.fills))
	o.fills++
}

// timed makes the input new, waits for all ranks, and times so many iterations back to back: seconds for each.
func (o *operation) timed(iterations int) (float64, error) {
	o.renew()
	if err := o.barrier.Run(); err != nil {
		return 0, fmt.Errorf("barrier: %w", err)
	}
	start := time.Now()
	for range iterations {
		if err := o.beside(o.once); err != nil {
			return 0, err
		}
	}
	took := max(time.Since(start), 1).Seconds() // the clock's resolution, where there is nothing to do
	if o.half {
		took /= 2
	}
	return took / float64(iterations), nil
}

// once is one iteration: all that is timed.
func (o *operation) once() error {
	if err := o.engine.Run(); err != nil {
		return err
	}
	o.content.finish()
	return nil
}

// verify checks the results of the last iteration.
func (o *operation) verify() {
	v := o.content.verify(o.fills - 1)
	if v.Wrong > 0 && o.verdict.Wrong == 0 {
		o.verdict.First = fmt.Sprintf("%s %d, %s", o.unit(), o.fills-1, v.First)
	}
	o.verdict.Checked += v.Checked
	o.verdict.Wrong += v.Wrong
}

// unit is what fills counts.
func (o *operation) unit() string {
	if o.test.How.Timing == bench.TimingBatch {
		return "batch"
	}
	return "iteration"
}

// Verify implements bench.Operation.
func (o *operation) Verify() (bench.Verdict, error) {
	if o.test.How.Timing == bench.TimingBatch && o.engine != nil && o.isRank() && o.fills > 0 {
		o.verdict = bench.Verdict{}
		o.verify()
	}
	return o.verdict, nil
}

// Evidence implements bench.Operation.
func (o *operation) Evidence() bench.Evidence { return o.evidence }

// Chunks implements bench.Operation.
func (o *operation) Chunks() int { return o.chunks }

// Close implements bench.Operation.
func (o *operation) Close() error {
	for _, e := range []*host.Engine{o.engine, o.barrier} {
		if e != nil {
			e.Close()
		}
	}
	for _, free := range o.frees {
		free()
	}
	if o.computer != nil && o.broken == nil {
		o.computer.Close()
	}
	o.engine, o.barrier, o.frees, o.computer = nil, nil, nil, nil
	return nil
}
