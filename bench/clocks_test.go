package bench

import (
	"context"
	"errors"
	"reflect"
	"testing"
)

// TestThrottled: a case keeps what held its devices back in any of its batches, and is marked.
func TestThrottled(t *testing.T) {
	f := &sensed{fake: &fake{cost: constant(0.001)}, clocks: [][]Clocks{
		{{SM: 1.98e9, MaxSM: 1.98e9}, {SM: 1.98e9, MaxSM: 1.98e9, Throttled: []string{"hw_slowdown"}}},
		{{SM: 1.98e9, MaxSM: 1.98e9}, {SM: 1.2e9, MaxSM: 1.98e9, Throttled: []string{"sw_power_cap", "hw_slowdown"}}},
	}}
	var results []Result
	var told []*Device
	err := Runner{Plan: Plan{Cases: testCases(8, "ring"), Iterations: 4, Launches: 1, Precision: 0.01, Budget: 10}, Launcher: f,
		Sink: func(r Result) error { results = append(results, r); return nil }, Devices: func(d []*Device) error { told = d; return nil }}.Run(t.Context())
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	r := results[0]
	want := []Clocks{{SM: 1.98e9, MaxSM: 1.98e9}, {SM: 1.2e9, MaxSM: 1.98e9, Throttled: []string{"hw_slowdown", "sw_power_cap"}}}
	if !reflect.DeepEqual(r.Clocks, want) || r.CountedOn != OnNVLink || r.Status != OK {
		t.Errorf("%+v on %q", r.Clocks, r.CountedOn)
	}
	if r.Note != "throttled: rank 1 by hw_slowdown and sw_power_cap, at 1.2 of 1.98 GHz" {
		t.Error(r.Note)
	}
	if len(told) != 2 || told[1].Name != "G" {
		t.Errorf("devices %v", told)
	}
	if note := throttled(make([]Clocks, 9)); note != "" {
		t.Error(note)
	}
	var all []Clocks
	for range 6 {
		all = append(all, Clocks{Throttled: []string{"a"}})
	}
	if note := throttled(all); note != "throttled: rank 0 by a; rank 1 by a; rank 2 by a; rank 3 by a; and 2 more" {
		t.Error(note)
	}
	// What cannot be kept ends the run.
	lost := errors.New("no room")
	err = Runner{Plan: Plan{Cases: testCases(8, "ring"), Iterations: 4, Launches: 1}, Launcher: f, Sink: func(Result) error { return nil },
		Devices: func([]*Device) error { return lost }}.Run(t.Context())
	if !errors.Is(err, lost) {
		t.Error(err)
	}
}

// sensed is a team of devices with clocks, of each batch those that come next.
type sensed struct {
	*fake
	clocks [][]Clocks
}

func (s *sensed) Launch(ctx context.Context, environment []string) (Team, error) {
	_, err := s.fake.Launch(ctx, environment)
	return s, err
}

func (s *sensed) Run(ctx context.Context, n int, stage Stage) (Batch, error) {
	b, err := s.fake.Run(ctx, n, stage)
	b.On = OnNVLink
	if len(s.clocks) > 0 {
		b.Clocks, s.clocks = s.clocks[0], s.clocks[1:]
	}
	return b, err
}

func (s *sensed) Devices() []*Device { return []*Device{{Name: "G"}, {Name: "G"}} }
