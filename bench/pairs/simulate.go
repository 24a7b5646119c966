package pairs

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"collbench/bench"
)

// Simulation is a fabric that is arithmetic: what a pair does follows from its kind, with noise. Its results are marked as
// simulated. It shows what a test of a fabric of some size would look like, and what the judge makes of known faults.
type Simulation struct {
	Places    []Place
	Latency   map[Kind]float64 // seconds of a short message
	Bandwidth map[Kind]float64 // bytes/s of one direction
	Noise     float64          // standard deviation of the logarithm of a sample
	// Fault is the share of its figure that a pair reaches, sender first; nil: all are well.
	Fault func(p bench.Pair) float64
	Seed  uint64
}

// Launch implements bench.Launcher.
func (s Simulation) Launch(context.Context, []string) (bench.Team, error) {
	return &simulated{Simulation: s, random: rand.New(rand.NewPCG(s.Seed, 2))}, nil
}

// simulated is the fabric at work.
type simulated struct {
	Simulation
	random *rand.Rand
	test   bench.Case
	pairs  []bench.Pair
	bytes  float64 // that a pair sends in an iteration; 0: a single message
}

func (s *simulated) Prepare(_ context.Context, c bench.Case) error {
	if c.Where.Ranks != len(s.Places) {
		return fmt.Errorf("%d ranks: the simulated fabric has %d", c.Where.Ranks, len(s.Places))
	}
	s.test, s.pairs = c, c.Pairs()
	s.bytes = float64(c.Moved()) / float64(len(s.pairs))
	return nil
}

func (s *simulated) Run(_ context.Context, iterations int, _ bench.Stage) (bench.Batch, error) {
	samples := iterations
	if s.test.How.Timing == bench.TimingBatch {
		samples = 1
	}
	b := bench.Batch{Seconds: make([][]float64, len(s.Places)),
		Evidence: bench.Evidence{Source: "simulation", Detail: "computed, not measured", StandIn: true}}
	ends := map[int]int{}
	for _, p := range s.pairs {
		ends[p.From]++
		ends[p.To]++
	}
	for _, p := range s.pairs {
		seconds := s.seconds(p) * float64(max(ends[p.From], ends[p.To]))
		b.Seconds[p.From] = b.Seconds[p.From][:0]
		for range samples {
			b.Seconds[p.From] = append(b.Seconds[p.From], seconds*math.Exp(s.Noise*s.random.NormFloat64()))
		}
	}
	return b, nil
}

// seconds is what the pair takes for an iteration.
func (s *simulated) seconds(p bench.Pair) float64 {
	kind := kindOf(s.Places[p.From], s.Places[p.To])
	seconds, bytes := s.Latency[kind], s.bytes
	if !directed(s.test) {
		bytes /= 2 // both ways at once
	}
	seconds += bytes / s.Bandwidth[kind]
	if s.Fault != nil {
		seconds /= s.Fault(p)
	}
	return seconds
}

func (s *simulated) Close() error { return nil }
