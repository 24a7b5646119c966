package main

import (
	"context"
	"encoding/json"
	"time"

	"collbench/bench"
	"collbench/bench/doctor"
	"collbench/bench/workers"
)

// examineTime bounds how long a run waits for what is found of its hosts.
const examineTime = 6 * time.Second

// ownFindings is what doctor finds of this host, which all ranks are on.
func ownFindings(ctx context.Context) []bench.Finding {
	return doctor.Keep([]doctor.Report{doctor.InspectWithin(ctx, doctor.Host(), doctor.Profiles[0], examineTime)}, nil)
}

// fleetFindings is what doctor finds of the hosts of a job, and by comparing them.
func fleetFindings(ctx context.Context, fleet *workers.Fleet) []bench.Finding {
	d := examined(ctx, fleet, doctor.Profiles[0])
	return doctor.Keep(d.Reports, d.Compared)
}

// examiner is what a rank answers when rank 0 asks what its host is like.
func examiner(ctx context.Context, p doctor.Profile) func() []byte {
	return func() []byte {
		report, err := json.Marshal(doctor.InspectWithin(ctx, doctor.Host(), p, examineTime))
		if err != nil {
			return nil // a report that cannot be written is none
		}
		return report
	}
}

// examined asks the hosts of a job, and compares them if there are several.
func examined(ctx context.Context, fleet *workers.Fleet, p doctor.Profile) (d doctor.Diagnosis) {
	for _, e := range fleet.Examine(ctx, examineTime+2*time.Second) {
		var r doctor.Report
		if err := json.Unmarshal(e.Data, &r); err != nil || r.Schema != doctor.ReportSchema {
			r = doctor.Silent(p)
		}
		r.Host = e.Host
		d.Reports = append(d.Reports, r)
	}
	if len(d.Reports) > 1 {
		d.Compared = doctor.Compare(d.Reports)
	}
	return d
}
