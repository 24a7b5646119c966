package history

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"collbench/bench"
)

// A million made points: 20 machines, each with 500 sessions of 100 cases.
const (
	manyMachines, manySessions, manyCases = 20, 500, 100
	answerWithin                          = 100 * time.Millisecond
)

// fill puts the sessions of one machine in, by the way of every other run.
func fill(b *testing.B, index Index, machine int) {
	random := rand.New(rand.NewPCG(1, uint64(machine)))
	var runs []Run
	for s := range manySessions {
		info := session{id: fmt.Sprintf("%d-%d", machine, s), day: s, cpu: fmt.Sprint("CPU ", machine), kernel: fmt.Sprint("6.", s/100)}.info()
		m, _ := MachineOf(info)
		r := Run{ID: info.ID, Folder: "/runs/" + info.ID, Started: info.Started, Machine: m, Environment: Facts(info)}
		for c := range manyCases {
			v := 1e-3 * (1 + 0.02*random.NormFloat64())
			r.Points = append(r.Points, Point{Case: madeCase(int64(8 * (c + 1))), Status: bench.OK, Observed: "ring", Launches: []float64{v, v * 1.01, v * 0.99, v, v}, Seconds: &v})
		}
		runs = append(runs, r)
	}
	if err := index.Put(b.Context(), runs); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMillion asks what the command line asks, of a history of a million points.
func BenchmarkMillion(b *testing.B) {
	index, err := Open(b.Context(), filepath.Join(b.TempDir(), "history.db"), true)
	if err != nil {
		b.Fatal(err)
	}
	defer index.Close()
	for m := range manyMachines {
		fill(b, index, m)
	}
	var points int
	if err := index.db.QueryRow("SELECT count(*) FROM points").Scan(&points); err != nil || points != manyMachines*manySessions*manyCases {
		b.Fatalf("%d points, %v", points, err)
	}
	h, ctx := History{index}, b.Context()
	started := session{day: 445}.info().Started
	m, _ := MachineOf(session{cpu: "CPU 7"}.info())
	var cases []bench.Case
	for size := range 24 {
		cases = append(cases, madeCase(int64(8*(size+1))))
	}
	for _, question := range []struct {
		name string
		ask  func() (int, error)
		want int
	}{
		{"runs", func() (int, error) { l, err := index.Runs(ctx, Query{Last: 30}); return len(l), err }, 30},
		{"run", func() (int, error) { l, err := index.Runs(ctx, Query{ID: "7-444"}); return len(l), err }, 1},
		{"runs of a machine", func() (int, error) {
			l, err := index.Runs(ctx, Query{Machine: m.Fingerprint, Last: 30})
			return len(l), err
		}, 30},
		{"points", func() (int, error) { l, err := index.Points(ctx, "7-444"); return len(l), err }, manyCases},
		{"cases", func() (int, error) { l, err := index.Cases(ctx, m.Fingerprint); return len(l), err }, manyCases},
		{"series", func() (int, error) { l, err := index.Series(ctx, m.Fingerprint, cases[5], Span{}); return len(l), err }, manySessions},
		{"trend", func() (int, error) { t, err := h.Trend(ctx, m, cases[5], 100); return len(t.Sessions), err }, 100},
		{"spread", func() (int, error) {
			s, _, err := h.Spread(ctx, m.Fingerprint, cases, Span{Last: 40})
			return len(s.Specific), err
		}, len(cases)},
		{"add", func() (int, error) {
			return 1, index.Put(ctx, []Run{{ID: "7-445", Started: started, Machine: m, Points: []Point{{Case: cases[5]}}}})
		}, 1},
	} {
		b.Run(question.name, func(b *testing.B) {
			for b.Loop() {
				if n, err := question.ask(); err != nil || n != question.want {
					b.Fatalf("%d answers, want %d, %v", n, question.want, err)
				}
			}
			if each := b.Elapsed() / time.Duration(b.N); each > answerWithin {
				b.Errorf("an answer takes %s, more than %s", each, answerWithin)
			}
		})
	}
}
