package workers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"collbench/bench"
	"collbench/bench/launch"
)

// early is a worker that is started before the ranks have met, because its library brings them together: MPI, which a
// launcher's slot can initialise only once, and not at all after its agent has spoken with the launcher's server. So
// the agent leaves that alone, and the worker stays for the one launch that there can be.
type early struct {
	*child
	conn    net.Conn
	memory  *os.File // of the progress page
	seated  bool
	closing sync.Once
}

// startEarly starts the worker with the variables of the one launch.
func startEarly(command, environment []string) (*early, error) {
	memory, err := anonymous("progress", progressStride)
	if err != nil {
		return nil, err
	}
	files, handed, err := launcherSocket()
	if err != nil {
		memory.Close()
		return nil, err
	}
	e := &early{memory: memory}
	e.child, e.conn, err = startWorker(command, append(append(os.Environ(), environment...), handed...), nil, memory, files)
	closeAll(files)
	if err != nil {
		memory.Close()
		return nil, err
	}
	return e, nil
}

// launcherSocket is the connection with a PMI-1 server that this process has inherited, and the variable that tells
// the worker where it finds it.
func launcherSocket() (files []*os.File, variables []string, err error) {
	text := os.Getenv("PMI_FD")
	if text == "" {
		return nil, nil, nil
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return nil, nil, fmt.Errorf("PMI_FD=%q: want a file descriptor", text)
	}
	syscall.CloseOnExec(fd)
	return []*os.File{os.NewFile(uintptr(fd), "PMI_FD")}, []string{fmt.Sprintf("PMI_FD=%d", segmentFD)}, nil
}

// meet has the library bring the ranks together. card is rank 0's; the others get it.
func (e *early) meet(ctx context.Context, backend string, card []byte) (meeting, error) {
	stop := context.AfterFunc(ctx, func() { e.conn.SetDeadline(time.Now()) })
	defer stop()
	err := send(e.conn, message{Kind: meet, Meet: &meeting{Backend: backend, Card: card}})
	var answer message
	for err == nil && answer.Kind != met && answer.Kind != failed {
		answer, err = receive(e.conn)
	}
	switch {
	case ctx.Err() != nil:
		return meeting{}, fmt.Errorf("%s has not brought the ranks together: %w", backend, context.Cause(ctx))
	case err != nil:
		select {
		case <-e.exited:
			return meeting{}, fmt.Errorf("%s: the worker (pid %d) %s", backend, e.cmd.Process.Pid, e.death())
		case <-time.After(settle):
			return meeting{}, err
		}
	case answer.Kind == failed:
		return meeting{}, errors.New(answer.Error)
	case answer.Meet == nil:
		return meeting{}, errors.New("an empty answer of the worker")
	}
	return *answer.Meet, nil
}

// errOnce is why there is no second launch.
var errOnce = errors.New("this backend's library can be started only once under a launcher: measure what is left with another launch and --append")

// takePage makes the progress page as long as the launch needs. That can be once.
func (e *early) takePage(nodes int) (*progressPage, error) {
	if e.seated {
		return nil, errOnce
	}
	e.seated = true
	if err := e.memory.Truncate(int64(nodes * progressStride)); err != nil {
		return nil, fmt.Errorf("progress page: %w", err)
	}
	return openProgressPage(e.memory, nodes)
}

// end ends the worker, wherever it is.
func (e *early) end() {
	e.closing.Do(func() {
		e.kill()
		<-e.exited
		e.conn.Close()
		if !e.seated {
			e.memory.Close()
		}
	})
}

// encounter is a launch.Exchange through an early worker.
type encounter struct {
	worker  *early
	backend string
	world   *launch.World
}

// Encounter starts this rank's worker and has the backend bring the ranks together, in the place of the launcher's own
// way. The worker, with the variables of the environment, is the one of the only launch that there can be.
func Encounter(w *launch.World, b bench.Meeter, command, environment []string) (launch.Exchange, error) {
	e, err := startEarly(command, environment)
	if err != nil {
		return nil, fmt.Errorf("backend %s: starting the worker: %w", b.Name(), err)
	}
	return &encounter{worker: e, backend: b.Name(), world: w}, nil
}

// Ports implements launch.Exchange.
func (x *encounter) Ports() []int { return nil }

// Secret implements launch.Exchange.
func (x *encounter) Secret() []byte { return nil }

// Close implements launch.Exchange. The worker stays.
func (x *encounter) Close() error { return nil }

// Share implements launch.Exchange. It completes the world where the variables have left its size open.
func (x *encounter) Share(ctx context.Context, mine launch.Card) (launch.Card, error) {
	var text string
	var err error
	if x.world.Rank == 0 {
		if text, err = mine.Text(); err != nil {
			return mine, err
		}
	}
	m, err := x.worker.meet(ctx, x.backend, []byte(text))
	if err != nil {
		x.worker.end()
		return mine, err
	}
	switch w := x.world; {
	case m.Rank != w.Rank || w.Size > 0 && m.Ranks != w.Size:
		err = fmt.Errorf("this process is rank %d of %d to %s, but %s", m.Rank, m.Ranks, x.backend, w)
	case w.Size == 0:
		w.Size = m.Ranks
	}
	var card launch.Card
	if err == nil {
		card, err = launch.ParseCard(strings.TrimSpace(string(m.Card)))
	}
	if err != nil {
		x.worker.end()
	}
	return card, err
}
