package bench

import (
	"fmt"
	"math"
	"slices"

	"collbench/bench/stat"
)

// check refuses a batch whose samples are not what they must be: a figure from it would mean nothing.
func check(b Batch, c Case) error {
	if len(b.Seconds) != c.Where.Ranks {
		return fmt.Errorf("%s: samples of %d ranks: want %d", c, len(b.Seconds), c.Where.Ranks)
	}
	n := count(b.Seconds)
	if n == 0 {
		return fmt.Errorf("%s: no samples", c)
	}
	timed := c.TimedRanks()
	for rank, samples := range b.Seconds {
		want := n
		if !timed[rank] {
			want = 0
		}
		if len(samples) != want {
			return fmt.Errorf("%s: rank %d: %d samples: want %d", c, rank, len(samples), want)
		}
		for _, v := range samples {
			if !(v > 0) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: rank %d: a sample of %g s", c, rank, v)
			}
		}
	}
	return nil
}

// count is the number of samples of each rank that has any.
func count(seconds [][]float64) (n int) {
	for _, samples := range seconds {
		n = max(n, len(samples))
	}
	return n
}

// take keeps a batch's samples, one of every stride. When there are twice as many as a result may hold, every
// other one goes, so that those that stay cover the whole time.
func (m *measurement) take(b Batch, elapsed float64) {
	if m.seconds == nil {
		m.seconds = make([][]float64, len(b.Seconds))
		m.counted = make([]LinkBytes, len(b.Counted))
	}
	for i := range count(b.Seconds) {
		if m.samples%m.stride == 0 {
			for rank, samples := range b.Seconds {
				if len(samples) > 0 {
					m.seconds[rank] = append(m.seconds[rank], samples[i])
				}
			}
		}
		m.samples++
		if count(m.seconds) == 2*MaxSamples {
			m.stride *= 2
			for rank, samples := range m.seconds {
				m.seconds[rank] = everyOther(samples)
			}
		}
	}
	for i := range min(len(m.counted), len(b.Counted)) {
		m.counted[i].Sent += b.Counted[i].Sent
		m.counted[i].Received += b.Counted[i].Received
	}
	m.result.CountedOn = b.On
	m.watch(b.Clocks)
	if b.CPU != nil {
		m.busy += b.CPU.Busy * elapsed
		m.busyTime += elapsed
	}
}

func everyOther(samples []float64) []float64 {
	kept := samples[:0]
	for i := 0; i < len(samples); i += 2 {
		kept = append(kept, samples[i])
	}
	return slices.Clone(kept)
}

// slowest is the time of each iteration: the largest over the ranks that have samples.
func slowest(seconds [][]float64) []float64 {
	times := make([]float64, count(seconds))
	for _, samples := range seconds {
		for i, v := range samples {
			times[i] = max(times[i], v)
		}
	}
	return times
}

// precision is the larger side of the median's 95 % interval ÷ median; infinite with too few samples for one.
func (m *measurement) precision() float64 {
	times := slowest(thinned(m.seconds))
	low, high, ok := stat.MedianInterval(times)
	if !ok {
		return math.Inf(1)
	}
	middle := stat.Median(times)
	return max(high-middle, middle-low) / middle
}

// thinned leaves at most MaxSamples samples of each rank, evenly spread.
func thinned(seconds [][]float64) [][]float64 {
	if count(seconds) <= MaxSamples {
		return seconds
	}
	kept := make([][]float64, len(seconds))
	for rank, samples := range seconds {
		for i := range min(MaxSamples, len(samples)) {
			kept[rank] = append(kept[rank], samples[i*len(samples)/MaxSamples])
		}
	}
	return kept
}
