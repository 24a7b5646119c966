package main

import (
	"fmt"
	"os"
	"strings"

	"collbench/bench/gate"
	"collbench/bench/gate/simulation"
)

const seed = 7

var (
	cvs      = []float64{0.01, 0.02, 0.03, 0.05}
	launches = []int{5, 10, 20, 24, 40, 80}
	losses   = []float64{0.05, 0.07, 0.10}
	widths   = []int{1, 8} // sizes that a change touches
)

// falseAlarms is the most of gates without a change that may fail.
const falseAlarms = 0.01

// row is one rule in a table.
type row struct {
	name   string
	stored bool
	ours   bool
	count  func(m simulation.Machine, gates int) simulation.Count
}

func rows() (all []row) {
	for _, rule := range simulation.All {
		all = append(all, row{rule.Name, false, rule.Name == simulation.Ours, func(m simulation.Machine, gates int) simulation.Count {
			return simulation.Once(m, rule.Fails, gates, seed)
		}})
		if rule.Name == simulation.Ours {
			all = append(all, row{rule.Name + ", stored baseline", true, true, all[len(all)-1].count})
		}
	}
	return all
}

// fixed is the table of all rules that look once, for every cv, number of launches and loss.
func fixed(gates int) (text string, failures []string) {
	var b strings.Builder
	b.WriteString("Each cell: false alarms % · power % for a loss of 5/7/10 % at one size · at 8 of 24 neighbouring sizes.\n")
	for _, cv := range cvs {
		fmt.Fprintf(&b, "\n**cv %g %%**\n\n| Rule, launches a side |", 100*cv)
		for _, n := range launches {
			fmt.Fprintf(&b, " %d |", n)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(launches)) + "\n")
		for _, r := range rows() {
			fmt.Fprintf(&b, "| %s |", r.name)
			for _, n := range launches {
				m := simulation.Machine{CV: cv, Launches: n, Stored: r.stored}
				alarms := r.count(m, gates).Share()
				if r.ours && alarms > falseAlarms {
					failures = append(failures, fmt.Sprintf("%s, cv %g %%, %d launches: %.2f %% false alarms", r.name, 100*cv, n, 100*alarms))
				}
				fmt.Fprintf(&b, " %s", percent(alarms))
				for _, m.Width = range widths {
					var powers []string
					for _, m.Loss = range losses {
						powers = append(powers, fmt.Sprintf("%.0f", 100*r.count(m, gates/4).Share()))
					}
					fmt.Fprintf(&b, " · %s", strings.Join(powers, "/"))
				}
				b.WriteString(" |")
			}
			b.WriteString("\n")
		}
		fmt.Fprintf(os.Stderr, "bench-gate: cv %g %% done\n", 100*cv)
	}
	return b.String(), failures
}

// percent writes a fraction in percent: to a hundredth where it is small.
func percent(share float64) string {
	if share >= 0.1 {
		return fmt.Sprintf("%.0f", 100*share)
	}
	return fmt.Sprintf("%.2g", 100*share)
}

// changes are those by which until-clear is compared with a fixed number of launches.
var changes = []struct {
	title string
	loss  float64
	width int
}{{"none", 0, 0}, {"5 % at one", 0.05, 1}, {"7 % at one", 0.07, 1}, {"10 % at one", 0.10, 1}, {"5 % at 8", 0.05, 8}, {"10 % at 8", 0.10, 8}}

// untilClear is the table of gate --until-clear: how often it fails and how many launches that takes, beside the
// launches that a gate that looks once needs to fail 95 % of losses of 5 % at one size.
func untilClear(gates int) (text string, failures []string) {
	var b strings.Builder
	b.WriteString("**gate --until-clear** beside the launches a side with which our rule, looking once, fails 95 % of losses of 5 % at one size; it may take a third more. Each cell: fails % (launches a side on average).\n\n| cv | looking once | at most |")
	for _, c := range changes {
		fmt.Fprintf(&b, " %s |", c.title)
	}
	b.WriteString(" average |\n|---|--:|--:|" + strings.Repeat("--:|", len(changes)+1) + "\n")
	for _, cv := range cvs {
		needed := launchesNeeded(cv, gates/8)
		most := needed * 4 / 3
		fmt.Fprintf(&b, "| %g %% | %d | %d |", 100*cv, needed, most)
		sum := 0.0
		for _, c := range changes {
			count := simulation.UntilClear(simulation.Machine{CV: cv, Launches: most, Loss: c.loss, Width: c.width}, gatesOf(c.loss, gates, most), seed)
			if c.width == 0 && count.Share() > falseAlarms {
				failures = append(failures, fmt.Sprintf("until-clear, cv %g %%: %.2f %% false alarms", 100*cv, 100*count.Share()))
			}
			sum += count.Average() / float64(len(changes))
			fmt.Fprintf(&b, " %s (%.0f) |", percent(count.Share()), count.Average())
		}
		if sum > float64(needed)/2 {
			failures = append(failures, fmt.Sprintf("until-clear, cv %g %%: %.0f launches on average, more than half of %d", 100*cv, sum, needed))
		}
		fmt.Fprintf(&b, " %.0f |\n", sum)
		fmt.Fprintf(os.Stderr, "bench-gate: until-clear, cv %g %% done\n", 100*cv)
	}
	return b.String(), failures
}

// gatesOf is how many gates a cell gets: fewer with a change, and with very many launches.
func gatesOf(loss float64, gates, launches int) int {
	if loss > 0 {
		gates /= 8
	}
	if launches > 200 {
		gates /= 2
	}
	return max(1, gates)
}

// launchesNeeded is the least number of launches, to a twelfth, with which looking once fails 95 % of losses of 5 %
// at one size.
func launchesNeeded(cv float64, gates int) int {
	for n := 12; ; n += max(2, n/12) {
		m := simulation.Machine{CV: cv, Launches: n, Loss: 0.05, Width: 1}
		if n >= 2000 || simulation.Once(m, ours, max(1, gates), seed).Share() >= 0.95 {
			return n
		}
	}
}

func ours(s gate.Sample) bool {
	for _, rule := range simulation.All {
		if rule.Name == simulation.Ours {
			return rule.Fails(s)
		}
	}
	return false
}

// promises checks what the documentation promises and says what came of it.
func promises(gates int) (text string, failures []string) {
	var b strings.Builder
	b.WriteString("**Promises**\n\n")
	check := func(what string, m simulation.Machine, fine func(share float64) bool) {
		share := simulation.Once(m, ours, gates, seed+1).Share()
		fmt.Fprintf(&b, "- %s: %.1f %%\n", what, 100*share)
		if !fine(share) {
			failures = append(failures, fmt.Sprintf("%s: %.1f %%", what, 100*share))
		}
	}
	power := func(share float64) bool { return share >= 0.95 }
	check("a loss of 5 % at 8 of 24 sizes is failed with 20 launches a side at cv 2 %, want 95 % or more", simulation.Machine{CV: 0.02, Launches: 20, Loss: 0.05, Width: 8}, power)
	check("a loss of 7 % at one size is failed with 24 launches a side at cv 2 %, want 95 % or more", simulation.Machine{CV: 0.02, Launches: 24, Loss: 0.07, Width: 1}, power)
	for _, n := range []int{5, 10, 20, 40} {
		check(fmt.Sprintf("a loss of 3 %% at every size, the largest that is none, is failed with %d launches a side at cv 2 %%, want about 5 %% or less", n),
			simulation.Machine{CV: 0.02, Launches: n, Loss: 0.03, Width: simulation.Sizes}, func(share float64) bool { return share <= 0.07 })
	}
	return b.String(), failures
}
