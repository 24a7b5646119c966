package workers

import (
	"testing"

	"collbench/bench"
)

// TestBlamed: nodes that wait in a library say nothing of each other: one is to blame only where it is behind the others.
func TestBlamed(t *testing.T) {
	iterate, prepare := bench.StageIterate, bench.StagePrepare
	type at struct {
		stage     bench.Stage
		iteration int64
		waits     int64 // for a node, plus 1
		done      bool  // has answered
		part      bool  // has brought its part of an exchange
	}
	for _, c := range []struct {
		name  string
		nodes []at
		want  int
	}{
		{"all alike", []at{{iterate, 5, 0, false, false}, {iterate, 5, 0, false, false}, {iterate, 5, 0, false, false}}, -1},
		{"one an iteration behind", []at{{iterate, 5, 0, false, false}, {iterate, 5, 0, false, false}, {iterate, 4, 0, false, false}}, 2},
		{"one in an earlier stage", []at{{iterate, 0, 0, false, false}, {prepare, 9, 0, false, false}, {iterate, 0, 0, false, false}}, 1},
		{"two behind", []at{{iterate, 5, 0, false, false}, {iterate, 4, 0, false, false}, {iterate, 4, 0, false, false}}, -1},
		{"the last without an answer", []at{{iterate, 5, 0, true, false}, {iterate, 5, 0, false, false}, {iterate, 5, 0, true, false}}, 1},
		{"one that others wait for by name", []at{{iterate, 5, 3, false, false}, {iterate, 5, 3, false, false}, {iterate, 5, 0, false, false}}, 2},
		{"one that has not come to an exchange", []at{{iterate, 5, 0, false, true}, {iterate, 5, 0, false, false}, {iterate, 5, 0, false, true}}, 1},
		{"all in an exchange", []at{{iterate, 5, 0, false, true}, {iterate, 5, 0, false, true}}, 0},
	} {
		team, found := &team{}, &collection{}
		for _, n := range c.nodes {
			p := &process{progress: &bench.Progress{}}
			p.progress.Stage.Store(int32(n.stage))
			p.progress.Iteration.Store(n.iteration)
			p.progress.Waiting.Store(n.waits)
			team.processes = append(team.processes, p)
			found.answered = append(found.answered, n.done)
			found.parts = append(found.parts, map[bool][][]byte{true: {nil}, false: nil}[n.part])
		}
		if got := team.blamed(found); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestObserve: figures of some ranks alone are none.
func TestObserve(t *testing.T) {
	full := bench.Observation{Counted: &bench.LinkBytes{Sent: 3}, CountedOn: bench.OnNVLink, Clocks: &bench.Clocks{SM: 1e9}}
	var b bench.Batch
	observe(&b, []*result{{Observation: full}, {Observation: full}})
	if len(b.Counted) != 2 || b.On != bench.OnNVLink || len(b.Clocks) != 2 {
		t.Errorf("%+v", b)
	}
	b = bench.Batch{}
	observe(&b, []*result{{Observation: full}, {}})
	if b.Counted != nil || b.On != "" || b.Clocks != nil {
		t.Errorf("%+v", b)
	}
}
