package start

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Grace is how long ranks that were told to end may take before they are killed.
const Grace = 4 * time.Second

// cardNumber is the file by which a rank gives or gets rank 0's card: the first that exec.Cmd passes on.
const cardNumber = 3

// host is a starter: what runs on a host in a job's name.
type host struct {
	program string // file of this program
	back    *sender
	mutex   sync.Mutex
	ranks   map[int]*exec.Cmd // that have not ended
	waiting []*os.File        // pipes of the ranks that are to get the card
	all     sync.WaitGroup
}

// Serve is the life of a host's starter: it starts the ranks of the job that in says, passes on what they print, and
// returns when they have ended. When in ends, is silent for long, or ctx ends, the ranks are told to end with
// SIGTERM, and killed after Grace. Whatever ends this process ends them at once.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	// The ranks die with the thread that started them, so this one has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Writing to a launcher that has gone is an error here, not death: the ranks may still keep what they have.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	h := &host{program: program, back: &sender{to: out}, ranks: map[int]*exec.Cmd{}}
	if err := h.back.send(fromHost{Hello: protocol}); err != nil {
		return fmt.Errorf("greeting the launcher: %w", err)
	}
	heard := listen(in)
	job := await(ctx, heard)
	if job == nil {
		return nil // called off
	}
	if err := h.start(*job); err != nil {
		h.end()
		return h.back.send(fromHost{Failure: err.Error()})
	}
	ended := make(chan struct{})
	go func() { h.all.Wait(); close(ended) }()
	pause := time.NewTicker(pingEvery)
	defer pause.Stop()
	for missed := 0; ; {
		select {
		case m, ok := <-heard:
			missed = 0
			switch {
			case !ok || m.End:
				h.end()
				<-ended
				return nil
			case m.Card != "" || m.NoCard:
				h.give(m.Card)
			}
		case <-ctx.Done():
			h.end()
			<-ended
			return nil
		case <-pause.C:
			if missed++; missed < patience {
				continue
			}
			h.end()
			<-ended
			return fmt.Errorf("the launcher has been silent for %s", patience*pingEvery)
		case <-ended:
			return nil
		}
	}
}

// await is the job, which may be long in coming: the launcher waits for all hosts, and gives signs of life meanwhile. Nil:
// there will be none.
func await(ctx context.Context, heard <-chan toHost) *work {
	pause := time.NewTicker(pingEvery)
	defer pause.Stop()
	for missed := 0; missed < patience; {
		select {
		case m, ok := <-heard:
			if !ok || m.Job != nil {
				return m.Job
			}
			missed = 0
		case <-ctx.Done():
			return nil
		case <-pause.C:
			missed++
		}
	}
	return nil
}

// listen reads what the launcher says. The channel is closed at its end.
func listen(in io.Reader) <-chan toHost {
	heard := make(chan toHost)
	go func() {
		defer close(heard)
		for from := messages(in); ; {
			var m toHost
			if receive(from, &m) != nil {
				return
			}
			heard <- m
		}
	}()
	return heard
}

// start starts the ranks of this host.
func (h *host) start(w work) error {
	if info, err := os.Stat(w.Dir); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no working folder %s: want one that is on all hosts (--workdir)", w.Dir)
	}
	for local, rank := range w.Ranks {
		if err := h.startRank(w, rank, local); err != nil {
			return fmt.Errorf("rank %d: %w", rank, err)
		}
	}
	return nil
}

// startRank starts one rank, with a pipe for rank 0's card.
func (h *host) startRank(w work, rank, local int) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	mine, theirs := write, read
	if rank == 0 {
		mine, theirs = read, write
	}
	defer theirs.Close()
	cmd := exec.Command(h.program, w.Arguments...)
	cmd.Dir = w.Dir
	cmd.Env = slices.Concat(os.Environ(), w.Env, []string{
		"COLLBENCH_LAUNCHER=collbench", // whatever else stands in the environment
		"COLLBENCH_RANK=" + strconv.Itoa(rank), "COLLBENCH_SIZE=" + strconv.Itoa(w.Size),
		"COLLBENCH_LOCAL_RANK=" + strconv.Itoa(local), "COLLBENCH_LOCAL_SIZE=" + strconv.Itoa(len(w.Ranks)),
		"COLLBENCH_RENDEZVOUS=fd:" + strconv.Itoa(cardNumber),
	})
	stdout := &lines{line: func(b []byte) { h.back.send(fromHost{Rank: rank, Stdout: b}) }}
	stderr := &lines{line: func(b []byte) { h.back.send(fromHost{Rank: rank, Stderr: b}) }}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		mine.Close()
		return err
	}
	h.mutex.Lock()
	h.ranks[rank] = cmd
	if rank != 0 {
		h.waiting = append(h.waiting, mine)
	}
	h.mutex.Unlock()
	if rank == 0 {
		go h.take(mine)
	}
	h.all.Go(func() {
		cmd.Wait()
		stdout.flush()
		stderr.flush()
		h.mutex.Lock()
		delete(h.ranks, rank)
		h.mutex.Unlock()
		h.back.send(fromHost{Rank: rank, Ended: ended(cmd.ProcessState)})
	})
	return nil
}

// take takes the card from rank 0, if it gives one.
func (h *host) take(pipe *os.File) {
	defer pipe.Close()
	from := messages(pipe)
	if from.Scan() {
		h.back.send(fromHost{Card: from.Text()})
	}
}

// give gives the card to the other ranks, or closes their pipes if there is none. A card is shorter than what a pipe
// holds, and some rank may not want it.
func (h *host) give(card string) {
	for _, pipe := range h.waiting {
		if card != "" {
			_, _ = io.WriteString(pipe, card+"\n")
		}
		pipe.Close()
	}
	h.waiting = nil
}

// end tells the ranks to end, and kills those that have not after Grace.
func (h *host) end() {
	h.signal(syscall.SIGTERM)
	time.AfterFunc(Grace, func() { h.signal(syscall.SIGKILL) })
}

func (h *host) signal(s syscall.Signal) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, cmd := range h.ranks {
		_ = cmd.Process.Signal(s) // it may just have ended
	}
}

// ended says how a process ended, for its exit code as shells count it.
func ended(state *os.ProcessState) *outcome {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		s := status.Signal()
		return &outcome{128 + int(s), fmt.Sprintf("was killed by signal %d (%s)", s, unix.SignalName(s))}
	}
	return &outcome{state.ExitCode(), fmt.Sprintf("ended with exit code %d", state.ExitCode())}
}
