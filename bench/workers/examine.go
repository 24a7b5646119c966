package workers

import (
	"context"
	"slices"
	"time"
)

// Examined is what the first rank of a host has seen of it.
type Examined struct {
	Host string // as the job names it
	Data []byte // what that rank's Options.Examine gave; nil: nothing came in time
}

// Examine asks the first rank of every host what it sees of its host, and waits for the answers for so long. The order
// is that of the ranks. Asking costs each host one call of its Options.Examine.
func (f *Fleet) Examine(ctx context.Context, within time.Duration) []Examined {
	f.mutex.Lock()
	examined, ranks := []Examined{}, []int{}
	f.answers = make(chan examination, len(f.members))
	for _, mates := range f.hosts() {
		examined, ranks = append(examined, Examined{Host: mates[0].name}), append(ranks, mates[0].rank)
	}
	answers := f.answers
	f.mutex.Unlock()
	for _, rank := range ranks {
		f.tell(rank, order{Kind: examineHost})
	}
	deadline := time.After(within)
	for left := len(ranks); left > 0; {
		select {
		case a := <-answers:
			if i := slices.Index(ranks, a.rank); i >= 0 && examined[i].Data == nil {
				examined[i].Data = a.data
				left--
			}
		case <-deadline:
			return examined
		case <-ctx.Done():
			return examined
		}
	}
	return examined
}

// examination is the answer of a rank.
type examination struct {
	rank int
	data []byte
}

// examine answers what this rank sees of its host, while it goes on to do what it is told.
func (a *agent) examine() {
	go func() {
		var data []byte
		if a.look != nil {
			data = a.look()
		}
		a.tell(order{Kind: hostExamined, Data: data})
	}()
}

// examined takes the answer of a rank. The mutex is held.
func (f *Fleet) examined(m *member, o order) {
	select {
	case f.answers <- examination{m.rank, o.Data}:
	default: // nobody has asked, or it answers twice
	}
}
