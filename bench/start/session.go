package start

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// session is the launcher's connection with a host's starter.
type session struct {
	place  Place
	cmd    *exec.Cmd
	in     io.WriteCloser
	from   *bufio.Scanner
	orders chan toHost // closed: the starter is to end
	close  func()      // orders, once
	said   *remarks
}

// remarks are what ssh, or the login at the other end, says beside the protocol.
type remarks struct {
	mutex sync.Mutex
	log   func(string) // nil: kept until it is known whether the host can be reached
	held  []string
}

func (r *remarks) add(text []byte) {
	line := strings.TrimSpace(string(text))
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch {
	case line == "":
	case r.log != nil:
		r.log(line)
	case len(r.held) < 20:
		r.held = append(r.held, line)
	}
}

// pass passes on what was held, and all that comes.
func (r *remarks) pass(log func(string)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, line := range r.held {
		log(line)
	}
	r.log, r.held = log, nil
}

// open starts the starter of a place and waits for its hello, until ctx ends.
func (j *Job) open(ctx context.Context, p Place) (*session, error) {
	command := j.command(p)
	s := &session{place: p, cmd: exec.Command(command[0], command[1:]...), orders: make(chan toHost, 16), said: &remarks{}}
	s.close = sync.OnceFunc(func() { close(s.orders) })
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's Ctrl-C comes through the launcher
	s.cmd.Stderr = &lines{line: s.said.add}
	s.cmd.WaitDelay = time.Second
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Host, err)
	}
	go s.write()
	s.from = messages(out)
	stop := context.AfterFunc(ctx, s.kill)
	err = s.hello()
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err != nil {
		s.leave()
		return nil, j.unreachable(ctx, s, err)
	}
	return s, nil
}

// command is the command line of a place's starter.
func (j *Job) command(p Place) []string {
	if p.Here {
		return append([]string{j.Self}, j.Starter...)
	}
	words := []string{"exec", quote(j.Program)}
	for _, w := range j.Starter {
		words = append(words, quote(w))
	}
	command := append([]string{}, j.Shell...)
	if filepath.Base(command[0]) == "ssh" {
		// Of an option that is given twice ssh takes the first. Nobody could answer a question: many hosts would
		// ask it at once. A host that has gone is noticed within a quarter of a minute.
		command = append(command, "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3")
	}
	return append(command, p.Host, strings.Join(words, " "))
}

// quote makes a word that a shell leaves as it is.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// hello waits for the starter's hello; what comes before is the login's.
func (s *session) hello() error {
	for {
		var m fromHost
		err := receive(s.from, &m)
		switch {
		case errors.Is(err, errEnded):
			return err
		case err != nil || m.Hello == 0:
			s.said.add(s.from.Bytes())
		case m.Hello != protocol:
			return fmt.Errorf("its collbench speaks version %d of the launcher's protocol, this one version %d", m.Hello, protocol)
		default:
			return nil
		}
	}
}

// unreachable says why a host's starter has not said hello.
func (j *Job) unreachable(ctx context.Context, s *session, err error) error {
	code := s.cmd.ProcessState.ExitCode()
	said := strings.Join(s.said.held, "; ")
	if said != "" {
		said = " (" + said + ")"
	}
	switch {
	case !errors.Is(err, errEnded):
		return fmt.Errorf("%s: %w", s.place.Host, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: no answer: %w%s", s.place.Host, context.Cause(ctx), said)
	case code == 126 || code == 127:
		return fmt.Errorf("%s: %s cannot be started there%s: copy it there, or say with --binary where it is", s.place.Host, j.Program, said)
	case s.place.Here:
		return fmt.Errorf("%s: %s %s%s", s.place.Host, j.Self, ended(s.cmd.ProcessState).How, said)
	}
	return fmt.Errorf("%s cannot be reached: %s %s%s", s.place.Host, j.Shell[0], ended(s.cmd.ProcessState).How, said)
}

// write sends orders, and signs of life between them. A starter that has gone is noticed where it is read from.
func (s *session) write() {
	to := &sender{to: s.in}
	defer s.in.Close()
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		m := toHost{Ping: true}
		select {
		case order, ok := <-s.orders:
			if !ok {
				return
			}
			m = order
		case <-ticker.C:
		}
		if to.send(m) != nil {
			return
		}
	}
}

// leave ends the connection. A starter ends when its standard input does.
func (s *session) leave() {
	s.close()
	timer := time.AfterFunc(500*time.Millisecond, s.kill)
	s.cmd.Wait()
	timer.Stop()
}

// kill ends ssh, or the starter, and what it may have started in its name.
func (s *session) kill() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }

// tell gives an order, if the starter still takes any.
func (s *session) tell(m toHost) {
	select {
	case s.orders <- m:
	default:
	}
}
