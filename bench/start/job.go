package start

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// Job is ranks to start, and how.
type Job struct {
	Places    []Place
	Self      string   // file of this program, here
	Program   string   // and on the other hosts
	Starter   []string // its arguments that make it call Serve
	Arguments []string // of the ranks
	Dir       string   // working folder of the ranks, on every host
	Env       []string // NAME=VALUE, beside the environment that they find
	Shell     []string // command that reaches a host, before its name: ssh and options
	Connect   time.Duration
	Output    *Output
	Log       func(format string, args ...any) // of what the user should know, line by line
}

// Failed is the error of a job of which a rank has failed: the first that was killed or lost, or else the first that
// failed. Those that end because another one is gone may be heard of before it.
type Failed struct {
	Rank int
	Host string
	Code int // exit code, or 128 + signal
	How  string
	More int // ranks that failed beside it
	died bool
}

// Error says which rank on which host, and how.
func (f *Failed) Error() string {
	text := fmt.Sprintf("rank %d on %s %s", f.Rank, f.Host, f.How)
	if f.More > 0 {
		text += fmt.Sprintf(", and %d more failed", f.More)
	}
	return text
}

// afterFailure is how long the ranks have to end by themselves when one of them has failed.
const afterFailure = 15 * time.Second

// event is news from a host; err: there will be no more.
type event struct {
	from *session
	fromHost
	err error
}

// run is a job under way.
type run struct {
	*Job
	sessions []*session
	left     map[int]*session // ranks that have not ended
	failed   *Failed
	ending   bool
}

// Run starts the ranks on all hosts at once and returns when all have ended: with *Failed if one of them failed, with
// the cause of ctx if that ended first, which ends them all within Grace. Nothing is started unless every host can be
// reached.
func (j *Job) Run(ctx context.Context) error {
	if i := slices.IndexFunc(j.Places, func(p Place) bool { return !p.Here }); i >= 0 {
		if _, err := exec.LookPath(j.Shell[0]); err != nil {
			return fmt.Errorf("reaching %s: %w", j.Places[i].Host, err)
		}
	}
	sessions, err := j.connect(ctx)
	if err != nil {
		return err
	}
	r := &run{Job: j, sessions: sessions, left: map[int]*session{}}
	size := 0
	for _, p := range j.Places {
		size += len(p.Ranks)
	}
	for _, s := range sessions {
		s.tell(toHost{Job: &work{s.place.Ranks, size, j.Arguments, j.Dir, j.Env}})
		for _, rank := range s.place.Ranks {
			r.left[rank] = s
		}
	}
	r.follow(ctx)
	r.leave()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.failed != nil:
		return r.failed
	}
	return nil
}

// connect reaches all hosts at once; the error names those that could not be.
func (j *Job) connect(ctx context.Context) ([]*session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, j.Connect, fmt.Errorf("none within %s", j.Connect))
	defer cancel()
	sessions, errs := make([]*session, len(j.Places)), make([]error, len(j.Places))
	done := make(chan struct{})
	for i, p := range j.Places {
		go func() {
			sessions[i], errs[i] = j.open(ctx, p)
			done <- struct{}{}
		}()
	}
	for range j.Places {
		<-done
	}
	if err := errors.Join(errs...); err != nil {
		r := run{sessions: slices.DeleteFunc(sessions, func(s *session) bool { return s == nil })}
		r.leave()
		return nil, err
	}
	return sessions, nil
}

// follow hears what the hosts tell until no rank is left.
func (r *run) follow(ctx context.Context) {
	events := make(chan event)
	stopped := make(chan struct{})
	defer close(stopped)
	for _, s := range r.sessions {
		s.said.pass(func(line string) { r.Log("%s: %s", s.place.Host, line) })
		go r.hear(s, events, stopped)
	}
	interrupted := ctx.Done()
	var patience <-chan time.Time // of the launcher with ranks that outlive a failure
	var last <-chan time.Time     // moment from which nobody is waited for
	end := func() {
		r.tell(toHost{End: true})
		r.ending = true
		interrupted, patience, last = nil, nil, time.After(Grace+300*time.Millisecond)
	}
	for len(r.left) > 0 {
		select {
		case e := <-events:
			before := r.failed
			r.take(e)
			switch {
			case r.ending:
			case e.Failure != "":
				end()
			case before == nil && r.failed != nil:
				patience = time.After(afterFailure)
			}
		case <-interrupted:
			end()
		case <-patience:
			r.Log("some ranks have not ended %s after %s: ending them", afterFailure, r.failed)
			end()
		case <-last:
			return
		}
	}
}

// tell tells all hosts.
func (r *run) tell(m toHost) {
	for _, s := range r.sessions {
		s.tell(m)
	}
}

// hear reads what a host tells, and writes its ranks' lines.
func (r *run) hear(s *session, events chan<- event, stopped <-chan struct{}) {
	for {
		e := event{from: s}
		e.err = receive(s.from, &e.fromHost)
		switch {
		case e.err == nil && len(e.Stdout) > 0:
			r.Output.line(r.Output.Stdout, s.place.Host, e.Rank, e.Stdout)
			continue
		case e.err == nil && len(e.Stderr) > 0:
			r.Output.line(r.Output.Stderr, s.place.Host, e.Rank, e.Stderr)
			continue
		}
		select {
		case events <- e:
		case <-stopped:
			return
		}
		if e.err != nil {
			return
		}
	}
}

// take takes news from a host.
func (r *run) take(e event) {
	switch host := e.from.place.Host; {
	case e.err != nil:
		r.lose(e.from, fmt.Sprintf("is lost with its host: %v", e.err))
	case e.Failure != "":
		r.lose(e.from, "could not be started: "+e.Failure)
	case e.Card != "":
		r.tell(toHost{Card: e.Card})
	case e.Ended != nil && r.left[e.Rank] == e.from:
		delete(r.left, e.Rank)
		if e.Rank == 0 {
			r.tell(toHost{NoCard: true})
		}
		if e.Ended.Code != 0 {
			r.fail(&Failed{Rank: e.Rank, Host: host, Code: e.Ended.Code, How: e.Ended.How, died: e.Ended.Code > 128})
		}
	}
}

// lose gives up what is left of a host's ranks.
func (r *run) lose(s *session, how string) {
	for _, rank := range s.place.Ranks {
		if r.left[rank] == s {
			delete(r.left, rank)
			r.fail(&Failed{Rank: rank, Host: s.place.Host, Code: lostCode, How: how, died: true})
		}
	}
}

// lostCode is the exit code of a rank of which nobody knows how it ended: the machine stood in the way.
const lostCode = 5

// fail notes a failure. A death that nobody has ordered is said at once.
func (r *run) fail(f *Failed) {
	if f.died && !r.ending {
		r.Log("%s", f)
	}
	switch {
	case r.failed == nil:
		r.failed = f
	case f.died && !r.failed.died && !r.ending:
		f.More = r.failed.More + 1
		r.failed = f
	default:
		r.failed.More++
	}
}

// leave ends the connections, all at once.
func (r *run) leave() {
	var all sync.WaitGroup
	for _, s := range r.sessions {
		all.Go(s.leave)
	}
	all.Wait()
}
