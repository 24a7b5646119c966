package host

import (
	"fmt"
	"strings"
	"time"

	"collbench/bench"
	"collbench/bench/unit"
	"collbench/collectives/host"
)

// computeKey begins the host backend's own variant "compute=50ms": in every iteration each rank computes for so long
// beside its communication, on another thread, and the iteration ends when both have.
const computeKey = "compute="

// mostCompute bounds the computing of one iteration.
const mostCompute = time.Minute

// computing reads the time out of a variant; 0: there is none. The error says what the host backend does not have.
func computing(variant string) (d time.Duration, err error) {
	_, own := bench.VariantEnvironment(variant)
	for part := range strings.SplitSeq(own, ";") {
		text, ours := strings.CutPrefix(part, computeKey)
		switch {
		case part == "" || part == bench.PacedVariant:
		case !ours:
			return 0, fmt.Errorf("the host backend has no variant %q: want default, compute=TIME such as compute=50ms, or settings such as NAME=VALUE", part)
		default:
			seconds, err := unit.ParseSeconds(text)
			if d = time.Duration(seconds * 1e9); err != nil || d <= 0 || d > mostCompute {
				return 0, fmt.Errorf("variant %q: want compute=TIME, above 0 and up to %s", part, mostCompute)
			}
		}
	}
	return d, nil
}

// beside carries out an iteration's communication with the computing beside it.
func (o *operation) beside(communicate func() error) error {
	if o.computer == nil {
		return communicate()
	}
	o.computer.Begin(o.compute)
	if err := communicate(); err != nil {
		return err // whatever it still computes, this process is of no use any more
	}
	return o.computer.Wait()
}

// takeComputer starts the thread that computes, if the case has one.
func (o *operation) takeComputer() (err error) {
	if o.compute, err = computing(o.test.How.Variant); err == nil && o.compute > 0 {
		o.computer = host.NewComputer()
	}
	return err
}
