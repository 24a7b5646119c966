package workers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"collbench/bench"
)

// team is a launch: all processes, and what the parent needs to talk with them.
type team struct {
	pool      *Pool
	starter   starter
	processes []*process
	events    chan event
	quit      chan struct{} // closed by Close: nobody reads events any more
	closing   sync.Once

	current bench.Case // what is being done, for messages
	stage   bench.Stage
	each    float64         // seconds that an iteration of the current case took with all around it; 0: not known yet
	devices []*bench.Device // of the case that was prepared, where it is the first
	broken  bool            // something went wrong: the processes are of no more use
}

// start starts all processes and greets them.
func (t *team) start(ctx context.Context, environment []string) error {
	nodes := t.pool.Nodes
	if t.pool.Fleet != nil {
		t.starter = t.pool.Fleet.launch(t.pool)
	} else {
		t.starter = &local{pool: t.pool}
	}
	var err error
	t.processes, err = t.starter.start(ctx, environment, t.post)
	for i, w := range t.processes {
		go t.wait(i, w)
	}
	if err != nil {
		return err
	}
	h := welcome{Ranks: t.pool.Ranks}
	for _, n := range nodes {
		h.Hosts, h.Addresses = append(h.Hosts, n.Host), append(h.Addresses, n.Address)
	}
	if p := t.pool.Pace; p != nil {
		h.Pace = p.Links
	}
	// One that is dead already does not read; Launch's collect finds that out and says how it died.
	_ = t.starter.broadcast(message{Kind: hello, Hello: &h})
	return nil
}

// Prepare makes all nodes ready for the case.
func (t *team) Prepare(ctx context.Context, c bench.Case) error {
	t.current, t.stage, t.each = c, bench.StagePrepare, 0
	results, err := t.ask(ctx, message{Kind: prepare, Case: &c}, t.bound(30*time.Second))
	if err != nil {
		return err
	}
	t.devices = nil
	for i, r := range results[:t.pool.Ranks] {
		if r != nil && r.Device != nil {
			if t.devices == nil {
				t.devices = make([]*bench.Device, t.pool.Ranks)
			}
			t.devices[i] = r.Device
		}
	}
	return nil
}

// Devices implements bench.DescribedTeam: those that the last case has brought.
func (t *team) Devices() []*bench.Device { return t.devices }

// Run carries out so many iterations on all nodes at once and verifies them.
func (t *team) Run(ctx context.Context, iterations int, stage bench.Stage) (bench.Batch, error) {
	t.stage = stage
	before, err := t.links()
	if err != nil {
		return bench.Batch{}, err
	}
	busy := readProcessors()
	start := time.Now()
	results, err := t.ask(ctx, message{Kind: iterate, Iterations: iterations, Stage: stage}, t.bound(t.expected(iterations)))
	if err != nil {
		return bench.Batch{}, err
	}
	t.each = time.Since(start).Seconds() / float64(iterations)
	batch, err := t.merge(results)
	if err != nil {
		return batch, t.errorf("%w", err)
	}
	if t.pool.Fleet == nil { // else other hosts have CPUs too
		batch.CPU = busy.since()
	}
	observe(&batch, results[:t.pool.Ranks])
	after, err := t.links()
	if err != nil {
		return batch, err
	}
	if after != nil {
		batch.Counted, batch.On = nil, ""
	}
	for i := range after {
		batch.Counted = append(batch.Counted, bench.LinkBytes{
			Sent: after[i].Sent - before[i].Sent, Received: after[i].Received - before[i].Received})
	}
	return batch, nil
}

func (t *team) links() ([]bench.LinkBytes, error) {
	if t.pool.Links == nil {
		return nil, nil
	}
	counted, err := t.pool.Links()
	if err != nil {
		return nil, t.errorf("counters of the links: %w", err)
	}
	if len(counted) != t.pool.Ranks {
		return nil, t.errorf("counters of %d links: want one for each of the %d ranks", len(counted), t.pool.Ranks)
	}
	return counted, nil
}

// merge makes one batch of what the nodes say.
func (t *team) merge(results []*result) (bench.Batch, error) {
	var b bench.Batch
	for i, r := range results {
		if r == nil {
			return b, fmt.Errorf("%s gave no result", t.pool.name(i))
		}
		if i >= t.pool.Ranks {
			continue
		}
		b.Seconds = append(b.Seconds, r.Seconds)
		b.Verdict.Checked += r.Verdict.Checked
		b.Verdict.Wrong += r.Verdict.Wrong
		if r.Verdict.Wrong > 0 && b.Verdict.First == "" {
			b.Verdict.First = fmt.Sprintf("%s: %s", t.pool.name(i), r.Verdict.First)
		}
		if i == 0 {
			b.Evidence, b.Chunks = r.Evidence, r.Chunks
		}
		b.Evidence.Via = joined(b.Evidence.Via, r.Evidence.Via) // not every rank speaks with other hosts itself
		if r.Evidence.Observed != b.Evidence.Observed {
			return b, fmt.Errorf("%s ran %q, but rank 0 ran %q", t.pool.name(i), r.Evidence.Observed, b.Evidence.Observed)
		}
	}
	return b, nil
}

// joined are two lists with commas, each item once.
func joined(a, b string) string {
	var all []string
	for _, list := range []string{a, b} {
		for item := range strings.SplitSeq(list, ", ") {
			if item != "" && !slices.Contains(all, item) {
				all = append(all, item)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// observe takes over what counters and sensors of the ranks say, where all have them.
func observe(b *bench.Batch, ranks []*result) {
	for _, r := range ranks {
		if r.Counted != nil {
			b.Counted, b.On = append(b.Counted, *r.Counted), r.CountedOn
		}
		if r.Clocks != nil {
			b.Clocks = append(b.Clocks, *r.Clocks)
		}
	}
	if len(b.Counted) != len(ranks) {
		b.Counted, b.On = nil, ""
	}
	if len(b.Clocks) != len(ranks) {
		b.Clocks = nil
	}
}

// ask sends all nodes the same request and collects their answers.
func (t *team) ask(ctx context.Context, m message, bound time.Duration) ([]*result, error) {
	if err := t.starter.broadcast(m); err != nil {
		// The node is dead or stopped. The watchdog finds out which, and says it better.
		bound = min(bound, time.Second)
	}
	return t.collect(ctx, bound)
}

// errorf is an error that begins with the case.
func (t *team) errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if t.current == (bench.Case{}) {
		return err
	}
	return fmt.Errorf("%s: %w", t.current, err)
}

// wait waits until the process is gone.
func (t *team) wait(node int, w *process) {
	<-w.exited
	t.post(event{node: node, dead: true})
}

func (t *team) post(e event) {
	select {
	case t.events <- e:
	case <-t.quit:
	}
}

// How long processes may take to end: those of whom nothing is wanted any more, which have libraries to close; and
// those that were killed. One on another host may never be known to be gone.
const (
	closeTime = 10 * time.Second
	grace     = time.Second
	deathTime = 3 * time.Second
)

// Close ends all processes: gently after work well done, else at once. It returns when all are gone.
func (t *team) Close() error {
	t.closing.Do(func() {
		close(t.quit)
		if t.starter == nil {
			return
		}
		defer t.starter.end()
		if !t.broken {
			t.starter.dismiss()
			if t.gone(time.After(closeTime)) {
				return
			}
		}
		t.starter.kill()
		t.gone(time.After(deathTime))
	})
	return nil
}

// gone waits until all processes are gone, and says whether they are.
func (t *team) gone(deadline <-chan time.Time) bool {
	for _, w := range t.processes {
		select {
		case <-w.exited:
		case <-deadline:
			return false
		}
	}
	return true
}
