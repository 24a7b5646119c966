package bench

import "testing"

func TestBatchTiming(t *testing.T) {
	cases := testCases(8, "ring")
	cases[0].How.Timing = TimingBatch
	f := &fake{cost: constant(0.001)}
	results, err := drive(t, f, Plan{Cases: cases, Warmup: 3, Iterations: 20}, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.IterationsPerSample != 20 || len(r.Seconds[0]) != minSamples {
		t.Errorf("%d iterations a sample, %d samples", r.IterationsPerSample, len(r.Seconds[0]))
	}
}

// TestSampleLength: a sample of batch timing takes the time that is asked for, though one batch of the warm-up was held up.
func TestSampleLength(t *testing.T) {
	cases := testCases(8, "ring")
	cases[0].How.Timing = TimingBatch
	for sample, want := range map[float64]int{0: 5, 0.02: 20} {
		f := &fake{}
		n := 0
		f.cost = func(Case, int) float64 {
			if n++; n == 3 {
				return 1
			}
			return 0.001
		}
		results, err := drive(t, f, Plan{Cases: cases, Warmup: 2, Sample: sample, Budget: 10}, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r := results[0]; r.IterationsPerSample != want {
			t.Errorf("sample %g s: %d iterations a sample, want %d", sample, r.IterationsPerSample, want)
		}
	}
}
