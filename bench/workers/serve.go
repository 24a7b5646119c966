package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"collbench/bench"
	"collbench/bench/threads"
)

// The file descriptors that a worker inherits. From bellsFD up: one bell for each member of the host.
const (
	controlFD  = 3
	progressFD = 4
	segmentFD  = 5
	bellsFD    = 6
)

// worker is this process's side.
type worker struct {
	conn          io.ReadWriteCloser
	write         sync.Mutex
	requests      chan message
	exchanges     chan [][]byte
	group         *group
	trouble       *trouble // planted for tests; nil: none
	backends      []bench.Backend
	communicators map[string]bench.Communicator
	operation     bench.Operation
	meeter        bench.Meeter // that has brought the ranks together; nil: none has
}

// Serve is the life of a worker process. It does what it is told until its control connection closes, and then ends
// the process: at once if the backend is at work, which nobody waits for any more.
func Serve(ctx context.Context, backends []bench.Backend) error {
	file := os.NewFile(controlFD, "control")
	conn, err := net.FileConn(file)
	if err != nil {
		return fmt.Errorf("no control connection (a worker is started by run or lab, not by hand): %w", err)
	}
	file.Close()
	// While the working thread spins, another one must be able to answer the watchdog.
	runtime.LockOSThread()
	_ = threads.Measure() // where it is refused, others interrupt more often
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
	w := &worker{
		conn: conn, requests: make(chan message), exchanges: make(chan [][]byte), backends: backends,
		communicators: map[string]bench.Communicator{},
	}
	if err := w.greeting(ctx); err != nil {
		w.reply(message{Kind: failed, Error: err.Error()})
		return err
	}
	go w.listen()
	w.reply(message{Kind: done})
	for m := range w.requests {
		w.reply(w.handle(ctx, m))
	}
	err = w.close()
	if w.meeter != nil {
		if err != nil {
			fmt.Fprintf(os.Stderr, "worker: %v\n", err)
		}
		w.meeter.Exit(map[bool]int{true: 0, false: 1}[err == nil])
	}
	return err
}

// greeting takes what comes before the first request: a meeting if there is one, the seat, the welcome.
func (w *worker) greeting(ctx context.Context) error {
	var taken seat
	for {
		m, err := receive(w.conn)
		if err != nil {
			return fmt.Errorf("no greeting: %w", err)
		}
		switch {
		case m.Kind == meet && m.Meet != nil:
			answer, err := w.meet(ctx, *m.Meet)
			if err != nil {
				return err
			}
			w.reply(message{Kind: met, Meet: &answer})
		case m.Kind == takeSeat && m.Seat != nil:
			taken = *m.Seat
		case m.Kind == hello && m.Hello != nil:
			return w.join(taken, *m.Hello)
		default:
			return fmt.Errorf("%q before the greeting", m.Kind)
		}
	}
}

// meet has a backend's library bring the ranks together.
func (w *worker) meet(ctx context.Context, asked meeting) (answer meeting, err error) {
	b, err := w.backend(asked.Backend)
	if err != nil {
		return answer, err
	}
	meeter, ok := b.(bench.Meeter)
	if !ok {
		return answer, fmt.Errorf("backend %s does not bring ranks together", asked.Backend)
	}
	w.meeter = meeter
	answer.Rank, answer.Ranks, answer.Card, err = meeter.Meet(ctx, asked.Card)
	return answer, err
}

// join makes the group from what was inherited.
func (w *worker) join(s seat, h welcome) error {
	if int(s.Node) < 0 || int(s.Node) >= len(h.Hosts) || len(h.Addresses) != len(h.Hosts) {
		return fmt.Errorf("node %d: %d hosts and %d addresses", s.Node, len(h.Hosts), len(h.Addresses))
	}
	page, err := openProgressPage(os.NewFile(progressFD, "progress"), len(h.Hosts))
	if err != nil {
		return err
	}
	w.group = &group{seat: s, welcome: h, worker: w, progress: page.of(int(s.Node))}
	if s.Bytes > 0 {
		shared := &bench.Segment{File: os.NewFile(segmentFD, "segment"), Bytes: s.Bytes, Members: s.Members}
		for i := range s.Members {
			shared.Bells = append(shared.Bells, os.NewFile(uintptr(bellsFD+i), "bell"))
		}
		w.group.segment = shared
	}
	if s.PaceFD > 0 {
		w.group.pace = &bench.Pace{File: os.NewFile(uintptr(s.PaceFD), "links"), Links: h.Pace}
	}
	if w.trouble, err = parseTrouble(os.Getenv(TroubleVariable)); err == nil {
		w.trouble.strike(w.group, bench.StageIdle)
	}
	return err
}

// close ends the libraries in order: some launchers take it for a failure if they are not.
func (w *worker) close() error {
	w.enter(bench.StageClose)
	var all error
	if w.operation != nil {
		all = w.operation.Close()
	}
	for _, c := range w.communicators {
		all = errors.Join(all, c.Close())
	}
	return all
}

// listen takes what the parent sends. It answers the watchdog at once, whatever the working thread does.
func (w *worker) listen() {
	for {
		m, err := receive(w.conn)
		if err != nil { // whoever has started us is gone or done with us
			time.AfterFunc(closeTime, func() { os.Exit(0) })
			close(w.requests)
			return
		}
		switch m.Kind {
		case ping:
			w.reply(message{Kind: pong})
		case exchanged:
			w.exchanges <- m.Data
		default:
			w.requests <- m
		}
	}
}

func (w *worker) reply(m message) {
	w.write.Lock()
	defer w.write.Unlock()
	if err := send(w.conn, m); err != nil {
		os.Exit(0) // as above
	}
}

// handle does what a request asks and returns the answer. A panic of a backend is an answer too: its text tells
// the user more than the death of a process.
func (w *worker) handle(ctx context.Context, m message) (answer message) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", p, debug.Stack())
			answer = message{Kind: failed, Error: fmt.Sprintf("panic: %v", p)}
		}
		w.group.progress.Stage.Store(int32(bench.StageIdle))
	}()
	var r *result
	var err error
	switch m.Kind {
	case prepare:
		var device *bench.Device
		if device, err = w.prepare(ctx, m.Case); device != nil {
			r = &result{Device: device}
		}
	case iterate:
		r, err = w.run(ctx, m.Iterations, m.Stage)
	default:
		err = fmt.Errorf("unknown request %q", m.Kind)
	}
	if err != nil {
		return message{Kind: failed, Error: err.Error(), Refused: m.Kind == prepare && errors.Is(err, bench.ErrNotSupported)}
	}
	return message{Kind: done, Result: r}
}

func (w *worker) enter(s bench.Stage) {
	p := w.group.progress
	p.Iteration.Store(0)
	p.Round.Store(0)
	p.Waiting.Store(0)
	p.Stage.Store(int32(s))
	w.trouble.strike(w.group, s)
}

// prepare makes the operation of the case. The device is that of a communicator that was opened for it.
func (w *worker) prepare(ctx context.Context, c *bench.Case) (device *bench.Device, err error) {
	if c == nil {
		return nil, errors.New("no case")
	}
	if w.operation != nil {
		w.enter(bench.StageClose)
		err := w.operation.Close()
		w.operation = nil
		if err != nil {
			return nil, fmt.Errorf("closing the operation before: %w", err)
		}
	}
	comm, ok := w.communicators[c.How.Backend]
	if !ok {
		w.enter(bench.StageOpen)
		if comm, err = w.open(ctx, c.How.Backend); err != nil {
			return nil, err
		}
		w.communicators[c.How.Backend] = comm
		if d, ok := comm.(bench.Described); ok {
			device = d.Device()
		}
	}
	w.enter(bench.StagePrepare)
	w.operation, err = comm.Prepare(ctx, *c)
	if err != nil {
		w.operation = nil
	}
	return device, err
}

func (w *worker) open(ctx context.Context, name string) (bench.Communicator, error) {
	b, err := w.backend(name)
	if err != nil {
		return nil, err
	}
	return b.Open(ctx, w.group)
}

func (w *worker) backend(name string) (bench.Backend, error) {
	for _, b := range w.backends {
		if b.Name() == name {
			return b, nil
		}
	}
	return nil, fmt.Errorf("unknown backend %q", name)
}

func (w *worker) run(ctx context.Context, iterations int, stage bench.Stage) (*result, error) {
	if w.operation == nil {
		return nil, errors.New("nothing is prepared")
	}
	w.enter(stage)
	seconds, err := w.operation.Run(ctx, iterations)
	if err != nil {
		return nil, err
	}
	w.enter(bench.StageVerify)
	verdict, err := w.operation.Verify()
	if err != nil {
		return nil, err
	}
	r := &result{Seconds: seconds, Verdict: verdict, Evidence: w.operation.Evidence(), Chunks: w.operation.Chunks()}
	if o, ok := w.operation.(bench.Observer); ok {
		r.Observation = o.Observation()
	}
	return r, nil
}
