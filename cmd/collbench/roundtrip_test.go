package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/formats"
	"collbench/bench/summary"
	"collbench/collectives"
	"collbench/reports"
)

// randomRow is a case that collbench could have measured, with a time from 50 ns to 20 s.
func randomRow(r *rand.Rand) summary.Row {
	c := collectives.Collectives[r.IntN(len(collectives.Collectives))]
	d := collectives.DataTypes[r.IntN(len(collectives.DataTypes))]
	hosts := 1 + r.IntN(9)
	ranks := max(2, hosts*(1+r.IntN(16)))
	count := 1 + r.IntN(1<<r.IntN(24))
	whole := collectives.Shape{Collective: c, Ranks: ranks, Count: count}
	size := int64(whole.Size()) * int64(d.Size())
	seconds := 50e-9 * math.Pow(4e8, r.Float64())
	algbw := float64(size) / seconds
	busbw := algbw * c.BusFactor(ranks)
	row := summary.Row{
		Status: bench.OK, Backend: "host", Collective: c.String(), Algorithm: []string{"ring", "auto", "recursive-doubling"}[r.IntN(3)],
		Variant: []string{"", "proto=simple,gdr=off"}[r.IntN(2)], Transport: "tcp", Buffers: "private", Timing: bench.TimingBarrier,
		Ranks: ranks, Hosts: hosts, Domain: ranks / hosts, Bytes: size, Count: count, DataType: d.String(), Reduction: "none", InPlace: r.IntN(2) == 0,
		Seconds: &summary.Seconds{Median: seconds}, AlgBW: &algbw, BusBW: &busbw,
	}
	if c.Reduces() {
		row.Reduction = collectives.Reductions[r.IntN(len(collectives.Reductions))].String()
	}
	if c.Rooted() {
		row.Root = r.IntN(ranks)
	}
	if wrong := int64(r.IntN(4) - 1); wrong >= 0 {
		row.Wrong = &wrong
		if wrong > 0 {
			row.Status = bench.Wrong
		}
	}
	if r.IntN(10) == 0 {
		row.Status, row.Error, row.Seconds, row.AlgBW, row.BusBW, row.Wrong = bench.Failed, "rank 1 on vm1 was killed", nil, nil, nil, nil
	}
	return row
}

// TestAnyExportIsImported writes rows of any kind as nccl-tests text, reads them again, and finds every value to the
// last digit that is printed.
func TestAnyExportIsImported(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := randomRow(r)
		info := bench.RunInfo{Environment: bench.Environment{Version: "v1.2.3"}}
		for rank := range want.Ranks {
			info.Ranks = append(info.Ranks, bench.RankInfo{Rank: rank, Host: fmt.Sprint("vm", rank%want.Hosts)})
		}
		var text bytes.Buffer
		if err := reports.NCCLTests(&text, info, []summary.Row{want}); err != nil {
			t.Fatal(err)
		}
		log, err := formats.Read("export", strings.NewReader(text.String()), "")
		if err != nil || len(log.Measurements) != 1 || len(log.Warnings) > 0 {
			t.Fatalf("seed %d: %d measurements, %v, %v\n%s", seed, len(log.Measurements), log.Warnings, err, text.String())
		}
		if problem := differs(log.Measurements[0], want); problem != "" {
			t.Errorf("seed %d: %s\n%s", seed, problem, text.String())
		}
	}
}

// differs says what of a row came back otherwise, or "".
func differs(m formats.Measurement, want summary.Row) string {
	if m.Collective != want.Collective || m.Algorithm != want.Algorithm || m.Variant != want.Variant || m.Ranks != want.Ranks || m.Hosts != want.Hosts ||
		m.Status != want.Status || *m.Bytes != want.Bytes {
		return fmt.Sprintf("another case: %+v", m)
	}
	if want.Seconds == nil {
		return ""
	}
	op := m.Reduction
	if op == "" {
		op = "none"
	}
	c, _ := collectives.ParseCollective(want.Collective)
	if m.DataType != want.DataType || op != want.Reduction || *m.Count != int64(want.Count) || *m.InPlace != want.InPlace || c.Rooted() && *m.Root != want.Root {
		return fmt.Sprintf("another case: %+v", m)
	}
	if (m.Wrong == nil) != (want.Wrong == nil) || m.Wrong != nil && *m.Wrong != *want.Wrong {
		return fmt.Sprintf("wrong elements: %+v", m)
	}
	for _, v := range []struct {
		name      string
		got, want float64
		printed   []float64 // half a unit of the last digit, by how large the value is
	}{
		{"seconds", *m.Seconds, want.Seconds.Median, []float64{1e-6, 0.5e-10, 100e-6, 0.5e-8, 10000e-6, 0.5e-7, math.Inf(1), 0.5e-6}},
		{"algbw", *m.AlgBW, *want.AlgBW, []float64{1e9, 0.5e5, math.Inf(1), 0.5e7}},
		{"busbw", *m.BusBW, *want.BusBW, []float64{1e9, 0.5e5, math.Inf(1), 0.5e7}},
	} {
		for i := 0; i < len(v.printed); i += 2 {
			if v.want < v.printed[i] {
				if math.Abs(v.got-v.want) > v.printed[i+1]*1.000001 {
					return fmt.Sprintf("%s %g, want %g", v.name, v.got, v.want)
				}
				break
			}
		}
	}
	return ""
}

// TestOperatorsScripts runs lines of awk as people have them in their scripts over our export.
func TestOperatorsScripts(t *testing.T) {
	awk, err := exec.LookPath("awk")
	if err != nil {
		t.Skip("awk is not installed")
	}
	none := int64(0)
	rows := []summary.Row{
		exported("all_reduce", "ring", 1<<20, 1<<18, false, 123.4e-6, 8.5e9, 12.75e9, &none),
		exported("all_reduce", "ring", 1<<20, 1<<18, true, 120.0e-6, 8.7e9, 13.05e9, &none),
		exported("all_reduce", "ring", 1<<30, 1<<28, false, 63000e-6, 17e9, 25.5e9, &none),
		exported("all_reduce", "ring", 1<<30, 1<<28, true, 63100e-6, 16.9e9, 25.35e9, &none),
	}
	var text bytes.Buffer
	if err := reports.NCCLTests(&text, bench.RunInfo{Ranks: []bench.RankInfo{{Rank: 0, Host: "vm0"}}}, rows); err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]string{
		`/Avg bus bandwidth/ {print $6}`:                                     "19.1625",
		`/# Avg bus bandwidth/ {print $NF}`:                                  "19.1625",
		`/Out of bounds values/ {print $7, $8}`:                              "0 OK",
		`!/^#/ && NF == 13 {print $1, $6, $7, $8, $9, $10, $11, $12, $13}`:   "1048576 123.4 8.50 12.75 0 120.0 8.70 13.05 0\n1073741824 63000 17.00 25.50 0 63100 16.90 25.35 0",
		`$1 == 1073741824 {print $8}`:                                        "25.50",
		`/^ +[0-9]/ {if ($12 > max) max = $12} END {print max}`:              "25.35",
		`/^ *[0-9]+ +[0-9]+ +float/ {n++; s += $8} END {printf "%.3f", s/n}`: "19.125",
		`/out-of-place/ {print $2, $3}`:                                      "out-of-place in-place",
	} {
		cmd := exec.Command(awk, script)
		cmd.Stdin = bytes.NewReader(text.Bytes())
		out, err := cmd.Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("awk '%s' gives %q, want %q, %v", script, got, want, err)
		}
	}
}
