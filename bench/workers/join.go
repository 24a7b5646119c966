package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"collbench/bench/launch"
)

// Join is the life of a rank that is not rank 0: it joins the job and serves until rank 0 ends it. x is closed.
func Join(ctx context.Context, w *launch.World, x launch.Exchange, parent int, o Options) error {
	a, above, err := joinAs(ctx, w, x, o)
	if err != nil {
		return err
	}
	if watchParents(w) {
		a.watched = parent
	}
	return a.serve(ctx, above)
}

func joinAs(ctx context.Context, w *launch.World, x launch.Exchange, o Options) (*agent, *parentEdge, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Join, fmt.Errorf("not within %s", o.Join))
	defer cancel()
	defer x.Close()
	card, err := launch.Visit(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	a := &agent{command: o.Command, look: o.Examine, branch: newBranch(w.Rank, w.Size, nil), early: earlyOf(x)}
	me, err := describe(w.LocalRank, o.Interface)
	var above *parentEdge
	if err == nil {
		above, err = a.join(ctx, card, me, o.Log)
	}
	if err != nil {
		a.cut()
		a.dismiss(true)
	}
	return a, above, err
}

// earlyOf is the worker that an exchange has started; nil: none.
func earlyOf(x launch.Exchange) *early {
	if e, ok := x.(*encounter); ok {
		return e.worker
	}
	return nil
}

// watchParents says whether a launcher stays as long as the processes that it started.
func watchParents(w *launch.World) bool {
	switch w.Launcher {
	case "pmix", "pmi1", "slurm", "torchrun":
		return true
	}
	return false
}

// admit says why an agent that knows the secret is refused.
func (f *Fleet) admit(h launch.Header) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	switch {
	case h.Purpose != forAgent:
		return fmt.Errorf("unknown purpose %q", h.Purpose)
	case h.Rank < 0 || h.Rank >= len(f.members):
		return fmt.Errorf("rank %d: there are %d", h.Rank, len(f.members))
	case f.members[h.Rank] != nil:
		return fmt.Errorf("rank %d is here already, on %s: do two processes have the same rank?", h.Rank, f.members[h.Rank].Host)
	}
	return nil
}

// enter takes in an agent that was let in, and shows it its place as soon as the agent above is here.
func (f *Fleet) enter(h launch.Header, conn net.Conn) {
	m := &member{rank: h.Rank, ends: ends{ip(conn.RemoteAddr()), ip(conn.LocalAddr())}, heard: time.Now(), conn: conn}
	f.mutex.Lock()
	if f.closed || f.members[h.Rank] != nil || json.Unmarshal(h.Data, &m.about) != nil {
		f.mutex.Unlock()
		conn.Close()
		return
	}
	m.Host = plain(m.Host)
	f.members[m.rank] = m
	show := f.waiting[m.rank]
	delete(f.waiting, m.rank)
	if parentOf(m.rank) == 0 || f.members[parentOf(m.rank)] != nil {
		show = append(show, m)
	} else {
		f.waiting[parentOf(m.rank)] = append(f.waiting[parentOf(m.rank)], m)
	}
	f.mutex.Unlock()
	for _, child := range show {
		f.show(child)
	}
}

// show tells an agent where its place is. One right below rank 0 has it then.
func (f *Fleet) show(m *member) {
	parent := parentOf(m.rank)
	p := place{Parent: parent}
	f.mutex.Lock()
	above := f.members[parent]
	p.Name, p.PID, p.Near = above.Host, above.PID, above.Identity == m.Identity
	if parent != 0 {
		p.Addresses = f.ways(m, above)
	}
	f.mutex.Unlock()
	m.conn.SetWriteDeadline(time.Now().Add(edgeTime))
	if err := sendFrame(m.conn, "place", p); err != nil || parent != 0 {
		return // the other side closes
	}
	f.own.adopt(m.rank, m.conn)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.join(m)
}

// ways are the addresses by which an agent may find the one above.
func (f *Fleet) ways(m, above *member) (list []string) {
	port := strconv.Itoa(above.Port)
	if above.Identity == m.Identity {
		list = append(list, net.JoinHostPort("127.0.0.1", port))
	}
	if above.Address != "" {
		return append(list, net.JoinHostPort(above.Address, port))
	}
	from := above.ends.remote
	if from.IsLoopback() { // on rank 0's host, which this one has reached
		from = m.ends.local
	}
	return append(list, net.JoinHostPort(from.String(), port))
}

// join notes that an agent has its place. The mutex is held.
func (f *Fleet) join(m *member) {
	if m.joined {
		return
	}
	m.joined = true
	if f.missing--; f.missing == 0 {
		f.nameHosts()
		close(f.all)
	}
}

// absent names the ranks that have not joined.
func (f *Fleet) absent(after time.Duration) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var unseen, placeless []string
	for rank, m := range f.members {
		switch {
		case m == nil:
			unseen = append(unseen, fmt.Sprint(rank))
		case !m.joined:
			placeless = append(placeless, fmt.Sprintf("rank %d on %s", rank, m.Host))
		}
	}
	some := func(list []string) string {
		if len(list) > maxPositions {
			list = append(list[:maxPositions:maxPositions], "…")
		}
		return strings.Join(list, ", ")
	}
	switch {
	case len(f.members) == 0:
		return errors.New("the ranks have not met")
	case len(unseen) > 0:
		return fmt.Errorf("%d of %d ranks have not come within %s: %s", len(unseen), len(f.members), after, some(unseen))
	}
	return fmt.Errorf("%d of %d ranks have not reached the rank above them within %s: %s", len(placeless), len(f.members), after, some(placeless))
}

// mostRefusals bounds how many refused connections are told of.
const mostRefusals = 64

// refusals tells of refused connections, once for each host and reason: a process of another job knocks ten times a second.
func refusals(log func(string, ...any)) func(from string, why error) {
	var mutex sync.Mutex
	told := map[string]bool{}
	return func(from string, why error) {
		host, _, _ := net.SplitHostPort(from)
		mutex.Lock()
		defer mutex.Unlock()
		if key := host + " " + why.Error(); !told[key] && len(told) < mostRefusals {
			told[key] = true
			log("refused a connection from %s: %v", from, why)
		}
	}
}

// plain makes a host's name safe to print.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '\uFFFD' || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, name)
	if len(name) > 64 {
		name = name[:64]
	}
	if name == "" {
		name = "localhost"
	}
	return name
}
