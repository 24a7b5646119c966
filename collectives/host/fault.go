package host

import (
	"fmt"
	"strconv"
	"strings"

	"collbench/collectives"
)

// FaultVariable is the environment variable that makes one element arrive corrupted, for tests of the
// verification: "rank=1,iteration=2,element=5". Iterations count from 0 each time that a case is prepared, those of
// the warm-up too; where they are timed back to back, all iterations of a batch have the batch's number.
const FaultVariable = "COLLBENCH_TEST_CORRUPT"

// Fault corrupts one received element of one rank in one iteration.
type Fault struct {
	Rank      collectives.Node
	Iteration int64
	Element   int   // of the data buffer
	Now       int64 // the iteration under way; the engine's user keeps it
}

// ParseFault reads the value of FaultVariable; nil if it is empty.
func ParseFault(value string) (*Fault, error) {
	if value == "" {
		return nil, nil
	}
	f := &Fault{}
	for field := range strings.SplitSeq(value, ",") {
		key, number, _ := strings.Cut(field, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: want rank=R,iteration=I,element=E", FaultVariable, field)
		}
		switch key {
		case "rank":
			f.Rank = collectives.Node(n)
		case "iteration":
			f.Iteration = int64(n)
		case "element":
			f.Element = n
		default:
			return nil, fmt.Errorf("%s: unknown key %q", FaultVariable, key)
		}
	}
	return f, nil
}

// apply flips a bit in the element's highest byte if these bytes of the message hold it and no later message does,
// so that the corruption shows in this rank's result.
func (f *Fault) apply(e *Engine, id int32, at, n int) {
	p := e.Program
	if p.me != f.Rank || f.Now != f.Iteration {
		return
	}
	target := f.Element * p.element
	for later := len(p.operations) - 1; later >= int(id); later-- {
		o := &p.operations[later]
		if o.buffer != collectives.Data || o.action == collectives.Send {
			continue
		}
		for k := range o.runs {
			into := target - o.offset - k*o.stride
			if into < 0 || into >= o.length {
				continue
			}
			if into += k * o.length; later == int(id) && at <= into && into < at+n {
				e.memory[collectives.Data][target+p.element-1] ^= 0x40 // little-endian
			}
			return
		}
	}
}
