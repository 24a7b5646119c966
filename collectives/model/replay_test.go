package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"collbench/collectives"
	"collbench/collectives/algorithms"
)

const mbit = 1e6 / 8

func equalLinks(n int, rate float64) (links []Rates) {
	for range n {
		links = append(links, Rates{rate, rate})
	}
	return links
}

func mustLab(t testing.TB, links []Rates, perVM int) Machine {
	t.Helper()
	m, err := Lab(links, perVM)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustShape(t testing.TB, c collectives.Collective, n int, bytes int64) collectives.Shape {
	t.Helper()
	s, err := collectives.NewShape(c, n, 0, bytes, collectives.Float32)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustFind(t testing.TB, name string) collectives.Algorithm {
	t.Helper()
	a, err := algorithms.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mustPrice(t testing.TB, a collectives.Algorithm, s collectives.Shape, m Machine) Prediction {
	t.Helper()
	p, err := Price(a, s, 4, m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustFabric(t testing.TB, s collectives.Shape, m Machine) *fabric {
	t.Helper()
	f, err := newFabric(mustFind(t, "binomial"), s, m)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// outOfStep are the programs in which nodes have messages to several peers, or rests, in rounds that do not wait
// for each other: those that nobody holds to the rounds run otherwise than in step.
var outOfStep = map[string]bool{
	"alltoall pairwise": true, "broadcast binomial": true, "broadcast scatter-allgather": true, "all_reduce tree": true,
}

// Two ways that share nothing but the links' rates: whole rounds against single messages.
func TestRoundsAgreeWithMessages(t *testing.T) {
	for _, c := range []struct{ vms, perVM int }{{1, 1}, {2, 1}, {4, 1}, {8, 1}, {16, 1}, {1, 4}, {4, 2}} {
		free := mustLab(t, equalLinks(c.vms, 100*mbit), c.perVM)
		inStep := free
		inStep.FreeRunning = false
		for _, a := range algorithms.All {
			for _, what := range a.Collectives {
				s := mustShape(t, what, c.vms*c.perVM, 1<<20)
				s.Local, s.Chunks = c.perVM, min(32, a.DefaultChunks(what, 1<<20))
				if a.Supports(s) != nil || outOfStep[fmt.Sprint(what, " ", a.Name)] {
					continue
				}
				rounds, messages := mustPrice(t, a, s, inStep), mustPrice(t, a, s, free)
				if rounds.Replayed {
					t.Fatalf("%v %s: replayed in step", what, a.Name)
				}
				if d := math.Abs(rounds.Seconds/messages.Seconds - 1); messages.Seconds > 0 && d > 0.055 {
					t.Errorf("%d VMs of %d: %v %s: %.3f ms by rounds, %.3f ms by messages", c.vms, c.perVM, what, a.Name, rounds.Seconds*1e3, messages.Seconds*1e3)
				}
			}
		}
	}
}

// A root with messages for three peers serves the one with the largest subtree first, so that free-running nodes are
// done as early as nodes in step: after three messages one after the other, and not after the root's three at once.
func TestRootServesTheEarliestRoundFirst(t *testing.T) {
	m := mustLab(t, equalLinks(8, 100*mbit), 1)
	s := mustShape(t, collectives.Broadcast, 8, 1<<20)
	one := float64(1<<20) / (100 * mbit) * (1 + m.NIC.Headers.Value + m.NIC.Acks.Value)
	want := 3*one + 3*m.NIC.Latency.Value
	if got := mustPrice(t, mustFind(t, "binomial"), s, m); math.Abs(got.Seconds/want-1) > 0.005 {
		t.Errorf("binomial: %g s, want %g", got.Seconds, want)
	}
	// What the kernel has taken over before it is sent competes all the same: by the messages alone, a quarter of
	// each of these.
	p, ok := newPlayer(mustFind(t, "binomial"), s, 4, mustFabric(t, s, m))
	if !ok {
		t.Fatal("too many messages")
	}
	if total, err := p.play(); err != nil || total/picos < want || total/picos > 1.25*want {
		t.Errorf("by messages: %g s, %v; want %g and up to a quarter more", total/picos, err, want)
	}
}

// Max–min fairness by its definition: no link carries more than its rate, and every message is held back by a full
// link on which nobody has more.
func TestSharesAreMaxMinFair(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		links := 2 + random.IntN(6)
		p := &player{fabric: &fabric{}, room: make([]float64, links), users: make([]float64, links)}
		for range links {
			p.fabric.cost = append(p.fabric.cost, 0.1+random.Float64())
		}
		var active []int32
		for i := range 1 + random.IntN(12) {
			var hops []hop
			for l := range links {
				if random.IntN(2) == 0 || len(hops) == 0 && l == links-1 {
					hops = append(hops, hop{int32(l), 1})
				}
			}
			p.all = append(p.all, message{bytes: 1, hops: hops})
			active = append(active, int32(i))
		}
		p.share(active)
		load, most := make([]float64, links), make([]float64, links)
		for _, m := range p.all {
			for _, h := range m.hops {
				load[h.link] += m.rate * p.fabric.cost[h.link]
				most[h.link] = max(most[h.link], m.rate)
			}
		}
		for l, x := range load {
			if x > 1+1e-6 {
				t.Fatalf("link %d carries %g of its rate", l, x)
			}
		}
		for i, m := range p.all {
			held := false
			for _, h := range m.hops {
				held = held || load[h.link] > 1-1e-6 && m.rate > most[h.link]-1e-6
			}
			if !held {
				t.Fatalf("message %d could have more than %g: loads %v", i, m.rate, load)
			}
		}
	}
}

// A round lasts as long as its most loaded link: no schedule is shorter, and where all that load a link are alike, max–min
// fair sharing is as short.
func TestRoundTimeIsThatOfFairSharing(t *testing.T) {
	m := mustLab(t, []Rates{{50 * mbit, 100 * mbit}, {100 * mbit, 100 * mbit}, {100 * mbit, 70 * mbit}, {100 * mbit, 100 * mbit}}, 1)
	m.NIC.Acks = Constant{} // the two ways charge them differently
	for _, name := range []string{"direct", "oneshot"} {
		s := mustShape(t, collectives.AllReduce, 4, 1<<20)
		fair := mustPrice(t, mustFind(t, name), s, m)
		still := m
		still.FreeRunning = false
		if p := mustPrice(t, mustFind(t, name), s, still); math.Abs(p.Seconds/fair.Seconds-1) > 0.01 {
			t.Errorf("%s: %g s by the loads, %g s by fair shares", name, p.Seconds, fair.Seconds)
		}
	}
}
