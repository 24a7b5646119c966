package host

import (
	"strings"
	"testing"

	"collbench/bench"
	"collbench/collectives"
	"collbench/collectives/host"
)

// message is a point-to-point case on 4 ranks.
func message(operation, pairs string, bytes int64) bench.Case {
	c := testCase(collectives.AllReduce, bench.Auto, 4, bytes)
	c.What.Collective, c.What.Operation, c.Where.Pairs = 0, operation, pairs
	if operation != "latency" {
		c.What.Window = 5
	}
	return c
}

func TestMessagesAreRight(t *testing.T) {
	m := newTeam(t, 4, 4, []string{"a", "a", "a", "b"})
	for _, transport := range []string{overTCP, overBoth} {
		for _, timing := range []bench.Timing{bench.TimingBarrier, bench.TimingBatch} {
			for _, operation := range messageTests {
				for _, pairs := range []string{"0-1 3-2", "2-0", "1-0 2-0 3-0", "0-1 0-2 0-3"} {
					for _, bytes := range []int64{4, 70_000} {
						c := message(operation, pairs, bytes)
						c.How.Transport, c.How.Timing, c.Where.Hosts = transport, timing, 2
						if operation == "bibandwidth" && !bench.Disjoint(c.Pairs()) {
							continue
						}
						prove(t, m, c)
					}
				}
			}
		}
	}
}

func TestMessagesThatAreCorrupted(t *testing.T) {
	t.Setenv(host.FaultVariable, "rank=1,iteration=2,element=1002") // the third of those that rank 1 gets
	m := newTeam(t, 4, 4, nil)
	for _, operation := range messageTests {
		verdict, err := m.run(t.Context(), message(operation, "0-1 3-2", 4000), 3)
		// Of a window the same place is written again and again: the last message has to be the corrupted one.
		if err != nil || verdict.Wrong == 0 || !strings.Contains(verdict.First, "iteration 2, element 2 (from rank 0)") {
			t.Errorf("%s: a corrupted element gave %+v, %v", operation, verdict, err)
		}
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	for want, c := range map[string]bench.Case{
		"has no point-to-point test fetch": message("fetch", "0-1", 8),
		"pairs that share no rank":         message("bibandwidth", "0-1 1-2", 8),
		"3 bytes of float32":               message("latency", "0-1", 3),
	} {
		if err := (Backend{}).Supports(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Only the first of a pair gives samples.
func TestMessagesAreTimedOnce(t *testing.T) {
	m := newTeam(t, 4, 4, nil)
	c := message("bandwidth", "3-1", 4000)
	counts := make([]int, 4)
	if err := m.each(func(v int) error {
		o, err := m.communicators[v].Prepare(t.Context(), c)
		if err != nil {
			return err
		}
		defer o.Close()
		samples, err := o.Run(t.Context(), 3)
		counts[v] = len(samples)
		return err
	}); err != nil || counts[3] != 3 || counts[0]+counts[1]+counts[2] != 0 {
		t.Errorf("samples by rank %v, %v", counts, err)
	}
}
