package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"collbench/collectives"
)

// fake is a launcher and a team with a known clock: an iteration takes what cost says, on rank 1 twice of it.
type fake struct {
	now      time.Time
	cost     func(c Case, i int) float64
	fail     func(c Case, runs int) error
	verdict  func(c Case) Verdict
	evidence func(c Case) Evidence
	current  Case
	visits   []string
	timed    map[string]int // iterations by algorithm
	runs     int
	launches int
	closed   int
	started  []string // environments of the launches
	refuse   func(launch int) error
}

func (f *fake) Launch(_ context.Context, environment []string) (Team, error) {
	f.launches++
	f.started = append(f.started, strings.Join(environment, " "))
	if f.refuse != nil {
		if err := f.refuse(f.launches); err != nil {
			return nil, err
		}
	}
	return f, nil
}
func (f *fake) Close() error { f.closed++; return nil }

func (f *fake) Prepare(_ context.Context, c Case) error {
	f.current = c
	f.visits = append(f.visits, c.What.Algorithm)
	return nil
}

func (f *fake) Run(ctx context.Context, n int, stage Stage) (Batch, error) {
	if err := ctx.Err(); err != nil {
		return Batch{}, err
	}
	f.runs++
	if f.fail != nil {
		if err := f.fail(f.current, f.runs); err != nil {
			return Batch{}, err
		}
	}
	b := Batch{Seconds: make([][]float64, 2), Verdict: Verdict{Checked: int64(n)}, Chunks: 3,
		Evidence: Evidence{Observed: f.current.What.Algorithm, Source: "program"},
		Counted:  []LinkBytes{{Sent: 10 * float64(n), Received: 20 * float64(n)}, {}}, CPU: &CPU{Busy: 0.5}}
	total := 0.0
	for i := range n {
		v := f.cost(f.current, i)
		b.Seconds[0] = append(b.Seconds[0], v/2)
		b.Seconds[1] = append(b.Seconds[1], v)
		total += v
	}
	if f.current.How.Timing == TimingBatch {
		b.Seconds = [][]float64{{total / float64(n)}, {total / float64(n)}}
	}
	f.now = f.now.Add(time.Duration(total * float64(time.Second)))
	if stage == StageIterate {
		if f.timed == nil {
			f.timed = map[string]int{}
		}
		f.timed[f.current.What.Algorithm] += n
	}
	if f.verdict != nil {
		b.Verdict = f.verdict(f.current)
	}
	if f.evidence != nil {
		b.Evidence = f.evidence(f.current)
	}
	return b, nil
}

func constant(seconds float64) func(Case, int) float64 {
	return func(Case, int) float64 { return seconds }
}

// noisy alternates between wide extremes, so that no precision is ever reached.
func noisy(seconds float64) func(Case, int) float64 {
	return func(_ Case, i int) float64 { return seconds * []float64{0.5, 1.5}[i%2] }
}

func testCases(bytes int64, names ...string) (list []Case) {
	for _, name := range names {
		var c Case
		c.What = What{Collective: collectives.AllReduce, Algorithm: name, Bytes: bytes}
		c.How.Timing = TimingBarrier
		c.Where = Where{Ranks: 2, Hosts: 1, Domain: 2, Radix: 40}
		list = append(list, c)
	}
	return list
}

func drive(t *testing.T, f *fake, p Plan, ctx context.Context) ([]Result, error) {
	t.Helper()
	if p.Launches == 0 {
		p.Launches = 1
	}
	if p.Precision == 0 {
		p.Precision = 0.01
	}
	if p.Budget == 0 {
		p.Budget = 10
	}
	var results []Result
	err := Runner{Plan: p, Launcher: f, Now: func() time.Time { return f.now },
		Sink: func(r Result) error { results = append(results, r); return nil }}.Run(ctx)
	return results, err
}

func TestVariantsAreInterleaved(t *testing.T) {
	f := &fake{cost: constant(0.001)}
	results, err := drive(t, f, Plan{Cases: testCases(8, "ring", "nvls", "sharp"), Warmup: -1}, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(f.visits, " "), "ring nvls sharp sharp nvls ring"; got != want {
		t.Errorf("turns %s, want %s", got, want)
	}
	if len(results) != 3 {
		t.Fatalf("%d results", len(results))
	}
	if spent := f.now.Sub(time.Time{}).Seconds(); spent < 6*leastTurn {
		t.Errorf("six turns took %g s", spent)
	}
	for i, r := range results {
		if r.Status != OK || r.Note != "" || r.Order != i || r.Chunks != 3 || r.IterationsPerSample != 1 || *r.Wrong != 0 {
			t.Errorf("result %+v", r)
		}
		if len(r.Seconds) != 2 || len(r.Seconds[0]) < minSamples || r.Seconds[1][0] != 0.001 {
			t.Errorf("seconds %v", r.Seconds)
		}
		if r.Counted[0] != (LinkBytes{10, 20}) || r.CPU.Busy != 0.5 {
			t.Errorf("counted %v, CPU %v", r.Counted, r.CPU)
		}
	}
}

func TestOrderOfGroupsIsSeeded(t *testing.T) {
	var cases []Case
	for i := range 8 {
		cases = append(cases, testCases(8<<i, "ring")...)
	}
	order := func(seed uint64, launch int) string {
		return fmt.Sprint(shuffled(groups(cases), seed, launch))
	}
	if order(1, 0) != order(1, 0) {
		t.Error("the same seed gives two orders")
	}
	if order(1, 0) == order(2, 0) || order(1, 0) == order(1, 1) {
		t.Error("another seed or launch gives the same order")
	}
}

func TestBudgetBoundsMeasuring(t *testing.T) {
	for _, algorithms := range [][]string{{"ring"}, {"ring", "nvls", "sharp"}} {
		f := &fake{cost: noisy(0.01)}
		start := f.now
		results, err := drive(t, f, Plan{Cases: testCases(8, algorithms...), Warmup: -1, Budget: 3}, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if spent := f.now.Sub(start).Seconds(); spent < 2 || spent > 3.3 {
			t.Errorf("%v: spent %.2f s of a budget of 3 s", algorithms, spent)
		}
		for _, r := range results {
			if r.Status != OK || !strings.Contains(r.Note, "precision 1 % not reached") {
				t.Errorf("status %s, note %q", r.Status, r.Note)
			}
		}
	}
}

func TestUnspentBudgetGoesToTheOthers(t *testing.T) {
	f := &fake{cost: func(c Case, i int) float64 {
		if c.What.Bytes == 8 {
			return 0.0001
		}
		return noisy(0.01)(c, i)
	}}
	start := f.now
	cases := slices.Concat(testCases(8, "ring"), testCases(16, "ring"))
	p := Plan{Cases: cases, Warmup: -1, Budget: 4}
	for seed := uint64(0); ; seed++ { // an order in which the quick one comes first
		if shuffled(groups(cases), seed, 0)[0][0].What.Bytes == 8 {
			p.Seed = seed
			break
		}
	}
	if _, err := drive(t, f, p, t.Context()); err != nil {
		t.Fatal(err)
	}
	if spent := f.now.Sub(start).Seconds(); spent < 3.5 {
		t.Errorf("spent %.2f s: the second case should have had nearly all of 4 s", spent)
	}
}

func TestAtLeastSixSamplesWhateverTheBudget(t *testing.T) {
	f := &fake{cost: noisy(100)}
	results, err := drive(t, f, Plan{Cases: testCases(8, "ring", "nvls"), Warmup: -1, Budget: 1}, t.Context())
	if err != nil || len(results) != 2 {
		t.Fatal(results, err)
	}
	for _, r := range results {
		if len(r.Seconds[0]) != minSamples {
			t.Errorf("%d samples, want %d", len(r.Seconds[0]), minSamples)
		}
	}
}

func TestFixedIterations(t *testing.T) {
	for _, n := range []int{1, 2, 7, 3000} {
		f := &fake{cost: noisy(0.001)}
		results, err := drive(t, f, Plan{Cases: testCases(8, "ring"), Warmup: 0, Iterations: n}, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.timed["ring"] != n || len(results[0].Seconds[0]) != min(n, MaxSamples) {
			t.Errorf("%d iterations and %d samples, want %d", f.timed["ring"], len(results[0].Seconds[0]), n)
		}
	}
}

func TestSamplesAreBoundedAndCoverTheWholeTime(t *testing.T) {
	f := &fake{}
	i := 0.0
	f.cost = func(Case, int) float64 { i++; return 1e-5 * i } // rises for ever: no precision
	results, err := drive(t, f, Plan{Cases: testCases(8, "ring"), Warmup: 0, Budget: 300}, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	times := slowest(results[0].Seconds)
	if len(times) != MaxSamples || times[0] > 1e-3 || times[len(times)-1] < 0.9*1e-5*i {
		t.Errorf("%d samples from %g to %g; the last taken was %g", len(times), times[0], times[len(times)-1], 1e-5*i)
	}
}

func TestAFailedCaseDoesNotEndTheRun(t *testing.T) {
	f := &fake{cost: constant(0.001), fail: func(c Case, _ int) error {
		if c.What.Algorithm == "nvls" {
			return errors.New("all_reduce 8 B nvls: rank 1 on vm1 died")
		}
		return nil
	}}
	results, err := drive(t, f, Plan{Cases: testCases(8, "ring", "nvls", "sharp"), Warmup: -1}, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]Status{}
	for _, r := range results {
		statuses[r.What.Algorithm] = r.Status
		if r.Status == Failed && (!strings.Contains(r.Error, "rank 1 on vm1") || r.Seconds != nil) {
			t.Errorf("failed result %+v", r)
		}
	}
	if fmt.Sprint(statuses) != "map[nvls:failed ring:ok sharp:ok]" {
		t.Error(statuses)
	}
	if f.launches != 2 || f.closed != 2 {
		t.Errorf("%d launches, %d closed: want a fresh team after the failure", f.launches, f.closed)
	}
}

func TestWrongUnprovenAndOtherAlgorithms(t *testing.T) {
	wrong := &fake{cost: constant(0.001), verdict: func(Case) Verdict {
		return Verdict{Checked: 10, Wrong: 2, First: "rank 1 on vm1: iteration 0, element 5: 7, want 6"}
	}}
	results, _ := drive(t, wrong, Plan{Cases: testCases(8, "ring"), Warmup: 0}, t.Context())
	if r := results[0]; r.Status != Wrong || *r.Wrong != 2 || !strings.Contains(r.Error, "rank 1 on vm1: iteration 0, element 5") {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		asked string
		e     Evidence
		want  Status
	}{
		{"ring", Evidence{Observed: "ring", Source: "program"}, OK},
		{Auto, Evidence{Observed: "direct", Source: "program"}, OK},
		{"ring", Evidence{Observed: "direct", Source: "program"}, Failed},
		{"ring", Evidence{}, Unproven},
		{"ring", Evidence{Source: "library", Detail: "it chose"}, Unproven},
		{"ring", Evidence{Observed: "ring", Source: "profiler", StandIn: true}, OK},
		{Auto, Evidence{}, Unproven},
		{Auto, Evidence{Source: "library", Detail: "it chose"}, OK},
	} {
		f := &fake{cost: constant(0.001), evidence: func(Case) Evidence { return c.e }}
		results, _ := drive(t, f, Plan{Cases: testCases(8, c.asked), Warmup: 0}, t.Context())
		if results[0].Status != c.want {
			t.Errorf("asked %s, evidence %v: %s, want %s", c.asked, c.e, results[0].Status, c.want)
		}
		if results[0].Simulated != c.e.StandIn {
			t.Errorf("evidence %v: simulated %v", c.e, results[0].Simulated)
		}
	}
}

func TestBadSamplesAreNoFigure(t *testing.T) {
	f := &fake{cost: constant(0)}
	results, _ := drive(t, f, Plan{Cases: testCases(8, "ring"), Warmup: 0}, t.Context())
	if results[0].Status != Failed {
		t.Errorf("%+v", results[0])
	}
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{cost: noisy(0.01)}
	f.fail = func(c Case, runs int) error {
		if c.What.Algorithm == "nvls" && f.timed["nvls"] > 0 {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	cases := append(testCases(8, "ring", "nvls", "sharp"), testCases(16, "ring")...)
	p := Plan{Cases: cases, Warmup: 0}
	for shuffled(groups(cases), p.Seed, 0)[0][0].What.Bytes != 8 {
		p.Seed++
	}
	results, err := drive(t, f, p, ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(results) != 2 {
		t.Fatalf("%d results: want those of ring and nvls", len(results))
	}
	for _, r := range results {
		if r.Status != Interrupted || len(r.Seconds[0]) == 0 {
			t.Errorf("%s: %s, %d samples", r.Case, r.Status, len(r.Seconds))
		}
	}
	if f.closed != f.launches {
		t.Error("a team was left")
	}
}

func TestLaunchesAndSkipped(t *testing.T) {
	f := &fake{cost: constant(0.001)}
	skipped := Result{Case: testCases(8, "pat")[0], Status: Skipped, Error: "no"}
	results, err := drive(t, f, Plan{Cases: testCases(8, "ring", "nvls"), Skipped: []Result{skipped}, Launches: 3}, t.Context())
	if err != nil || len(results) != 7 || f.launches != 3 || f.closed != 3 {
		t.Fatal(len(results), f.launches, f.closed, err)
	}
	if results[0].Status != Skipped || results[6].Launch != 2 {
		t.Error(results[0], results[6])
	}
}

func TestASinkThatFailsEndsTheRun(t *testing.T) {
	f := &fake{cost: constant(0.001)}
	full := errors.New("no space left on device")
	err := Runner{Plan: Plan{Cases: testCases(8, "ring", "nvls"), Launches: 1, Precision: 0.01, Budget: 1}, Launcher: f,
		Sink: func(Result) error { return full }}.Run(t.Context())
	if !errors.Is(err, full) || f.closed != 1 {
		t.Fatal(err, f.closed)
	}
}
