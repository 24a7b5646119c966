package workers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"collbench/bench"
	"collbench/collectives"
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
	each    float64 // seconds that an iteration of the current case took with all around it; 0: not known yet
	broken  bool    // something went wrong: the processes are of no more use
}

// start starts all processes and greets them.
func (t *team) start(ctx context.Context) error {
	nodes := t.pool.Nodes
	if t.pool.Fleet != nil {
		t.starter = t.pool.Fleet.launch(t.pool)
	} else {
		t.starter = &local{pool: t.pool}
	}
	var err error
	t.processes, err = t.starter.start(ctx)
	for i, w := range t.processes {
		go t.wait(i, w)
		go t.listen(i, w)
	}
	if err != nil {
		return err
	}
	hosts := make([]string, len(nodes))
	for i, n := range nodes {
		hosts[i] = n.Host
	}
	members := t.pool.members()
	for i, n := range nodes {
		mates := members[n.Host]
		h := welcome{Node: collectives.Node(i), Ranks: t.pool.Ranks, Hosts: hosts, Address: n.Address}
		if len(mates) > 1 {
			h.Members, h.Bytes = mates, segmentBytes
		}
		if p := t.pool.Pace; p != nil {
			h.Pace, h.PaceFD = p.Links, paceFD(len(mates))
		}
		// One that is dead already does not read; Launch's collect finds that out and says how it died.
		t.send(i, message{Kind: hello, Hello: &h})
	}
	return nil
}

// Prepare makes all nodes ready for the case.
func (t *team) Prepare(ctx context.Context, c bench.Case) error {
	t.current, t.stage, t.each = c, bench.StagePrepare, 0
	_, err := t.ask(ctx, message{Kind: prepare, Case: &c}, t.bound(30*time.Second))
	return err
}

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
	after, err := t.links()
	if err != nil {
		return batch, err
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
		if r.Evidence.Observed != b.Evidence.Observed {
			return b, fmt.Errorf("%s ran %q, but rank 0 ran %q", t.pool.name(i), r.Evidence.Observed, b.Evidence.Observed)
		}
	}
	return b, nil
}

// ask sends all nodes the same request and collects their answers.
func (t *team) ask(ctx context.Context, m message, bound time.Duration) ([]*result, error) {
	for i := range t.processes {
		if err := t.send(i, m); err != nil {
			// The node is dead or stopped. The watchdog finds out which, and says it better.
			bound = min(bound, time.Second)
			break
		}
	}
	return t.collect(ctx, bound)
}

// send gives up after a while: a process that is stopped does not read.
func (t *team) send(node int, m message) error {
	w := t.processes[node]
	w.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if err := send(w.conn, m); err != nil {
		return t.errorf("%s: %w", t.pool.name(node), err)
	}
	return nil
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

// listen passes on what the process says, until it closes the connection.
func (t *team) listen(node int, w *process) {
	for {
		m, err := receive(w.conn)
		if err != nil {
			return // it is dead, or will be reaped by Close
		}
		t.post(event{node: node, message: m})
	}
}

func (t *team) post(e event) {
	select {
	case t.events <- e:
	case <-t.quit:
	}
}

// grace is how long workers have to end by themselves.
const grace = time.Second

// deathTime bounds how long a process that was killed takes to be gone; one on another host may never be known to be.
const deathTime = 3 * time.Second

// Close ends all processes: gently after work well done, else at once. It returns when all are gone.
func (t *team) Close() error {
	t.closing.Do(func() {
		close(t.quit)
		for _, w := range t.processes {
			if t.broken {
				w.kill()
			}
			w.conn.Close()
		}
		if t.gone(time.After(grace)) {
			t.starter.end()
			return
		}
		for _, w := range t.processes {
			w.kill()
		}
		t.gone(time.After(deathTime))
		t.starter.end()
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
