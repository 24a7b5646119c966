package workers

import (
	"context"
	"fmt"
	"time"
)

// watch asks all agents now and then whether they are there.
func (f *Fleet) watch(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		idle := time.Now()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if time.Since(idle) > 2*pingEvery {
			f.excuse()
		}
		f.giveUp(time.Now().Add(-silence))
		f.ask()
	}
}

// excuse takes all agents for heard: it was this process that was stopped, and what they have said is still to be read.
func (f *Fleet) excuse() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, m := range f.members {
		m.heard = time.Now()
	}
}

// silent lists the agents that have not been heard since, without those that nothing can be heard of because an
// agent above them is silent.
func (f *Fleet) silent(since time.Time) (list []*member) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	mute := map[int]bool{}
	for rank, m := range f.members {
		if m == nil || !m.joined {
			continue
		}
		above := rank > 0 && mute[parentOf(rank)]
		if mute[rank] = above || m.gone || m.heard.Before(since); mute[rank] && !above && !m.gone {
			list = append(list, m)
		}
	}
	return list
}

// giveUp gives up the agents that have not been heard since.
func (f *Fleet) giveUp(since time.Time) {
	for _, m := range f.silent(since) {
		f.mutex.Lock()
		f.lose(m, fmt.Errorf("rank %d on %s: its agent (pid %d) does not answer", m.rank, m.name, m.PID))
		f.mutex.Unlock()
		f.endStopped(m)
	}
}

// endStopped has an agent that does not answer ended by another one of its host: stopped as it probably is, it would
// outlive the job, and its launcher would wait for it. Where all the others hang below it they end it themselves.
func (f *Fleet) endStopped(m *member) {
	if mate := f.mateOf(m); mate != nil && m.PID > 0 { // 0 would be the mate's own process group
		f.tell(mate.rank, order{Kind: endAgent, PID: m.PID})
	}
}

// mateOf is an agent of the same host that can be reached without the one given; nil: there is none.
func (f *Fleet) mateOf(m *member) *member {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, mate := range f.members {
		if mate != nil && mate != m && !mate.gone && mate.Identity == m.Identity && !below(mate.rank, m.rank) {
			return mate
		}
	}
	return nil
}

// below says whether a rank hangs below another one.
func below(rank, above int) bool { return towards(above, rank) >= 0 }

// ask asks all agents for the state of their nodes.
func (f *Fleet) ask() {
	f.mutex.Lock()
	number := 0
	if f.crew != nil {
		number = f.crew.launch
	}
	f.mutex.Unlock()
	f.tell(everybody, order{Kind: askState, Launch: number})
}
