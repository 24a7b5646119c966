package bench

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestVariantsHaveProcessesOfTheirOwn: cases that need another environment get a fresh team; in the turns A B, B A the
// team of B stays.
func TestVariantsHaveProcessesOfTheirOwn(t *testing.T) {
	f := &fake{cost: constant(0.001)}
	cases := testCases(8, "ring", "ring")
	cases[0].How.Variant, cases[1].How.Variant = "A=1", "B=2"
	r := Runner{Plan: Plan{Cases: cases, Launches: 1, Warmup: 0, Precision: 0.01, Budget: 10}, Launcher: f, Now: func() time.Time { return f.now },
		Sink: func(r Result) error { return nil }, Environment: func(c Case) ([]string, error) { e, _ := VariantEnvironment(c.How.Variant); return e, nil }}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.started, ","); got != "A=1,B=2,A=1" || f.closed != 3 {
		t.Errorf("launches %s, %d closed", got, f.closed)
	}
}

func TestAStartThatFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		refuse  func(launch int) error
		results string
		fatal   string
	}{
		{"once", func(n int) error { return map[bool]error{true: errors.New("no")}[n == 1] }, "failed: starting the ranks: no, ok: , ", ""},
		{"always", func(int) error { return errors.New("no") }, "failed: starting the ranks: no, interrupted: the run ended before the case did, ", "starting the ranks: no"},
		{"the job is lost", func(int) error { return fmt.Errorf("%w: rank 3 is gone", ErrJobLost) }, "interrupted: the run ended before the case did, ", "starting the ranks: the job cannot go on: rank 3 is gone"},
	} {
		f := &fake{cost: constant(0.001), refuse: c.refuse}
		results, err := drive(t, f, Plan{Cases: append(testCases(8, "ring"), testCases(16, "ring")...), Warmup: 0}, t.Context())
		text := ""
		for _, r := range results {
			text += fmt.Sprintf("%s: %s, ", r.Status, r.Error)
		}
		if got := fmt.Sprint(err); text != c.results || c.fatal == "" && err != nil || !strings.Contains(got, c.fatal) {
			t.Errorf("%s: %s %v", c.name, text, err)
		}
	}
}

func TestWhatIsNotSupportedIsSkipped(t *testing.T) {
	f := &fake{cost: constant(0.001), fail: func(c Case, _ int) error {
		return map[bool]error{true: fmt.Errorf("%s: %w: no such type", c, ErrNotSupported)}[c.What.Bytes == 8]
	}}
	results, err := drive(t, f, Plan{Cases: append(testCases(8, "ring"), testCases(16, "ring")...), Warmup: 0}, t.Context())
	if err != nil || len(results) != 2 || f.launches != 1 {
		t.Fatalf("%v, %d results, %d launches", err, len(results), f.launches)
	}
	for _, r := range results {
		if want := map[int64]Status{8: Skipped, 16: OK}[r.What.Bytes]; r.Status != want {
			t.Errorf("%s is %s: %s", r.Case, r.Status, r.Error)
		}
	}
}

func TestFailFast(t *testing.T) {
	f := &fake{cost: constant(0.001), fail: func(Case, int) error { return &Fault{Kind: FaultStuck, Text: "rank 3 did not go on"} }}
	var results []Result
	err := Runner{Plan: Plan{Cases: testCases(8, "ring", "nvls"), Launches: 1, Precision: 0.01, Budget: 10}, Launcher: f, FailFast: true,
		Now: func() time.Time { return f.now }, Sink: func(r Result) error { results = append(results, r); return nil }}.Run(t.Context())
	if !errors.Is(err, ErrFailFast) || len(results) != 1 || results[0].Fault == nil || results[0].Error != "rank 3 did not go on" {
		t.Errorf("%v %+v", err, results)
	}
}
