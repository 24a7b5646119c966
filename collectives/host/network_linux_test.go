package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// mesh is the networks of so many nodes in this process.
type mesh struct {
	pollers  []*Poller
	networks []*Network
}

func newMesh(t *testing.T, nodes int) *mesh {
	t.Helper()
	m := &mesh{}
	var peers []Peer
	for v := range nodes {
		p, err := NewPoller()
		if err != nil {
			t.Fatal(err)
		}
		n, err := Listen(t.Context(), collectives.Node(v), "127.0.0.1", p)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close(); p.Close() })
		m.pollers, m.networks = append(m.pollers, p), append(m.networks, n)
		peers = append(peers, Peer{Name: fmt.Sprintf("rank %d on test", v), Address: n.Address()})
	}
	for _, n := range m.networks {
		n.Join(peers, []byte("secret"))
	}
	return m
}

// deafened is a listener that cannot accept at first, as a process with too many open files cannot.
type deafened struct {
	net.Listener
	refusals int
}

func (d *deafened) Accept() (net.Conn, error) {
	if d.refusals--; d.refusals >= 0 {
		return nil, unix.EMFILE
	}
	return d.Listener.Accept()
}

// TestAcceptTriesAgain: a connection that could not be accepted is, as soon as it can be.
func TestAcceptTriesAgain(t *testing.T) {
	m := newMesh(t, 2)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := m.networks[0]
	n.listener.Close() // its accept ends
	n.work.Wait()
	n.listener = &deafened{Listener: listener, refusals: 2}
	n.work.Go(n.accept)
	m.networks[1].nodes[0].Address = listener.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := m.each(func(v collectives.Node) error { return m.networks[v].Connect(ctx, []collectives.Node{1 - v}) }); err != nil {
		t.Error(err)
	}
}

// each runs a function for every node at once and returns the first error.
func (m *mesh) each(do func(v collectives.Node) error) error {
	var work sync.WaitGroup
	errs := make([]error, len(m.networks))
	for v := range m.networks {
		work.Go(func() { errs[v] = do(collectives.Node(v)) })
	}
	work.Wait()
	return errors.Join(errs...)
}

func (m *mesh) engine(a collectives.Algorithm, s collectives.Shape, v collectives.Node) (*Engine, error) {
	p, err := Compile(a.Program(s, v), v, Layout{Element: 4, Data: s.Size(), Scratch: a.ScratchSize(s)})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := m.networks[v].Connect(ctx, p.Peers()); err != nil {
		return nil, err
	}
	return NewEngine(Config{Program: p, Channels: m.networks[v].Channel, Data: make([]byte, 4*s.Size()),
		Scratch: make([]byte, 4*a.ScratchSize(s)), Combine: addUint32, Waiter: m.pollers[v]})
}

func TestAllReduceOverTCP(t *testing.T) {
	for _, name := range []string{"ring", "recursive-doubling", "direct", "nvls", "sharp"} {
		a, err := algorithms.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, count := range []int{1, 100_003} {
			s := collectives.Shape{Collective: collectives.AllReduce, Ranks: 5, Count: count, Chunks: 4, Local: 5, Radix: 2}
			m := newMesh(t, a.Nodes(s))
			err := m.each(func(v collectives.Node) error {
				e, err := m.engine(a, s, v)
				if err != nil {
					return err
				}
				defer e.Close()
				for iteration := range 3 {
					for i := range count {
						binary.LittleEndian.PutUint32(e.Data[4*i:], value(int(v), i, iteration))
					}
					if err := e.Run(); err != nil {
						return err
					}
					for i := 0; i < count && int(v) < s.Ranks; i++ {
						if got, want := binary.LittleEndian.Uint32(e.Data[4*i:]), total(s.Ranks, i, iteration); got != want {
							return fmt.Errorf("node %d, iteration %d, element %d: %#x, want %#x", v, iteration, i, got, want)
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s, %d elements: %v", name, count, err)
			}
		}
	}
}

var ringOfThree = collectives.Shape{Collective: collectives.AllReduce, Ranks: 3, Count: 1000, Chunks: 1, Local: 3, Radix: 2}

func TestBrokenConnectionNamesThePeer(t *testing.T) {
	m := newMesh(t, 3)
	ring, _ := algorithms.Find("ring")
	err := m.each(func(v collectives.Node) error {
		e, err := m.engine(ring, ringOfThree, v)
		if err != nil {
			return err
		}
		defer e.Close()
		if v == 2 {
			time.Sleep(20 * time.Millisecond)
			for _, s := range m.pollers[2].streams {
				_ = unix.Shutdown(s.descriptor, unix.SHUT_RDWR)
			}
			return nil
		}
		return e.Run()
	})
	if err == nil || !strings.Contains(err.Error(), "connection to rank 2 on test broke") {
		t.Errorf("rank 2 closed its connections; the others said: %v", err)
	}
}

func TestStopEndsARun(t *testing.T) {
	m := newMesh(t, 3)
	ring, _ := algorithms.Find("ring")
	stop := errors.New("interrupted")
	start := time.Now()
	err := m.each(func(v collectives.Node) error {
		e, err := m.engine(ring, ringOfThree, v)
		if err != nil || v == 2 {
			return err
		}
		defer e.Close()
		time.AfterFunc(20*time.Millisecond, func() { m.pollers[v].Stop(stop) })
		if err := e.Run(); !errors.Is(err, stop) {
			return fmt.Errorf("node %d: %v", v, err)
		}
		return nil
	})
	if err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func TestStrangerIsRefused(t *testing.T) {
	m := newMesh(t, 2)
	conn, err := net.Dial("tcp", m.networks[0].Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	greeting := append(make([]byte, greetingBytes-8), 0, 0, 0, 1, 0, 0, 0, 0)
	if _, err := conn.Write(greeting); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a caller without the secret was answered with %d bytes, %v", n, err)
	}
	if err := m.each(func(v collectives.Node) error { return m.networks[v].Connect(t.Context(), []collectives.Node{1 - v}) }); err != nil {
		t.Errorf("the node itself was refused after the stranger: %v", err)
	}
}

// What goes into a narrow link takes that link's time, however wide the sender's is.
func TestPacedLinks(t *testing.T) {
	m := newMesh(t, 2)
	file, err := os.CreateTemp(t.TempDir(), "clock")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	limits := []Limits{{Transmit: 8e6, Receive: 8e6}, {Transmit: 8e6, Receive: 4e6}}
	if err := file.Truncate(PacerBytes(len(limits))); err != nil {
		t.Fatal(err)
	}
	send := collectives.Shape{Collective: collectives.SendRecv, Ranks: 2, Count: 200_000, Chunks: 1, Local: 2, Radix: 2}
	direct, _ := algorithms.Find("direct")
	took := make([]time.Duration, 2)
	err = m.each(func(v collectives.Node) error {
		p, err := NewPacer(file, limits)
		if err != nil {
			return err
		}
		defer p.Close()
		m.networks[v].Pace(p, func(v collectives.Node) int { return int(v) })
		e, err := m.engine(direct, send, v)
		if err != nil {
			return err
		}
		defer e.Close()
		start := time.Now()
		err = e.Run()
		took[v] = time.Since(start)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := took[1].Seconds(); s < 0.19 || s > 0.5 { // a busy machine is late
		t.Errorf("800 kB into a link of 4 MB/s took %v s, want 0.2", s)
	}
}
