package doctor

import (
	"context"
	"slices"
	"time"

	"collbench/bench"
)

// Keep makes of the reports of hosts, and of what comparing them has given, what a run keeps: what several hosts have
// in common stands once.
func Keep(reports []Report, compared []Finding) []bench.Finding {
	var kept []bench.Finding
	add := func(f Finding, hosts []string) {
		k := bench.Finding{Check: f.Check, Status: f.Status.String(), Hosts: hosts, Seen: f.Seen, Why: f.Why, Advice: f.Advice}
		i := slices.IndexFunc(kept, func(o bench.Finding) bool { return o.Check == k.Check && o.Status == k.Status && o.Seen == k.Seen })
		if i < 0 {
			kept = append(kept, k)
			return
		}
		kept[i].Hosts = append(kept[i].Hosts, hosts...)
	}
	for _, r := range reports {
		for _, f := range r.Findings {
			add(f, []string{r.Host})
		}
	}
	for _, f := range compared {
		add(f, f.Hosts)
	}
	return kept
}

// InspectWithin is Inspect for callers that have something else to do: it returns within the time, whatever a command or
// a file system does, and says then that it has seen nothing.
func InspectWithin(ctx context.Context, m Machine, p Profile, within time.Duration) Report {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan Report, 1)
	go func() { done <- Inspect(ctx, m, p) }()
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
	}
	grace := time.NewTimer(graceTime) // a command that was ended leaves the rest unknown, which is worth more than nothing
	defer grace.Stop()
	select {
	case r := <-done:
		return r
	case <-grace.C:
	}
	r := Silent(p)
	r.Host = m.Host
	return r
}

// Silent is the report of a host that has not given one in time.
func Silent(p Profile) Report {
	return Report{Schema: ReportSchema, Profile: p.Name, Findings: []Finding{{Check: "doctor", Status: Unknown, Seen: "this host has not been looked at in time",
		Why: "A file or a command that does not answer often is a file system or a driver that hangs.", Advice: "Run collbench doctor there by itself."}}}
}

// graceTime is how long ended commands may take to be gone.
const graceTime = 1500 * time.Millisecond
