package ucx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"collbench/bench"
	"collbench/cgo/ucx"
	"collbench/collectives"
)

// operation is a prepared case on this rank.
type operation struct {
	*communicator
	test    bench.Case
	call    call
	pattern ucx.Pattern
	variant variant
	bytes   int  // of a message
	rank    int  // of the pair: 0 the first, 1 the second
	idle    bool // this rank is of no pair
	peer    int
	own     *ucx.End // for the call
	control *ucx.End // where the ranks meet
	loop    *ucx.Loop

	sent, received []byte
	evidence       bench.Evidence
	turn           int // times that the data was made new
	messages       int // of the last run of the loop
	verified       bench.Verdict
}

func (o *operation) build(ctx context.Context) error {
	if err := o.backend.Supports(o.test); err != nil {
		return fmt.Errorf("%w: %w", bench.ErrNotSupported, err)
	}
	p, err := bench.FindPointToPoint(o.test.What.Operation)
	if err != nil {
		return err
	}
	whole, err := o.test.Whole()
	if err != nil {
		return err
	}
	if ranks := o.group.Ranks(); o.test.Where.Ranks != ranks {
		return fmt.Errorf("want %d ranks, have %d", o.test.Where.Ranks, ranks)
	}
	if o.variant, err = findVariant(o.test.How.Variant); err != nil {
		return err
	}
	o.call, o.pattern, o.bytes = calls[p.Call], pattern(p), messageBytes(o.test, whole)
	o.place()
	if err := o.connect(ctx); err != nil {
		return err
	}
	return o.prove(ctx)
}

// place finds this rank's part.
func (o *operation) place() {
	o.idle = true
	for _, pair := range o.test.Pairs() {
		switch int(o.group.Node()) {
		case pair.From:
			o.rank, o.peer, o.idle = 0, pair.To, false
		case pair.To:
			o.rank, o.peer, o.idle = 1, pair.From, false
		}
	}
}

// introduction is what a rank tells the others.
type introduction struct {
	Own     ucx.Card `json:"own"`
	Control ucx.Card `json:"control"`
	Detail  string   `json:"detail,omitempty"` // evidence
	Error   string   `json:"error,omitempty"`
}

// exchange tells all ranks of this one, and this one of all. failed is what has happened here so far; an error of another rank names it.
func (o *operation) exchange(ctx context.Context, mine introduction, failed error) ([]introduction, error) {
	if failed != nil {
		mine = introduction{Error: failed.Error()}
	}
	message, err := json.Marshal(mine)
	if err != nil {
		return nil, err
	}
	messages, err := o.group.Exchange(ctx, message)
	if failed != nil || err != nil {
		return nil, errors.Join(failed, err)
	}
	all := make([]introduction, len(messages))
	for rank, m := range messages {
		if err := json.Unmarshal(m, &all[rank]); err != nil {
			return nil, fmt.Errorf("introduction of %s: %w", o.name(rank), err)
		}
		if all[rank].Error != "" {
			return nil, fmt.Errorf("%s: %s", o.name(rank), all[rank].Error)
		}
	}
	return all, nil
}

// connect makes the ends, brings the addresses to the other rank, and makes the loop ready.
func (o *operation) connect(ctx context.Context) error {
	mine, failed := o.open()
	all, err := o.exchange(ctx, mine, failed)
	if err != nil || o.idle {
		return err
	}
	other := all[o.peer]
	if err := o.own.Connect(other.Own, o.variant.peerErrors); err != nil {
		return fmt.Errorf("to %s: %w", o.name(o.peer), err)
	}
	if err := o.control.Connect(other.Control, o.variant.peerErrors); err != nil {
		return fmt.Errorf("to %s: %w", o.name(o.peer), err)
	}
	window := 1
	if o.test.What.Window > 0 {
		window = o.test.What.Window
	}
	o.loop, err = ucx.NewLoop(o.own, o.control, ucx.Job{Call: o.call.ucx, Pattern: o.pattern, First: o.rank == 0, Bytes: o.bytes, Window: window,
		Offset: o.variant.offset})
	return err
}

// open makes this rank's ends.
func (o *operation) open() (introduction, error) {
	if o.idle {
		return introduction{}, nil
	}
	length := o.bytes + o.variant.offset
	if err := fits(2*int64(length), o.neighbours()); err != nil {
		return introduction{}, err
	}
	var err error
	if o.own, err = ucx.NewEnd(o.call.features(o.bytes), length); err != nil {
		return introduction{}, err
	}
	if o.control, err = ucx.NewEnd(ucx.TagMatching, 1); err != nil {
		return introduction{}, err
	}
	o.sent, o.received = o.own.Sent()[o.variant.offset:], o.own.Received()[o.variant.offset:]
	return introduction{Own: o.own.Card(), Control: o.control.Card()}, nil
}

// neighbours is the number of ranks of pairs on this rank's host.
func (o *operation) neighbours() (n int) {
	here := o.group.Host(o.group.Node())
	for _, pair := range o.test.Pairs() {
		for _, rank := range []int{pair.From, pair.To} {
			if o.group.Host(collectives.Node(rank)) == here {
				n++
			}
		}
	}
	return n
}

// prove sends one message, which completes the connection and shows how it goes, and has all ranks hold the same evidence: that of the
// first rank of the first pair.
func (o *operation) prove(ctx context.Context) error {
	var mine introduction
	var failed error
	if !o.idle {
		if _, failed = o.timed(1); failed == nil {
			mine.Detail = o.shown()
		}
	}
	all, err := o.exchange(ctx, mine, failed)
	if err != nil {
		return err
	}
	o.evidence = bench.Evidence{Source: "library", Detail: all[o.test.Pairs()[0].From].Detail}
	return nil
}

// shown is what UCX shows of how messages go: the lanes of the endpoint, and what the first message's request has said.
func (o *operation) shown() string {
	text := fmt.Sprintf("UCX %s: %s", ucx.LibraryVersion(), strings.Join(o.own.Lanes(), ", "))
	if p := o.loop.Protocol(); p != "" {
		text += "; this message: " + p
	}
	return text
}

// timed makes the data new, and exchanges so many messages with the other rank: seconds of all of them.
func (o *operation) timed(n int) (float64, error) {
	o.turn++
	o.messages = n
	fill(o.sent, o.rank, o.turn)
	if o.call.ucx == ucx.Get {
		fill(o.received, o.rank, o.turn)
	}
	progress := o.group.Progress()
	progress.Waiting.Store(int64(o.peer) + 1)
	defer progress.Waiting.Store(0)
	seconds, err := o.loop.Run(n, &progress.Iteration)
	if err != nil {
		return 0, fmt.Errorf("with %s: %w", o.name(o.peer), err)
	}
	return seconds, nil
}

// Run implements bench.Operation. With TimingBatch messages follow each other through all iterations. With TimingBarrier a window is
// timed by itself, and so is a message; without windows messages follow each other there too, each with its own time.
func (o *operation) Run(ctx context.Context, iterations int) ([]float64, error) {
	if o.idle {
		return nil, ctx.Err()
	}
	runtime.LockOSThread() // a worker of UCX's is used by one thread
	defer runtime.UnlockOSThread()
	o.verified = bench.Verdict{}
	samples, err := o.measure(iterations)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.test, err)
	}
	if !o.test.Times(int(o.group.Node())) {
		samples = nil
	}
	return samples, ctx.Err()
}

func (o *operation) measure(iterations int) (samples []float64, err error) {
	window := max(1, o.test.What.Window)
	if o.test.How.Timing == bench.TimingBatch {
		seconds, err := o.timed(iterations * window)
		o.verify()
		return []float64{o.sample(seconds / float64(iterations))}, err
	}
	for left := iterations; left > 0 && err == nil; {
		turn := 1
		if o.test.What.Window == 0 {
			turn = min(left, ucx.MaxTimes)
		}
		var seconds float64
		seconds, err = o.timed(turn * window)
		if o.test.What.Window > 0 {
			samples = append(samples, o.sample(seconds))
		} else {
			for _, t := range o.loop.Times(turn) {
				samples = append(samples, o.sample(t))
			}
		}
		o.verify()
		left -= turn
	}
	return samples, err
}

// shortest is the clock's resolution, for where there is nothing to do.
const shortest = 1e-9

// sample is what an iteration of so many seconds counts: half of it, where a message goes there and back.
func (o *operation) sample(seconds float64) float64 {
	if o.pattern == ucx.PingPong {
		seconds /= 2
	}
	return max(seconds, shortest)
}

// Verify implements bench.Operation: what the last message of each run of the loop has brought, and how often an atomic has acted.
func (o *operation) Verify() (bench.Verdict, error) { return o.verified, nil }

// Evidence implements bench.Operation.
func (o *operation) Evidence() bench.Evidence { return o.evidence }

// Chunks implements bench.Operation: how UCX cuts messages is not known.
func (o *operation) Chunks() int { return 0 }

// Close implements bench.Operation.
func (o *operation) Close() error {
	if o.loop != nil {
		o.loop.Close()
	}
	for _, e := range []*ucx.End{o.own, o.control} {
		if e != nil {
			e.Close()
		}
	}
	o.loop, o.own, o.control = nil, nil, nil
	return nil
}
