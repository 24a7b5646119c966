package workers

import (
	"time"

	"collbench/bench"
)

// observer notes when a node has last gone on, by looking at it now and then.
type observer struct {
	stage                     int32
	iteration, round, waiting int64
	since                     time.Time
}

// still is how long the node has been where it is, as far as it was looked at.
func (o *observer) still(p *bench.Progress) time.Duration {
	next := observer{p.Stage.Load(), p.Iteration.Load(), p.Round.Load(), p.Waiting.Load(), o.since}
	if next != *o || o.since.IsZero() {
		next.since = time.Now()
		*o = next
	}
	return time.Since(o.since)
}
