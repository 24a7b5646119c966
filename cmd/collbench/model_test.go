package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"collbench/collectives"
)

// modelOf runs the model command and returns its rows.
func modelOf(t *testing.T, args ...string) (rows []modelRow) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := Main(append([]string{"collbench", "model", "--format", "json"}, args...), &stdout, &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	for line := range strings.Lines(stdout.String()) {
		var r modelRow
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rows = append(rows, r)
	}
	return rows
}

// What a row says of itself must fit together for every collective and algorithm.
func TestModelRowsAddUp(t *testing.T) {
	var names []string
	for _, c := range collectives.Collectives {
		names = append(names, c.String())
	}
	rows := modelOf(t, "--collective", strings.Join(names, ","), "--ranks", "4,8", "--bytes", "1MiB,8MiB")
	if len(rows) < 4*25 {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		o := r.Operations
		c, err := collectives.ParseCollective(r.Collective)
		if err != nil {
			t.Fatal(err)
		}
		bad := r.Seconds <= 0 || r.AlgBW == nil || r.WireBW == nil || o.Sends+o.Receives != o.Total ||
			!near(*r.AlgBW, float64(r.Bytes)/r.Seconds) || !near(*r.WireBW, float64(o.BytesSent)/r.Seconds) ||
			!near(*r.BusBW, *r.AlgBW*c.BusFactor(r.Ranks)) || (o.SlideTotal != nil) != (c == collectives.AllReduce)
		if !bad && o.SlideTotal != nil {
			bad = *o.SlideTotal != 4*r.Ranks || !near(*o.SlideRatio, float64(4*r.Ranks)/o.Total) || !near(*o.ExactRatio, float64(4*r.Ranks-4)/o.Total)
		}
		if bad {
			t.Errorf("%+v", r)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// 8 ranks a domain for the algorithms that have two levels, else all.
func TestModelDomain(t *testing.T) {
	for _, r := range modelOf(t, "--ranks", "4,16", "--algorithm", "ring,hierarchical,nvls+sharp,nvlstree") {
		want := r.Ranks
		if r.Algorithm != "ring" {
			want = min(8, r.Ranks)
		}
		if r.Domain != want {
			t.Errorf("%s on %d ranks: domain %d, want %d", r.Algorithm, r.Ranks, r.Domain, want)
		}
	}
}

// 131,072 ranks, 8 or 72 a domain: each row is a prediction that is labelled as an extrapolation.
func TestModelOfVeryManyRanks(t *testing.T) {
	if testing.Short() {
		t.Skip("prices 131,072 ranks: left out by -short")
	}
	rows := modelOf(t, "--ranks", "131072", "--algorithm", "ring,tree,sharp,nvls+sharp")
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		if !strings.Contains(r.Note, "extrapolation") || r.Seconds <= 0 {
			t.Errorf("%+v", r)
		}
	}
	if ring, both := rows[0], rows[3]; both.Seconds >= ring.Seconds {
		t.Errorf("nvls+sharp %+v after ring %+v", both, ring)
	}
}
