package formats

import (
	"math"
	"regexp"
	"strconv"

	"collbench/collectives"
)

// ratio is what the rows of a table say together about bus bandwidth ÷ algorithm bandwidth: the interval that their
// rounding leaves. It tells the number of ranks where the header does not.
type ratio struct {
	low, high float64
	rows      int
}

// add narrows the ratio by a row's two rates, each known to half a unit of its last digit.
func (r *ratio) add(algbw, busbw figure) {
	if algbw.value <= algbw.half || busbw.value <= 0 {
		return
	}
	low, high := (busbw.value-busbw.half)/(algbw.value+algbw.half), (busbw.value+busbw.half)/(algbw.value-algbw.half)
	low, high = low*(1-1e-9), high*(1+1e-9)
	if r.rows++; r.rows == 1 {
		*r = ratio{low, high, 1}
		return
	}
	r.low, r.high = max(r.low, low), min(r.high, high)
}

// contradictory says whether no ratio fits all rows.
func (r ratio) contradictory() bool { return r.rows > 0 && r.low > r.high }

func (r ratio) holds(v float64) bool { return r.rows > 0 && r.low <= v && v <= r.high }

// ranks is the range of rank numbers that the ratio leaves for a collective: busbw/algbw is 2(n−1)/n for all-reduce
// and (n−1)/n where each rank owns a block. The range is empty where none fits, and ok is false where the ratio does
// not depend on the number of ranks.
func (r ratio) ranks(c collectives.Collective) (low, high int, ok bool) {
	scale := 1.
	switch {
	case r.rows == 0 || r.contradictory():
		return 0, 0, false
	case c == collectives.AllReduce:
		scale = 2
	case !c.Blocked():
		return 0, 0, false
	}
	// n = 1 / (1 − ratio/scale); a ratio that may be the limit itself leaves no upper end.
	n := func(ratio float64) float64 {
		if ratio >= scale {
			return math.MaxInt32
		}
		return min(1/(1-ratio/scale), math.MaxInt32)
	}
	return int(math.Ceil(n(r.low) - 1e-6)), int(math.Floor(n(r.high) + 1e-6)), true
}

var (
	rankFlag    = regexp.MustCompile(`(?:^|\s)(?:-np|-n|--np|--ntasks|--n)(?:=|\s*)(\d{1,7})(?:\s|$)`)
	nodesFlag   = regexp.MustCompile(`(?:^|\s)(?:-N|--nodes)(?:=|\s*)(\d{1,7})(?:\s|$)`)
	perNodeFlag = regexp.MustCompile(`(?:^|\s)(?:--ntasks-per-node|--npernode|-npernode|-ppn|--ppn)(?:=|\s*)(\d{1,7})(?:\s|$)`)
	launches    = regexp.MustCompile(`\b(mpirun|mpiexec|mpiexec\.hydra|srun|prterun)\b`)
)

// commandRanks is the number of ranks that a launcher's command line asks for, 0 where it does not say. srun -N
// alone starts one task per node.
func commandRanks(command string) int {
	tool := launches.FindStringIndex(command)
	if tool == nil {
		return 0
	}
	get := func(re *regexp.Regexp) int {
		if m := re.FindStringSubmatch(command[tool[1]:]); m != nil {
			n, _ := strconv.Atoi(m[1])
			return n
		}
		return 0
	}
	if n := get(rankFlag); n > 0 {
		return n
	}
	if command[tool[0]:tool[1]] != "srun" {
		return 0
	}
	nodes, each := get(nodesFlag), get(perNodeFlag)
	if nodes > 0 && each > 0 {
		return nodes * each
	}
	return nodes
}
