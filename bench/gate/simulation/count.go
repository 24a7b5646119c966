package simulation

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"collbench/bench/gate"
)

// Count is how often so many gates failed, passed, and how many launches a side they took together.
type Count struct{ Gates, Failed, Passed, Launches int }

// Share is the fraction of the gates that failed.
func (c Count) Share() float64 { return float64(c.Failed) / float64(c.Gates) }

// Average is the average number of launches a side.
func (c Count) Average() float64 { return float64(c.Launches) / float64(c.Gates) }

// each runs so many gates, each with a generator of its own so that the result does not depend on the processors.
func each(gates int, seed uint64, f func(r *rand.Rand) Count) Count {
	var total Count
	var lock sync.Mutex
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			var mine Count
			for i := w; i < gates; i += workers {
				c := f(rand.New(rand.NewPCG(seed, uint64(i))))
				mine.Failed += c.Failed
				mine.Passed += c.Passed
				mine.Launches += c.Launches
			}
			lock.Lock()
			defer lock.Unlock()
			total.Failed += mine.Failed
			total.Passed += mine.Passed
			total.Launches += mine.Launches
		})
	}
	group.Wait()
	total.Gates = gates
	return total
}

// Once counts the gates that a rule fails when it looks once.
func Once(m Machine, fails func(gate.Sample) bool, gates int, seed uint64) Count {
	return each(gates, seed, func(r *rand.Rand) Count {
		c := Count{Launches: m.Launches}
		if fails(m.Draw(r)) {
			c.Failed = 1
		}
		return c
	})
}

// UntilClear counts the gates that gate --until-clear fails, m.Launches being all that the budget allows.
func UntilClear(m Machine, gates int, seed uint64) Count {
	return each(gates, seed, func(r *rand.Rand) Count {
		all := m.Draw(r)
		policy := gate.DefaultPolicy().Relative
		var looks gate.Looks
		for n := gate.NextLook(0); ; n = gate.NextLook(n) {
			n = min(n, m.Launches)
			levels := looks.Levels(float64(n) / float64(m.Launches))
			c := policy.Compare(first(all, n), levels, true)
			switch {
			case c.Failed(levels):
				return Count{Failed: 1, Launches: n}
			case c.Excludes(gate.ClearLoss):
				return Count{Passed: 1, Launches: n}
			case n == m.Launches:
				return Count{Launches: n}
			}
		}
	})
}

// first is what the first n launches of each side showed.
func first(s gate.Sample, n int) gate.Sample {
	half := len(s.Base)
	order := append(append([]int{}, s.Order[:n]...), s.Order[half:half+n]...)
	return gate.Sample{Base: s.Base[:n], New: s.New[:n], Order: gate.Ranks(order), Groups: s.Groups}
}
