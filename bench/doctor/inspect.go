package doctor

import "context"

// Inspect carries out the checks of a profile on a machine. It always gives a report: what could not be read, or was
// not as ctx had ended, is in it as unknown.
func Inspect(ctx context.Context, m Machine, p Profile) Report {
	v := newView(ctx, m)
	r := Report{Schema: ReportSchema, Profile: p.Name, Host: m.Host, Findings: []Finding{}}
	for _, c := range All {
		if !p.runs(c.ID) {
			continue
		}
		for _, f := range c.Look(v) {
			r.Findings = append(r.Findings, p.judge(c.complete(f)))
		}
	}
	r.Facts = v.facts()
	return r
}

// complete fills in what a finding has from its check.
func (c Check) complete(f Finding) Finding {
	f.Check, f.Why, f.Sources = c.ID, c.Why, c.Sources
	return f
}
