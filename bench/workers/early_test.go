package workers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/launch"
)

// meeting place of sleeper as a bench.Meeter: a folder, in which rank 0 leaves its card.
const meetingPlace, meetingRank = "WORKERS_TEST_MEET", "WORKERS_TEST_RANK"

func (sleeper) Environment(bench.Case) ([]string, error) { return nil, nil }

func (sleeper) Exit(code int) { os.Exit(code) }

func (sleeper) Meet(_ context.Context, card []byte) (rank, ranks int, first []byte, err error) {
	fmt.Sscan(os.Getenv(meetingRank), &rank)
	path := filepath.Join(os.Getenv(meetingPlace), "card")
	if rank == 3 {
		return 0, 0, nil, errors.New("sleeper: no such network")
	}
	if rank == 0 {
		err = os.WriteFile(path+".new", card, 0o600)
		return 0, 3, card, errors.Join(err, os.Rename(path+".new", path))
	}
	for range 1000 {
		if first, err = os.ReadFile(path); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return rank, 3, first, err
}

// meetEarly brings three ranks together through workers that are started before. The size is known only from them.
func meetEarly(t *testing.T, believed func(rank int) *launch.World) (*Fleet, []error) {
	t.Helper()
	p, dir := pool(t), t.TempDir()
	errs := make([]error, 3)
	var fleet *Fleet
	var work sync.WaitGroup
	options := Options{Command: p.Command, Join: 20 * time.Second, Log: t.Logf}
	for rank := range 3 {
		work.Go(func() {
			w := believed(rank)
			x, err := Encounter(w, sleeper{}, p.Command, []string{"WORKERS_TEST=worker", meetingPlace + "=" + dir, fmt.Sprintf("%s=%d", meetingRank, rank)})
			if err != nil {
				errs[rank] = err
				return
			}
			if rank > 0 {
				a, above, err := joinAs(context.Background(), w, x, options)
				if errs[rank] = err; err == nil {
					go a.serve(context.Background(), above)
				}
				return
			}
			fleet, _, errs[rank] = Gather(t.Context(), w, x, options)
		})
	}
	work.Wait()
	return fleet, errs
}

// TestAWorkerThatBringsTheRanksTogether: its team is the only one, and it is told so.
func TestAWorkerThatBringsTheRanksTogether(t *testing.T) {
	fleet, errs := meetEarly(t, func(rank int) *launch.World { return &launch.World{Rank: rank, LocalRank: -1} })
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	defer fleet.Close()
	p := &Pool{Ranks: 3, Fleet: fleet, Timeout: 10 * time.Second}
	for _, place := range fleet.Places() {
		p.Nodes = append(p.Nodes, Node{Host: place.Host, Address: place.Address})
	}
	launched, err := p.Launch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := launched.Prepare(t.Context(), theCase("")); err != nil {
		t.Fatal(err)
	}
	b, err := launched.Run(t.Context(), 3, bench.StageIterate)
	if err != nil || len(b.Seconds) != 3 || len(b.Seconds[2]) != 3 {
		t.Errorf("%+v %v", b, err)
	}
	launched.Close()
	if _, err = p.Launch(t.Context(), nil); !errors.Is(err, bench.ErrJobLost) || !strings.Contains(err.Error(), "only once under a launcher") {
		t.Error(err)
	}
}

// TestAWorldThatTheWorkersContradict: a library that the launcher does not know makes every rank a world of its own.
func TestAWorldThatTheWorkersContradict(t *testing.T) {
	_, errs := meetEarly(t, func(rank int) *launch.World {
		return &launch.World{Rank: rank, Size: 7, LocalRank: -1, By: "a launcher"}
	})
	for rank, err := range errs {
		want := fmt.Sprintf("this process is rank %d of 3 to sleeper, but rank %d of 7, by a launcher", rank, rank)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("rank %d: %v, want %s", rank, err, want)
		}
	}
}
