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
	for rank, samples := range b.Seconds {
		if len(samples) == 0 || len(samples) != len(b.Seconds[0]) {
			return fmt.Errorf("%s: rank %d: %d samples: want as many as rank 0, which has %d", c, rank, len(samples), len(b.Seconds[0]))
		}
		for _, v := range samples {
			if !(v > 0) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: rank %d: a sample of %g s", c, rank, v)
			}
		}
	}
	return nil
}

// take keeps a batch's samples, one of every stride. When there are twice as many as a result may hold, every
// other one goes, so that those that stay cover the whole time.
func (m *measurement) take(b Batch, elapsed float64) {
	if m.seconds == nil {
		m.seconds = make([][]float64, len(b.Seconds))
		m.counted = make([]LinkBytes, len(b.Counted))
	}
	for i := range b.Seconds[0] {
		if m.samples%m.stride == 0 {
			for rank := range b.Seconds {
				m.seconds[rank] = append(m.seconds[rank], b.Seconds[rank][i])
			}
		}
		m.samples++
		if len(m.seconds[0]) == 2*MaxSamples {
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

// slowest is the time of each iteration: the largest over the ranks.
func slowest(seconds [][]float64) []float64 {
	if len(seconds) == 0 {
		return nil
	}
	times := slices.Clone(seconds[0])
	for _, samples := range seconds[1:] {
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
	if len(seconds) == 0 || len(seconds[0]) <= MaxSamples {
		return seconds
	}
	n := len(seconds[0])
	kept := make([][]float64, len(seconds))
	for rank, samples := range seconds {
		for i := range MaxSamples {
			kept[rank] = append(kept[rank], samples[i*n/MaxSamples])
		}
	}
	return kept
}
