package workers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collbench/bench/launch"
)

// paper is an Exchange within this process.
type paper struct {
	card  launch.Card
	given chan struct{}
	rank  int
}

func papers(n int) []*paper {
	given := make(chan struct{})
	card := &paper{given: given}
	list := []*paper{card}
	for rank := 1; rank < n; rank++ {
		list = append(list, &paper{given: given, rank: rank})
	}
	return list
}

func (p *paper) Ports() []int   { return nil }
func (p *paper) Secret() []byte { return nil }
func (p *paper) Close() error   { return nil }
func (p *paper) share(ctx context.Context, mine launch.Card, first *paper) (launch.Card, error) {
	if p.rank == 0 {
		p.card = mine
		close(p.given)
		return mine, nil
	}
	select {
	case <-p.given:
		return first.card, nil
	case <-ctx.Done():
		return launch.Card{}, ctx.Err()
	}
}

// sheet is a paper that knows rank 0's.
type sheet struct {
	*paper
	first *paper
}

func (s sheet) Share(ctx context.Context, mine launch.Card) (launch.Card, error) {
	return s.share(ctx, mine, s.first)
}

// gather brings n ranks together within this process. The others serve until the fleet closes.
func gather(t testing.TB, n int, join time.Duration, absent ...int) (*Fleet, *sync.WaitGroup, error) {
	t.Helper()
	options := Options{Interface: "127.0.0.0/8", Join: join, Log: func(format string, args ...any) { t.Errorf(format, args...) }}
	list := papers(n)
	var others sync.WaitGroup
	for rank := 1; rank < n; rank++ {
		if slices.Contains(absent, rank) {
			continue
		}
		others.Go(func() {
			w := &launch.World{Rank: rank, Size: n, LocalRank: -1}
			if err := Join(context.Background(), w, sheet{list[rank], list[0]}, 0, options); err != nil && len(absent) == 0 {
				t.Errorf("rank %d: %v", rank, err)
			}
		})
	}
	f, _, err := Gather(context.Background(), &launch.World{Size: n, LocalRank: -1}, sheet{list[0], list[0]}, options)
	return f, &others, err
}

func TestGatherAndGoodbye(t *testing.T) {
	f, others, err := gather(t, 20, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	places := f.Places()
	for rank, p := range places {
		if p.LocalRank != rank || p.Host != places[0].Host || p.Address != "127.0.0.1" {
			t.Errorf("rank %d: %+v", rank, p)
		}
	}
	if Domain(places) != 20 {
		t.Error(Domain(places))
	}
	f.Close()
	others.Wait()
}

func TestMissingRanksAreNamed(t *testing.T) {
	_, others, err := gather(t, 5, 500*time.Millisecond, 2, 4)
	if err == nil || err.Error() != "2 of 5 ranks have not come within 500ms: 2, 4" {
		t.Error(err)
	}
	others.Wait()
}

// TestAbsentAreCounted: however many are missing, in two ways at once, and named only so far.
func TestAbsentAreCounted(t *testing.T) {
	f := &Fleet{members: make([]*member, 60), missing: 50}
	for rank := range 40 {
		f.members[rank] = &member{rank: rank, about: about{Host: "a"}, joined: rank < 10}
	}
	if err := f.absent(time.Second); !strings.HasPrefix(err.Error(), "20 of 60 ranks have not come within 1s: 40, 41,") || !strings.HasSuffix(err.Error(), " 55, …") {
		t.Error(err)
	}
}

// TestMates: who is asked to end an agent of its host. The others may be lost meanwhile.
func TestMates(t *testing.T) {
	f := pretend(about{Host: "a", Identity: "1"}, about{Host: "b", Identity: "2", PID: 7}, about{Host: "b", Identity: "2", PID: 8})
	f.log = t.Logf
	var work sync.WaitGroup
	work.Go(func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.lose(f.members[2], errors.New("gone"))
	})
	if mate := f.mateOf(f.members[1]); mate != nil && mate.rank != 2 {
		t.Errorf("rank %d", mate.rank)
	}
	work.Wait()
	if mate := f.mateOf(f.members[1]); mate != nil {
		t.Errorf("rank %d, which is gone", mate.rank)
	}
}

// TestRefusalsAreToldOnce: one that knocks again and again does not fill the screen.
func TestRefusalsAreToldOnce(t *testing.T) {
	told := 0
	tell := refusals(func(string, ...any) { told++ })
	for i := range 100 {
		tell(fmt.Sprintf("10.0.0.1:%d", 1000+i), errors.New("a stranger"))
		tell("10.0.0.2:1000", errors.New("a stranger"))
	}
	if told != 2 {
		t.Errorf("%d lines", told)
	}
	for i := range 1000 {
		tell(fmt.Sprintf("10.0.1.%d:1000", i), errors.New("a stranger"))
	}
	if told != mostRefusals {
		t.Errorf("%d lines", told)
	}
}

func TestDomain(t *testing.T) {
	for hosts, want := range map[string]int{"aaaa": 4, "aabb": 2, "abab": 1, "aab": 1, "aaabbb": 3, "aabbaa": 2, "aaaabb": 2, "a": 1, "aaab": 1} {
		var places []Place
		for _, h := range hosts {
			places = append(places, Place{Host: string(h)})
		}
		if got := Domain(places); got != want {
			t.Errorf("%s: %d, want %d", hosts, got, want)
		}
	}
}

// pretend makes a fleet of members as they would say that they are.
func pretend(list ...about) *Fleet {
	f := &Fleet{}
	for rank, a := range list {
		at := ends{net.IPv4(10, 0, 0, byte(rank+1)), net.IPv4(10, 0, 0, 1)}
		if a.Identity == list[0].Identity {
			at = ends{loopback, loopback}
		}
		f.members = append(f.members, &member{about: a, rank: rank, ends: at})
	}
	f.nameHosts()
	return f
}

func TestPlaces(t *testing.T) {
	// Open MPI 5's local ranks on one host; none told on the other, which has the same name; a third says where.
	f := pretend(about{Host: "vm", Identity: "1", LocalRank: 0}, about{Host: "vm", Identity: "1", LocalRank: 2}, about{Host: "vm", Identity: "1", LocalRank: 1},
		about{Host: "vm", Identity: "2", LocalRank: -1}, about{Host: "vm", Identity: "2", LocalRank: -1},
		about{Host: "gpu", Identity: "3", LocalRank: 0, Address: "192.168.0.9"})
	want := "[{vm 0 10.0.0.1 []} {vm 2 10.0.0.1 []} {vm 1 10.0.0.1 []} {vm#2 0 10.0.0.4 []} {vm#2 1 10.0.0.5 []} {gpu 0 192.168.0.9 []}]"
	if got := fmt.Sprint(f.Places()); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if places := pretend(about{Identity: "1"}, about{Identity: "1", LocalRank: 1}).Places(); places[1].Address != "127.0.0.1" {
		t.Errorf("%+v", places)
	}
}

func TestCrowded(t *testing.T) {
	f := pretend(about{Host: "a", Identity: "1", CPUs: []int{0}}, about{Host: "a", Identity: "1", CPUs: []int{0}},
		about{Host: "b", Identity: "2", CPUs: []int{0}}, about{Host: "b", Identity: "2", CPUs: []int{1}}, about{Host: "c", Identity: "3"}, about{Host: "c", Identity: "3"},
		about{Host: "d", Identity: "4", CPUs: []int{5}}, about{Host: "d", Identity: "4", CPUs: []int{5}}, about{Host: "d", Identity: "4", CPUs: []int{6, 7}})
	if got := strings.Join(f.Crowded(), "; "); got != "a: 2 ranks are bound to 1 CPUs; d: ranks 6, 7 are bound to the same CPUs [5]" {
		t.Error(got)
	}
}

func TestPlain(t *testing.T) {
	for name, want := range map[string]string{"vm": "vm", "a\x1b[31m\nb": "a?[31m?b", "": "localhost", strings.Repeat("x", 99): strings.Repeat("x", 64)} {
		if got := plain(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// BenchmarkJoin joins 4,096 ranks of one process with rank 0, over real sockets, and says goodbye.
func BenchmarkJoin(b *testing.B) {
	const ranks = 4096
	for b.Loop() {
		start := time.Now()
		f, others, err := gather(b, ranks, time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/join")
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/ranks, "B/rank")
		b.StopTimer()
		f.Close()
		others.Wait()
		b.StartTimer()
	}
}
