package lab

import (
	"fmt"

	"collbench/bench"
	"collbench/bench/unit"
)

// Figures is what shows whether the links were the limit of a case, or the CPUs that stand in for the cluster's.
type Figures struct {
	Seconds   float64           // measured, of an iteration
	Model     float64           // seconds predicted from the links' rates
	Bandwidth float64           // seconds predicted without latencies
	Counted   []bench.LinkBytes // by rank, of an iteration; nil: not counted
	CPU       *bench.CPU        // nil: not known, and nothing is said against the case
	CPUs      int               // number of them
}

// The CPUs were the limit where they were this busy and the links did less than this share of what the model expects
// of them, latencies being no more than the rest of the prediction. Where the links did even less, one busy CPU is
// enough: all others wait for the process on it.
const (
	busyCPU       = 0.9
	idleLinks     = 0.8
	idlerLinks    = 0.5
	bandwidthPart = 0.5
)

// CPULimited says how it shows that the CPUs, not the links, were the limit, so that the figure is none of the
// cluster's; "" if it does not. Ranks are placed as many to a VM, in order.
func CPULimited(f Figures, links []bench.LinkInfo, ranksPerVM int) string {
	if f.CPU == nil || f.Seconds <= 0 || f.Model <= 0 || f.Bandwidth < bandwidthPart*f.Model {
		return ""
	}
	all := f.CPU.Busy >= busyCPU && f.Model < idleLinks*f.Seconds
	one := f.CPU.Busy*float64(f.CPUs) >= busyCPU && f.Model < idlerLinks*f.Seconds
	if !all && !one {
		return ""
	}
	text := fmt.Sprintf("the CPUs, not the links, were the limit: CPUs %s busy, ", unit.Percent(round(f.CPU.Busy)))
	if use := Utilisation(f, links, ranksPerVM); use > 0 {
		return text + fmt.Sprintf("busiest link at %s of its rate", unit.Percent(round(use)))
	}
	return text + fmt.Sprintf("%.1f times the time that the links need", f.Seconds/f.Model)
}

func round(fraction float64) float64 { return float64(int(fraction*100+0.5)) / 100 }

// Utilisation is the share of its rate that the busiest link carried; 0 where nothing was counted.
func Utilisation(f Figures, links []bench.LinkInfo, ranksPerVM int) float64 {
	sums := make([]bench.LinkBytes, len(links))
	for rank, c := range f.Counted {
		if vm := rank / ranksPerVM; vm < len(links) {
			sums[vm].Sent += c.Sent
			sums[vm].Received += c.Received
		}
	}
	busiest := 0.0
	for i, link := range links {
		busiest = max(busiest, sums[i].Sent/(link.Transmit*f.Seconds), sums[i].Received/(link.Receive*f.Seconds))
	}
	return busiest
}
