// Package simulation draws launches of a made-up machine whose truth is known, and counts how often rules of gating
// are wrong about it.
//
// It stands beside the data's way: it is what the promises of docs/gating.md rest on. cmd/bench-gate writes its
// table; a small part of it runs with the tests.
package simulation

import (
	"math"
	"math/rand/v2"

	"collbench/bench/gate"
)

// Sizes is the number of message sizes that a simulated launch measures.
const Sizes = 24

// The machine's noise. What is known of real ones is in docs/gating.md.
const (
	shared     = 0.3  // of the variance of a launch: common to all its sizes, so that sizes correlate by that
	spikes     = 0.05 // of all figures are too slow by a factor of 1.1 … 2
	drift      = 0.02 // by which everything becomes slower from the first launch to the last
	everyOther = 4    // one size of so many has two modes
	slowMode   = 0.3  // of the launches are in the slower one
	modeGap    = 2.0  // between the modes, in standard deviations of the whole
)

// Session is how sessions differ, as standard deviations of the logarithm of one session's times.
var Session = gate.Between{Common: 0.014, Each: 0.007}

// Machine is a machine and a change to it.
type Machine struct {
	CV       float64 // of a launch without its spikes
	Launches int     // a side
	Loss     float64 // what the change costs, as a fraction of the time
	Width    int     // neighbouring sizes that it touches, at a random place
	Stored   bool    // the baseline was measured before, in another session
}

// Draw draws the logarithms of times of one comparison, interleaved A B B A but for a stored baseline.
func (m Machine) Draw(r *rand.Rand) gate.Sample {
	s := gate.Sample{Groups: []int{Sizes}}
	var loss [Sizes]float64
	if m.Width > 0 {
		at := r.IntN(Sizes - m.Width + 1)
		for k := range m.Width {
			loss[at+k] = math.Log1p(m.Loss)
		}
	}
	total := 2 * m.Launches
	var places [2][]int
	var sides [2][][]float64
	for at := range total {
		side := (at + 1) / 2 % 2 // A B B A
		if at == total-1 && m.Launches%2 == 1 {
			side = 1
		}
		if m.Stored {
			side = at / m.Launches
		}
		row := m.launch(r, float64(at)/float64(total))
		if side == 1 {
			for k := range row {
				row[k] += loss[k]
			}
		}
		sides[side] = append(sides[side], row)
		places[side] = append(places[side], at)
	}
	if m.Stored {
		for _, rows := range sides {
			session(rows, r)
		}
	} else {
		s.Order = append(places[0], places[1]...)
	}
	s.Base, s.New = sides[0], sides[1]
	return s
}

// launch draws the sizes of one launch.
func (m Machine) launch(r *rand.Rand, time float64) []float64 {
	row := make([]float64, Sizes)
	common := r.NormFloat64()
	for k := range row {
		own := r.NormFloat64()
		if k%everyOther == everyOther-1 {
			// Two modes whose mixture has mean 0 and standard deviation 1.
			mode := -slowMode
			if r.Float64() < slowMode {
				mode = 1 - slowMode
			}
			own = modeGap*mode + math.Sqrt(1-modeGap*modeGap*slowMode*(1-slowMode))*own
		}
		row[k] = m.CV*(math.Sqrt(shared)*common+math.Sqrt(1-shared)*own) + math.Log1p(drift*time)
		if r.Float64() < spikes {
			row[k] += math.Log(1.1 + 0.9*r.Float64())
		}
	}
	return row
}

// session shifts all launches by what their session differs from others.
func session(rows [][]float64, r *rand.Rand) {
	common := Session.Common * r.NormFloat64()
	for k := range Sizes {
		own := Session.Each * r.NormFloat64()
		for _, row := range rows {
			row[k] += common + own
		}
	}
}
