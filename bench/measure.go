package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"collbench/bench/stat"
	"collbench/bench/unit"
)

// How a case is measured. Passes is the least number of turns that the cases of a group get, minSamples the least
// number of samples that a case gets altogether: with 6 the median's order-statistic interval reaches 95 %.
const (
	passes     = 2
	minSamples = stat.MinInterval
	stretch    = 0.2  // seconds that one Team.Run is meant to take: long enough to pay for its control messages
	batchTime  = 5e-3 // seconds that a sample of TimingBatch is meant to take if the plan does not say: the clock's resolution vanishes in it
	leastTurn  = 0.05 // seconds that a turn lasts at least: samples of one instant agree all too well
	maxPasses  = 20
	maxBatch   = 100_000 // iterations in a sample of TimingBatch
)

// measurement is a case being measured.
type measurement struct {
	result             Result
	begun, ended, kept bool
	share              float64     // seconds of the budget
	spent              float64     // seconds in Team.Run
	seconds            [][]float64 // rank × sample
	stride             int         // one sample of so many is kept
	samples            int         // taken
	iterations         int         // timed
	k                  int         // iterations of a sample
	each               float64     // seconds that an iteration takes with all around it
	fastest            float64     // seconds that an iteration took at best, of a TimingBatch sample's on the average
	last               int         // iterations of the last Team.Run
	counted            []LinkBytes
	busy, busyTime     float64
	checked, wrong     int64
}

// begin gives the case its share of the budget: what is left, divided by the cases that are left.
func (s *run) begin(c Case) *measurement {
	share := max(0, s.Plan.Budget-s.spent) / float64(max(1, s.left))
	return &measurement{
		result: Result{Schema: SampleSchema, Case: c, Launch: s.launch}, share: share, stride: 1,
	}
}

// visit is one turn of a case: prepare, warm up, iterate. The error is the run's; the case's own goes into its
// result.
func (s *run) visit(ctx context.Context, m *measurement, pass int) error {
	if !m.begun {
		m.begun, m.result.Start = true, s.Now()
	}
	s.report(Event{Case: m.result.Case, Launch: s.launch, Stage: StagePrepare, Samples: m.samples})
	fatal, failed := s.ready(ctx, m.result.Case)
	if fatal != nil {
		return fatal
	}
	if failed == nil {
		failed = s.warmUp(ctx, m, pass)
	}
	if failed == nil && !m.ended {
		failed = s.iterate(ctx, m, pass)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch {
	case errors.Is(failed, ErrNotSupported):
		m.end(Skipped, failed.Error())
	case failed != nil:
		m.end(Failed, failed.Error())
		errors.As(failed, &m.result.Fault)
		s.close()
	}
	return nil
}

// warmUp iterates until the times are steady, or so often as the plan says. It may take a quarter of what the
// case may still spend in this turn.
func (s *run) warmUp(ctx context.Context, m *measurement, pass int) error {
	if s.Plan.Warmup >= 0 {
		if s.Plan.Warmup == 0 {
			return nil
		}
		_, err := s.step(ctx, m, s.Plan.Warmup, StageWarmUp)
		return err
	}
	limit := m.spent + m.quota(pass)/4
	var times []float64
	for n := 1; ; n = min(2*n, m.fitting(limit-m.spent)) {
		batch, err := s.step(ctx, m, n, StageWarmUp)
		if err != nil || m.ended {
			return err
		}
		times = append(times, slowest(batch.Seconds)...)
		if stat.Steady(times) || m.spent+m.each > limit {
			return nil
		}
	}
}

// iterate takes samples until the case has what its turn is for.
func (s *run) iterate(ctx context.Context, m *measurement, pass int) error {
	if m.k == 0 {
		m.k = s.iterationsPerSample(m)
	}
	t := turnBounds{limit: m.spent + m.quota(pass), least: (minSamples + passes - 1) / passes}
	t.earliest = min(t.limit, m.spent+leastTurn)
	for taken := 0; ; {
		n := s.next(m, pass, taken, t)
		if n == 0 {
			break
		}
		batch, err := s.step(ctx, m, n, StageIterate)
		if err != nil || m.ended {
			return err
		}
		taken += count(batch.Seconds)
	}
	m.ended = m.enough(s.Plan, pass)
	return nil
}

// turnBounds bound the timed part of a turn: seconds as measurement.spent counts them, and samples.
type turnBounds struct {
	earliest, limit float64
	least           int
}

// next is the number of iterations of the next Team.Run of this turn; 0 ends the turn.
func (s *run) next(m *measurement, pass, taken int, t turnBounds) int {
	if n := s.Plan.Iterations; n > 0 {
		if m.result.How.Timing == TimingBatch {
			if taken < t.least {
				return n
			}
			return 0
		}
		// Half of them in each turn, the larger half first.
		return min(MaxSamples, (n+passes-1-pass)/passes-taken)
	}
	if taken >= t.least && (m.spent+m.each*float64(m.k) > t.limit || m.spent >= t.earliest && m.precision() <= s.Plan.Precision) {
		return 0
	}
	if m.result.How.Timing == TimingBatch {
		return m.k
	}
	n := m.fitting(t.limit - m.spent)
	if taken < t.least {
		n = max(n, t.least-taken)
	}
	return n
}

// enough says whether the case has ended after this pass.
func (m *measurement) enough(p Plan, pass int) bool {
	if pass+1 < passes {
		return false
	}
	return p.Iterations > 0 || m.precision() <= p.Precision || m.spent+m.each*float64(m.k) > m.share || pass+1 >= maxPasses
}

// quota is what the case may spend in this turn: what is left of its share, divided by the least number of turns
// that are left.
func (m *measurement) quota(pass int) float64 {
	return max(0, m.share-m.spent) / float64(max(1, passes-pass))
}

// fitting is the number of iterations for a Team.Run that is to take no longer than the seconds given. It grows
// step by step: what a few iterations took may not hold for many.
func (m *measurement) fitting(seconds float64) int {
	if m.each <= 0 {
		return 1
	}
	return int(max(1, min(MaxSamples, 4*float64(m.last), min(seconds, stretch)/m.each)))
}

func (s *run) iterationsPerSample(m *measurement) int {
	switch {
	case m.result.How.Timing != TimingBatch:
		return 1
	case s.Plan.Iterations > 0:
		return s.Plan.Iterations
	case m.fastest <= 0:
		return 1
	}
	meant := s.Plan.Sample
	if meant == 0 {
		meant = batchTime
	}
	return int(max(1, min(maxBatch, meant/m.fastest)))
}

// step is one Team.Run. It keeps what is to be kept of its batch.
func (s *run) step(ctx context.Context, m *measurement, n int, stage Stage) (Batch, error) {
	s.report(Event{Case: m.result.Case, Launch: s.launch, Stage: stage, Samples: m.samples})
	start := s.Now()
	batch, err := s.team.Run(ctx, n, stage)
	elapsed := s.Now().Sub(start).Seconds()
	s.spent += elapsed
	m.spent += elapsed
	m.each, m.last = elapsed/float64(n), n
	if err != nil {
		return batch, err
	}
	if err := check(batch, m.result.Case); err != nil {
		return batch, err
	}
	m.checked += batch.Verdict.Checked
	m.wrong += batch.Verdict.Wrong
	m.result.Evidence, m.result.Chunks = batch.Evidence, batch.Chunks
	m.result.Simulated = m.result.Simulated || batch.Evidence.StandIn
	// What holds a batch up once must not make all samples short.
	if least := slices.Min(slowest(batch.Seconds)); m.fastest == 0 || least < m.fastest {
		m.fastest = least
	}
	if stage == StageIterate {
		m.iterations += n
		m.take(batch, elapsed)
	}
	if batch.Verdict.Wrong > 0 {
		m.end(Wrong, fmt.Sprintf("%s: %d of %d elements wrong: %s", m.result.Case, m.wrong, m.checked, batch.Verdict.First))
	}
	return batch, nil
}

func (m *measurement) end(status Status, message string) {
	m.ended = true
	m.result.Status, m.result.Error = status, message
}

// fill completes the result of a case that has ended.
func (m *measurement) fill(p Plan) {
	r := &m.result
	precision := m.precision()
	r.Seconds = thinned(m.seconds)
	r.IterationsPerSample = m.k
	if m.checked > 0 {
		r.Wrong = &m.wrong
	}
	for _, c := range m.counted {
		r.Counted = append(r.Counted, LinkBytes{Sent: c.Sent / float64(m.iterations), Received: c.Received / float64(m.iterations)})
	}
	if m.busyTime > 0 {
		r.CPU = &CPU{Busy: m.busy / m.busyTime}
	}
	if r.Status == "" {
		r.Status, r.Error = judge(r.What.Algorithm, r.Evidence)
	}
	r.Note = throttled(r.Clocks)
	if len(m.seconds) > 0 && r.Status != Failed && precision > p.Precision && p.Iterations == 0 {
		text := unit.Percent(precision)
		if math.IsInf(precision, 1) {
			text = "too few samples for an interval"
		}
		r.Note = JoinNotes(r.Note, fmt.Sprintf("precision %s not reached: %s", unit.Percent(p.Precision), text))
	}
}

// judge compares the algorithm that ran with the one that was asked for.
func judge(asked string, e Evidence) (Status, string) {
	switch {
	case asked == Auto && e.Source != "" && e.Observed == "":
		return OK, "" // nothing was asked, and the source says who chose
	case e.Observed == "" || e.Source == "":
		return Unproven, "nothing shows which algorithm ran"
	case asked != Auto && asked != e.Observed:
		return Failed, fmt.Sprintf("asked %s, ran %s (%s)", asked, e.Observed, e.Source)
	}
	return OK, ""
}
