package certify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/doctor"
	"collbench/bench/stat"
	"collbench/bench/storage"
	"collbench/bench/store"
	"collbench/bench/unit"
)

// judgeOverlap says how much of the shorter of communication and computing the other one hides. Computing is what the
// variant says: time of a processor of its own.
func judgeOverlap(least float64, runs []store.Run, cases []bench.Case) (findings []Finding) {
	for _, c := range cases {
		words, ok := strings.CutPrefix(c.How.Variant, "compute=")
		text, rest, _ := strings.Cut(words, ";")
		compute, err := unit.ParseSeconds(text)
		if !ok || err != nil {
			continue
		}
		alone := c
		alone.How.Variant = rest
		by, together := timesOf(runs, alone), timesOf(runs, c)
		if len(by) == 0 || len(together) == 0 {
			findings = append(findings, Finding{Inconclusive, fmt.Sprintf("%s: no figure of it by itself and with computing beside it", alone)})
			continue
		}
		communication, both := stat.Median(by), stat.Median(together)
		hidden := min(1, max(0, (communication+compute-both)/min(communication, compute)))
		f := Finding{Pass, fmt.Sprintf("training step's bucket, %s: %s of communication and %s of computing take %s together: %s of the shorter is hidden behind the other",
			alone, unit.Seconds(communication), unit.Seconds(compute), unit.Seconds(both), unit.Percent(hidden))}
		if least > 0 {
			f.Text += fmt.Sprintf(", want %s or more", unit.Percent(least))
		}
		if hidden < least {
			f.Outcome = Fail
		}
		findings = append(findings, f)
	}
	return findings
}

// judgeDoctor fails where doctor found a failure, or with strict a warning, and says what it warns of.
func judgeDoctor(d doctor.Diagnosis, strict bool) (findings []Finding) {
	looked := 0
	for _, k := range doctor.Keep(d.Reports, d.Compared) {
		looked++
		if !k.Trouble() {
			continue
		}
		f := Finding{Pass, fmt.Sprintf("%s: %s", k.Status, k.Check)}
		if k.Status == doctor.Fail.String() || strict {
			f.Outcome = Fail
		}
		if len(k.Hosts) > 0 {
			f.Text += " on " + strings.Join(k.Hosts, ", ")
		}
		f.Text += ": " + k.Seen
		if k.Advice != "" {
			f.Text += ". " + k.Advice
		}
		findings = append(findings, f)
	}
	if looked == 0 {
		return []Finding{{Inconclusive, "doctor looked at nothing"}}
	}
	if len(findings) == 0 {
		findings = append(findings, Finding{Pass, fmt.Sprintf("neither a failure nor a warning among %s of %s", plural(looked, "finding"), plural(len(d.Reports), "host"))})
	}
	return findings
}

// grown compares the error counters of all hosts before and after a step.
func grown(before, after doctor.Diagnosis) Finding {
	read, lost := 0, []string(nil)
	for _, host := range before.Reports {
		i := slices.IndexFunc(after.Reports, func(r doctor.Report) bool { return r.Host == host.Host })
		if i < 0 {
			return Finding{Inconclusive, fmt.Sprintf("error counters: %s was not looked at again", host.Host)}
		}
		for _, path := range slices.Sorted(maps.Keys(host.Facts.Counters)) {
			now, ok := after.Reports[i].Facts.Counters[path]
			if !ok {
				continue
			}
			read++
			if was := host.Facts.Counters[path]; now > was {
				lost = append(lost, fmt.Sprintf("%s on %s grew by %d, from %d", path, host.Host, now-was, was))
			}
		}
	}
	switch {
	case len(lost) > 0:
		return Finding{Fail, "error counters: " + strings.Join(lost, "; ") + ". Look at cables and transceivers, and at what the switches count"}
	case read == 0:
		return Finding{Inconclusive, "error counters: no host has any that can be read"}
	}
	return Finding{Pass, fmt.Sprintf("none of %s grew", plural(read, "error counter"))}
}

// judgeStorage holds the bandwidths of files against their bounds.
func judgeStorage(a Accept, r storage.Result) (findings []Finding) {
	if r.Wrong > 0 {
		findings = append(findings, Finding{Fail, fmt.Sprintf("%s: %s read back wrong", r.Directory, plural(int(r.Wrong), "block"))})
	}
	for _, side := range []struct {
		name   string
		passes []float64
		least  float64
	}{{"writes", r.Write, a.Write}, {"reads", r.Read, a.Read}} {
		if len(side.passes) == 0 {
			findings = append(findings, Finding{Inconclusive, fmt.Sprintf("%s: no %s were measured", r.Directory, side.name)})
			continue
		}
		middle := stat.Median(side.passes)
		f := Finding{Pass, fmt.Sprintf("%s: %s %s past the page cache (O_DIRECT)", r.Directory, side.name, unit.Bandwidth(middle))}
		if side.least > 0 {
			f.Text += fmt.Sprintf(", want %s or more", unit.Bandwidth(side.least))
		}
		if middle < side.least {
			f.Outcome = Fail
		}
		findings = append(findings, f)
	}
	return findings
}
