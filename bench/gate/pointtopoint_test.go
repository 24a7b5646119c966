package gate

import (
	"strings"
	"testing"

	"collbench/bench"
)

// messages are launches of a point-to-point test whose first rank that gives samples is not rank 0.
func messages() []Run {
	runs := made{launches: 5, sizes: []int64{8, 64}, algorithms: []string{bench.Auto}}.runs()
	for _, run := range runs {
		for i := range run.Results {
			r := &run.Results[i]
			r.What = bench.What{Operation: "latency", Algorithm: bench.Auto, DataType: r.What.DataType, Bytes: r.What.Bytes}
			r.Where.From, r.Where.To = 1, 3
			for rank := range r.Seconds {
				if !r.Times(rank) {
					r.Seconds[rank] = nil
				}
			}
		}
	}
	return runs
}

// TestPointToPoint: a test of messages goes by its own name, and not by that of a collective; nobody straggles in it.
func TestPointToPoint(t *testing.T) {
	for text, want := range map[string]struct {
		outcome Outcome
		found   map[string]int
	}{
		"floors: [{collective: latency, bytes: 8, time: 1s}]":    {Pass, map[string]int{"floor pass": 1}},
		"floors: [{collective: all_reduce, bytes: 8, time: 1s}]": {Inconclusive, map[string]int{"missing inconclusive": 2}},
		"stragglers: [{at-most: 10%}]":                           {Inconclusive, map[string]int{"missing inconclusive": 2}},
	} {
		t.Run(text, func(t *testing.T) {
			expect(t, Judge(policy(t, text), nil, messages(), Fixed), want.outcome, want.found)
		})
	}
	both := Finding{Cases: []bench.Case{messages()[0].Results[0].Case, messages()[0].Results[1].Case}}
	if got := both.What(); got != "latency 8 B … 64 B" {
		t.Errorf("two sizes together: %q", got)
	}
}

// TestIncidentalVariables: what a launcher sets anew in every run is no difference between two sides.
func TestIncidentalVariables(t *testing.T) {
	side := func(id string) []Run {
		return []Run{{Info: bench.RunInfo{Environment: bench.Environment{Variables: map[string]string{
			"OMPI_MCA_orte_hnp_uri": id, "SLURM_JOB_ID": id, "OMPI_MCA_coll": id}}}}}
	}
	all, _ := differences(side("1"), side("2"), nil)
	if len(all) != 1 || !strings.Contains(all[0], "OMPI_MCA_coll") {
		t.Errorf("differences: %q", all)
	}
}
