package workers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/collectives"

	"golang.org/x/sys/unix"
)

// The test binary is its own worker, and a parent that the tests can kill.
func TestMain(m *testing.M) {
	switch os.Getenv("WORKERS_TEST") {
	case "worker":
		if err := Serve(context.Background(), []bench.Backend{sleeper{}}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	case "parent":
		parent()
		return
	}
	os.Exit(m.Run())
}

// sleeper is a backend whose iterations sleep. The case's variant says what goes wrong, and on rank 1.
type sleeper struct{}

func (sleeper) Name() string                               { return "sleeper" }
func (sleeper) Supports(bench.Case) error                  { return nil }
func (sleeper) Algorithms(collectives.Collective) []string { return nil }
func (sleeper) Open(ctx context.Context, g bench.Group) (bench.Communicator, error) {
	all, err := g.Exchange(ctx, fmt.Appendf(nil, "%d/%d on %s", g.Node(), g.Nodes(), g.Host(g.Node())))
	if err != nil {
		return nil, err
	}
	for i, part := range all {
		if want := fmt.Sprintf("%d/%d on %s", i, g.Nodes(), g.Host(collectives.Node(i))); string(part) != want {
			return nil, fmt.Errorf("exchange: part %d is %q, want %q", i, part, want)
		}
	}
	return &sleeping{g: g}, nil
}

type sleeping struct {
	g   bench.Group
	c   bench.Case
	ran int
}

func (s *sleeping) Close() error { return nil }
func (s *sleeping) Chunks() int  { return 1 }
func (s *sleeping) Evidence() bench.Evidence {
	return bench.Evidence{Observed: "ring", Source: "program"}
}
func (s *sleeping) Verify() (bench.Verdict, error) {
	v := bench.Verdict{Checked: int64(s.ran)}
	if s.c.How.Variant == "wrong" && s.g.Node() == 1 {
		v.Wrong, v.First = 1, "iteration 0, element 5: 7, want 6"
	}
	return v, nil
}

func (s *sleeping) Prepare(ctx context.Context, c bench.Case) (bench.Operation, error) {
	s.c = c
	if c.How.Variant == "refuse" && s.g.Node() == 1 {
		return nil, errors.New("will not")
	}
	if shared := s.g.Shared(); shared != nil && c.How.Variant == "memory" {
		return s, s.memory(ctx, shared)
	}
	_, err := s.g.Exchange(ctx, nil)
	return s, err
}

// memory shows that the memory is shared and the bells ring.
func (s *sleeping) memory(ctx context.Context, shared *bench.Segment) error {
	m, err := unix.Mmap(int(shared.File.Fd()), 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	m[4096*int(s.g.Node())] = byte(s.g.Node()) + 1
	one := binary.NativeEndian.AppendUint64(nil, 1)
	for _, b := range shared.Bells {
		if _, err := b.Write(one); err != nil {
			return err
		}
	}
	if _, err := s.g.Exchange(ctx, nil); err != nil {
		return err
	}
	count := make([]byte, 8)
	for place, member := range shared.Members {
		if m[4096*int(member)] != byte(member)+1 {
			return fmt.Errorf("memory of member %d holds %d", member, m[4096*int(member)])
		}
		if member == s.g.Node() {
			if _, err := shared.Bells[place].Read(count); err != nil || binary.NativeEndian.Uint64(count) != uint64(len(shared.Members)) {
				return fmt.Errorf("bell: %v %v", count, err)
			}
		}
	}
	return nil
}

func (s *sleeping) Run(_ context.Context, n int) ([]float64, error) {
	s.ran = n
	var seconds []float64
	for i := range n {
		s.g.Progress().Iteration.Store(int64(i))
		if s.g.Node() == 1 && i == 2 {
			switch s.c.How.Variant {
			case "panic":
				panic("no more")
			case "hang":
				select {}
			}
		}
		if s.c.How.Variant == "hang" && s.g.Node() != 1 && i == 2 {
			s.g.Progress().Waiting.Store(1 + 1)
			select {}
		}
		time.Sleep(time.Millisecond)
		seconds = append(seconds, 0.001)
	}
	if int(s.g.Node()) >= s.g.Ranks() {
		return nil, nil
	}
	return seconds, nil
}

func pool(t testing.TB) *Pool {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &Pool{Command: []string{self}, Env: append(os.Environ(), "WORKERS_TEST=worker"), Ranks: 3}
	for i := range 3 {
		p.Nodes = append(p.Nodes, Node{Host: fmt.Sprintf("vm%d", i/2), Address: "127.0.0.1"})
	}
	p.Nodes = append(p.Nodes, Node{Host: "switch", Address: "127.0.0.1"})
	return p
}

func theCase(variant string) bench.Case {
	return bench.Case{What: bench.What{Collective: collectives.AllReduce, Algorithm: "ring", Bytes: 4 << 20},
		How: bench.How{Backend: "sleeper", Variant: variant}, Where: bench.Where{Ranks: 3}}
}

func launchTeam(t *testing.T, p *Pool) *team {
	t.Helper()
	launched, err := p.Launch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tm := launched.(*team)
	t.Cleanup(func() {
		start := time.Now()
		tm.Close()
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("closing took %s", d)
		}
		for i, w := range tm.processes {
			if err := syscall.Kill(w.pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("node %d is left: %v", i, err)
			}
		}
	})
	return tm
}

func TestATeamAtWork(t *testing.T) {
	p := pool(t)
	calls := 0.0
	p.Links = func() ([]bench.LinkBytes, error) {
		calls++
		return []bench.LinkBytes{{Sent: 100 * calls}, {Sent: 10 * calls}, {Received: calls}}, nil
	}
	tm := launchTeam(t, p)
	for range 2 { // a second case on the same processes
		if err := tm.Prepare(t.Context(), theCase("memory")); err != nil {
			t.Fatal(err)
		}
		b, err := tm.Run(t.Context(), 30, bench.StageIterate)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Seconds) != 3 || len(b.Seconds[2]) != 30 || b.Verdict.Checked != 90 || b.Evidence.Observed != "ring" || b.Chunks != 1 {
			t.Errorf("%+v", b)
		}
		if fmt.Sprint(b.Counted) != "[{100 0} {10 0} {0 1}]" {
			t.Errorf("counted %v", b.Counted)
		}
	}
	if err := tm.Prepare(t.Context(), theCase("wrong")); err != nil {
		t.Fatal(err)
	}
	b, err := tm.Run(t.Context(), 3, bench.StageIterate)
	if err != nil || b.Verdict.Wrong != 1 || b.Verdict.First != "rank 1 on vm0: iteration 0, element 5: 7, want 6" {
		t.Errorf("%+v %v", b.Verdict, err)
	}
}

func TestFailuresNameTheNode(t *testing.T) {
	for _, c := range []struct {
		variant string
		hurt    func(pid int) // what happens to rank 1 soon after the iterations began
		want    string
	}{
		{"kill", func(pid int) { syscall.Kill(pid, syscall.SIGKILL) }, "rank 1 on vm0 (pid %d) was killed by signal 9 (SIGKILL) in all_reduce 4 MiB ring, iterate, iteration "},
		{"stop", func(pid int) { syscall.Kill(pid, syscall.SIGSTOP) }, "rank 1 on vm0 (pid %d) is stopped (SIGSTOP or a debugger) in all_reduce 4 MiB ring, iterate, iteration "},
		{"hang", nil, "rank 1 on vm0 (pid %d) did not go on in all_reduce 4 MiB ring, iterate, iteration 2; given up after 2s; rank 0 on vm0: iterate, iteration 2, round 0 for "},
		{"panic", nil, "all_reduce 4 MiB ring: rank 1 on vm0: panic: no more"},
		{"refuse", nil, "all_reduce 4 MiB ring: rank 1 on vm0: will not"},
	} {
		t.Run(c.variant, func(t *testing.T) {
			t.Parallel()
			p := pool(t)
			p.Timeout = 2 * time.Second
			tm := launchTeam(t, p)
			pid := tm.processes[1].pid
			err := tm.Prepare(t.Context(), theCase(c.variant))
			if err == nil {
				if c.hurt != nil {
					time.AfterFunc(100*time.Millisecond, func() { c.hurt(pid) })
				}
				_, err = tm.Run(t.Context(), 1000, bench.StageIterate)
			}
			want := c.want
			if strings.Contains(want, "%d") {
				want = fmt.Sprintf(want, pid)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nwant %s", err, want)
			}
		})
	}
}

func TestCancelEndsAtOnce(t *testing.T) {
	tm := launchTeam(t, pool(t))
	if err := tm.Prepare(t.Context(), theCase("")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := tm.Run(ctx, 100000, bench.StageIterate); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	tm.Close()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
}

func TestAWorkerThatCannotStart(t *testing.T) {
	p := pool(t)
	p.Nodes[2].Start = func(*exec.Cmd) error { return errors.New("no such place") }
	if _, err := p.Launch(t.Context(), nil); err == nil || err.Error() != "starting rank 2 on vm1: no such place" {
		t.Error(err)
	}
	p = pool(t)
	p.Command = []string{"/bin/false"}
	if _, err := p.Launch(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "ended with exit code 1") {
		t.Error(err)
	}
}

// parent starts a team, prints its processes, and works on for ever.
func parent() {
	t := &testing.T{}
	p := pool(t)
	launched, err := p.Launch(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	tm := launched.(*team)
	tm.Prepare(context.Background(), theCase(""))
	for _, w := range tm.processes {
		fmt.Print(w.pid, " ")
	}
	fmt.Println()
	tm.Run(context.Background(), 1_000_000, bench.StageIterate)
}

func TestNobodyOutlivesAKilledParent(t *testing.T) {
	self, _ := os.Executable()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "WORKERS_TEST=parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids [4]int
	if _, err := fmt.Fscan(out, &pids[0], &pids[1], &pids[2], &pids[3]); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(pids[2], syscall.SIGSTOP) // a stopped one too
	cmd.Process.Kill()
	cmd.Wait()
	deadline := time.Now().Add(5 * time.Second)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("worker %d outlives its parent", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// alive says whether there is such a process that is not a zombie waiting for its new parent.
func alive(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(state, "Z")
}

func FuzzReceive(f *testing.F) {
	var b bytes.Buffer
	c := theCase("x")
	send(&b, message{Kind: prepare, Case: &c})
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 9, '{'})
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := receive(bytes.NewReader(frame))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := send(&again, m); err != nil {
			t.Fatal(err)
		}
		if _, err := receive(&again); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReceiveRefuses(t *testing.T) {
	for frame, want := range map[string]string{
		"\xff\xff\xff\xff":  "at most",
		"\x00\x00\x00\x09{": "unexpected EOF",
		"\x00\x00\x00\x01x": "invalid character",
	} {
		if _, err := receive(strings.NewReader(frame)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", frame, err, want)
		}
	}
	if _, err := receive(strings.NewReader("")); err != io.EOF {
		t.Error(err)
	}
}

func TestBusyProcessors(t *testing.T) {
	p := readProcessors()
	if !p.ok {
		t.Skip("/proc/stat cannot be read here")
	}
	for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
	}
	if cpu := p.since(); cpu == nil || cpu.Busy <= 0 || cpu.Busy > 1 {
		t.Errorf("%+v", cpu)
	}
}
