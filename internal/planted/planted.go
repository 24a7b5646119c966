// Package planted knows faults of the virtual cluster that a test of pairs has to name: what plants them, and what the verdict
// has to be. Tests and cmd/bench-pairs use it.
package planted

import (
	"fmt"
	"math/rand/v2"

	"collbench/bench"
	"collbench/bench/pairs"
)

// VMs is the size of the cluster, and Rate the links' where nothing is slowed.
const (
	VMs  = 8
	Rate = "200Mbit"
)

// Fault is something slow.
type Fault struct {
	Name  string
	Args  []string // of collbench: "lab" and its options
	host  string   // named; "": none is
	way   pairs.Direction
	pair  *bench.Pair // named; nil: none is
	share float64     // of its peers
}

// Kinds are the kinds of faults, by name: "half", "direction", "route", "nothing".
var Kinds = []string{"half", "direction", "route", "nothing"}

// New plants a fault of a kind; the seed says where and in which direction.
func New(kind string, seed uint64) Fault {
	random := rand.New(rand.NewPCG(seed, 5))
	vm, other := random.IntN(VMs), random.IntN(VMs-1)
	if other >= vm {
		other++
	}
	oneWay := random.IntN(2) == 0
	f := Fault{Name: kind, Args: []string{"lab", "--vms", fmt.Sprint(VMs)}, host: fmt.Sprintf("vm%d", vm), share: 0.5}
	switch kind {
	case "half":
		f.way = pairs.Both
		return f.with("--link", fmt.Sprintf("%s,%s=100Mbit", Rate, f.host))
	case "direction":
		f.way = pairs.Sends
		side := "tx"
		if !oneWay {
			f.way, side = pairs.Receives, "rx"
		}
		return f.with("--link", fmt.Sprintf("%s,%s:%s=100Mbit", Rate, f.host, side))
	case "route":
		f.pair, f.way = &bench.Pair{From: vm, To: other}, pairs.Both
		sign := "-"
		if oneWay {
			f.way, sign = pairs.Sends, ">"
		}
		f, f.host = f.with("--link", Rate, "--route", fmt.Sprintf("vm%d%svm%d=100Mbit", vm, sign, other)), ""
		return f
	}
	f.host = ""
	return f.with("--link", Rate)
}

func (f Fault) with(args ...string) Fault {
	f.Args = append(f.Args, args...)
	return f
}

// Check says what is wrong with a verdict: it has to name the fault, and nothing else.
func (f Fault) Check(v pairs.Verdict) error {
	if f.host == "" && f.pair == nil {
		if v.Outcome != pairs.Pass || len(v.Findings) > 0 {
			return fmt.Errorf("%s: %s; nothing is slow", v.Outcome, v.Statement)
		}
		return nil
	}
	if v.Outcome != pairs.Fail || len(v.Findings) != 1 {
		return fmt.Errorf("%s: %s; one finding is right: %s %s", v.Outcome, v.Statement, f.what(), f.way)
	}
	found := v.Findings[0]
	right := found.Direction == f.way && found.Share > f.share-0.1 && found.Share < f.share+0.1
	if f.pair == nil {
		right = right && found.Level == pairs.LevelHost && found.Host == f.host
	} else {
		right = right && found.Level == pairs.LevelPair && f.same(*found.Pair)
	}
	if !right {
		return fmt.Errorf("%s; right is %s %s at %.0f %%", v.Statement, f.what(), f.way, 100*f.share)
	}
	return nil
}

func (f Fault) what() string {
	if f.pair != nil {
		return fmt.Sprintf("vm%d to vm%d", f.pair.From, f.pair.To)
	}
	return f.host
}

// same says whether it is the pair; of both directions either is.
func (f Fault) same(p bench.Pair) bool {
	return p == *f.pair || f.way == pairs.Both && p.From == f.pair.To && p.To == f.pair.From
}

// Options are those of pairs with which it is quick.
func Options(seed uint64) []string {
	return []string{"--", "pairs", "--iterations", "1", "--warmup", "1", "--budget", "1m", "--format", "json", "--seed", fmt.Sprint(seed)}
}
