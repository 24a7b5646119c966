package workers

import (
	"testing"
	"time"
)

// TestHeldUp: a process that was stopped itself does not blame others for it, and one that was not does.
func TestHeldUp(t *testing.T) {
	for held, excused := range map[time.Duration]bool{pingEvery: false, 13 * time.Second: true} {
		before := time.Now().Add(-held)
		c := collection{heard: []time.Time{before, before}, idle: before, deadline: before.Add(10 * time.Second)}
		c.attend()
		late := time.Since(c.heard[1]) < time.Second
		if late != excused || time.Now().Before(c.deadline) != (held < 10*time.Second || excused) {
			t.Errorf("held up for %s: heard %s ago, %s are left", held, time.Since(c.heard[1]), time.Until(c.deadline))
		}
	}
}

// TestTheFleetIsExcused: so does rank 0.
func TestTheFleetIsExcused(t *testing.T) {
	f := pretend(about{Host: "a", Identity: "1"}, about{Host: "b", Identity: "2"})
	for _, m := range f.members {
		m.joined = true
	}
	since := time.Now()
	if len(f.silent(since)) == 0 {
		t.Error("nobody is silent")
	}
	f.excuse()
	if list := f.silent(since); len(list) > 0 {
		t.Errorf("%d are silent", len(list))
	}
}

// TestRefusals: a node that does not support the case breaks nothing.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		collection
		broken, refused bool
	}{
		{collection{}, false, false},
		{collection{errors: []complaint{{refused: true}}}, false, false},
		{collection{errors: []complaint{{refused: true}, {refused: true}}}, false, true},
		{collection{errors: []complaint{{refused: true}, {text: "no memory"}}}, true, false},
		{collection{errors: []complaint{{refused: true}}, dead: []int{1}}, true, false},
	} {
		c.results = make([]*result, 2)
		if c.collection.broken() != c.broken || c.collection.refused() != c.refused {
			t.Errorf("%+v: broken %v, refused %v", c.collection, c.collection.broken(), c.collection.refused())
		}
	}
}
