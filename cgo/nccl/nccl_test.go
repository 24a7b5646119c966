package nccl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collbench/cgo/cuda"
	"collbench/cgo/dl"
	"collbench/cgo/softgpu/softgputest"
)

// scenarios are what processes of the tests do; what they say begins with "> ".
var scenarios = map[string]func(t *testing.T){
	"open": func(*testing.T) {
		err := Open()
		fmt.Println(">", errors.Is(err, ErrUnavailable), err, StandIn())
		_, err = NewUniqueID()
		fmt.Println(">", err)
	},
	"join": func(*testing.T) {
		_ = Open()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := Join(ctx, UniqueID{}, 2, 1, Config{MaxCTAs: 8, Blocking: true})
		fmt.Println(">", errors.Is(err, context.DeadlineExceeded), err)
	},
	"calls":    calls,
	"more":     more,
	"times":    times,
	"order":    order,
	"stop":     stop,
	"profiler": profiled,
	"real":     tryReal,
}

// TestScenario is a process of another test.
func TestScenario(t *testing.T) {
	name := os.Getenv(scenarioVariable)
	if name == "" {
		t.Skip("carried out by the other tests")
	}
	scenarios[name](t)
}

// begin opens both libraries and joins a communicator of two ranks, of which this is rank 1.
func begin(t *testing.T) (*Comm, cuda.Stream) {
	if err := errors.Join(cuda.Init(), Open()); err != nil {
		t.Fatal(err)
	}
	c, err := Join(context.Background(), UniqueID{}, 2, 1, Config{MaxCTAs: 8})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cuda.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func calls(t *testing.T) {
	c, s := begin(t)
	for k := AllReduce; k <= SendRecv; k++ {
		o := c.Prepare(s, Call{Collective: k, Send: 100, Recv: 200, Count: 3, Type: Float16, Op: Max, Root: 1, To: 0, From: -1})
		fmt.Println("> native", o.Native())
		if err := o.Issue(context.Background()); err != nil {
			t.Error(err)
		}
		o.Close()
	}
	if _, err := c.Window(context.Background(), 100, 4096); !errors.Is(err, ErrNotSupported) {
		t.Errorf("a window that is NULL: %v", err)
	}
	if _, err := Alloc(1); err != nil {
		fmt.Println(">", errors.Is(err, ErrNotSupported), err)
	}
	if err := c.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestCalls sees what reaches the library for each collective, with calls of its own for all and without.
func TestCalls(t *testing.T) {
	needCgo(t)
	said, log := carryOut(t, "calls", fake(t))
	head := "init of 1/2, size 96, version 23007, blocking 0, maxCTAs 8, minCTAs undefined\nall_reduce 100 200 3 6 2\nbroadcast 3 root 1\n" +
		"reduce 3 op 2 root 1\nall_gather 3\nreduce_scatter 3 op 2\n"
	tail := "(\nsend 100 3 to 0\n)\nfinalize\ndestroy\n"
	same(t, log, head+"all_to_all 3\ngather 3 root 1\nscatter 3 root 1\n"+tail)
	same(t, said, strings.Repeat("native true\n", 9))

	said, log = carryOut(t, "calls", fake(t, "ncclAlltoAll", "ncclGather", "ncclScatter", "ncclMemAlloc"))
	same(t, log, head+"(\nsend 100 3 to 0\nrecv 200 3 from 0\nsend 106 3 to 1\nrecv 206 3 from 1\n)\n"+
		"(\nrecv 200 3 from 0\nrecv 206 3 from 1\nsend 100 3 to 1\n)\n(\nsend 100 3 to 0\nsend 106 3 to 1\nrecv 200 3 from 1\n)\n"+tail)
	same(t, said, strings.Repeat("native true\n", 5)+strings.Repeat("native false\n", 3)+"native true\ntrue not supported: NCCL 2.27.3 has no ncclMemAlloc\n")
}

func more(t *testing.T) {
	c, _ := begin(t)
	part, err := c.Split(context.Background(), 1, 2, Config{})
	if err != nil {
		t.Fatal(err)
	}
	none, err := c.Split(context.Background(), -7, 0, Config{})
	fmt.Println(">", part.Rank(), part.Ranks(), none == nil, err)
	half := make([]byte, 4)
	binary.NativeEndian.PutUint32(half, math.Float32bits(0.5))
	op, err := c.PreMulSum(half, Float32)
	fmt.Println(">", op, err, c.DestroyOp(op))
	r, err := c.Register(4096, 512)
	if err == nil {
		err = r.Close()
	}
	fmt.Println(">", err)
}

// TestMore sees what reaches the library of all that is no collective.
func TestMore(t *testing.T) {
	needCgo(t)
	said, log := carryOut(t, "more", fake(t))
	same(t, said, "3 5 true <nil>\n77 <nil> <nil>\n<nil>\n")
	if want := "split color 1 key 2\nsplit color -1 key 0\npremulsum of 0.5, type 7, place 1\nregister 4096, 512 bytes\nderegister 4096\n"; !strings.HasSuffix(log, want) {
		t.Errorf("got %q, want it to end with %q", log, want)
	}
	said, _ = carryOut(t, "more", fake(t, "ncclCommRegister"))
	if !strings.Contains(said, "not supported: NCCL 2.27.3 has no ncclCommRegister") {
		t.Error(said)
	}
}

func times(t *testing.T) {
	c, s := begin(t)
	work := c.Prepare(s, Call{Collective: AllReduce, Count: 1, Type: Float32})
	barrier := c.Prepare(s, Call{Collective: AllReduce, Count: 1, Type: Int8})
	graph := c.Replay(s, cuda.Graph{})
	launch := cuda.Function{}.Prepare(s, 7, 32, 16)
	hook := []Hook{{launch, 4}}
	var progress atomic.Int64
	var stop atomic.Int32
	for _, l := range []Loop{
		{Work: work}, {Work: work, Barrier: barrier, Before: hook, After: hook}, {Work: work, Batch: true}, {Work: work, Batch: true, Aggregate: 4},
		{Work: graph, Batch: true}, {Work: work, HostClock: true}, {Work: work, HostClock: true, Batch: true},
	} {
		timer, err := l.Prepare()
		if err != nil {
			t.Fatal(err)
		}
		iterations := 70 // more than are under way at a time
		if l.Batch {
			iterations = 10
		}
		seconds, err := timer.Run(5, iterations, &progress, &stop)
		if err != nil {
			t.Fatal(err)
		}
		least, most := seconds[0], seconds[0]
		for _, s := range seconds {
			least, most = min(least, s), max(most, s)
		}
		if l.HostClock { // which is real
			fmt.Println(">", len(seconds), least > 0 && most < 1, progress.Load())
		} else {
			fmt.Printf("> %d %.6g %.6g %d\n", len(seconds), least, most, progress.Load())
		}
		if err := timer.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTimes holds the loop's times against a clock that counts operations, a millisecond each.
func TestTimes(t *testing.T) {
	needCgo(t)
	said, log := carryOut(t, "times", fake(t))
	// The mean of groups of 4, 4 and 2 is that of 10 operations.
	same(t, said, "70 0.001 0.001 74\n70 0.001 0.001 74\n1 0.001 0.001 9\n1 0.001 0.001 8\n1 0.001 0.001 9\n70 true 74\n1 true 9\n")
	if !strings.Contains(log, "kernel of 7x32, iteration 74\nall_reduce 0 0 1 0 0\nall_reduce 0 0 1 7 0\nkernel of 7x32, iteration 74\n") {
		t.Errorf("no hook, barrier, operation, hook in this order:\n%s", log)
	}
	group := strings.Repeat("all_reduce 0 0 1 7 0\n", 4)
	if !strings.Contains(log, "(\n"+group+")\n(\n"+group+")\n(\n"+group[:len(group)/2]+")\n") {
		t.Errorf("no groups of 4, 4 and 2:\n%s", log)
	}
	if strings.Count(log, "graph") != 10 {
		t.Errorf("%d launches of the graph, want 10", strings.Count(log, "graph"))
	}
}

func order(t *testing.T) {
	c, s := begin(t)
	timer, err := Loop{Work: c.Prepare(s, Call{Collective: AllReduce, Count: 1, Type: Float32})}.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	var progress atomic.Int64
	var stop atomic.Int32
	seconds, err := timer.Run(0, 100, &progress, &stop)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range seconds {
		if want := float64(i+1) * 1e-3; s < 0.999*want || s > 1.001*want {
			t.Errorf("iteration %d took %g s, want %g", i, s, want)
		}
	}
}

// TestOrder: each iteration gets its own time, though the events are used again and again.
func TestOrder(t *testing.T) {
	needCgo(t)
	carryOut(t, "order", fake(t), "FAKE_GROWS=1")
}

func stop(t *testing.T) {
	c, s := begin(t)
	timer, err := Loop{Work: c.Prepare(s, Call{Collective: AllReduce, Count: 1, Type: Float32})}.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	var progress atomic.Int64
	var stop atomic.Int32
	time.AfterFunc(100*time.Millisecond, func() { stop.Store(1) })
	_, err = timer.Run(0, 5, &progress, &stop)
	fmt.Println(">", errors.Is(err, ErrStopped), err)
	_ = c.Abort()
}

// TestNothingHangs: a device that never gets done, a communicator that fails meanwhile, and one that never comes up.
func TestNothingHangs(t *testing.T) {
	needCgo(t)
	library := fake(t)
	said, log := carryOut(t, "stop", library, "FAKE_HANG=1")
	same(t, said, "true stopped\n")
	if !strings.HasSuffix(log, "abort\n") {
		t.Error(log)
	}
	said, _ = carryOut(t, "stop", library, "FAKE_HANG=1", "FAKE_BACKGROUND=6")
	same(t, said, "false the operation: remote process exited or there was a network error (6): said the fake\n")
	said, log = carryOut(t, "join", library, "FAKE_INIT_HANG=1")
	same(t, said, "true ncclCommInitRankConfig: context deadline exceeded\n")
	if !strings.HasSuffix(log, "abort\n") || !strings.Contains(log, ", blocking 1,") {
		t.Errorf("what has begun was not aborted: %s", log)
	}
}

func TestOpen(t *testing.T) {
	needCgo(t)
	empty := "ncclGetUniqueId: NCCL has no words for it (5)\n"
	said, _ := carryOut(t, "open", "/nowhere/libnccl.so.2")
	same(t, said, "true NCCL is not available: /nowhere/libnccl.so.2: cannot open shared object file: No such file or directory false\n"+empty)
	library := fake(t, "ncclCommSplit", "ncclGetLastError")
	said, _ = carryOut(t, "open", library)
	same(t, said, "true NCCL is not available: "+library+" has no ncclCommSplit, ncclGetLastError false\n"+empty)
	library = fake(t)
	said, _ = carryOut(t, "open", library, "FAKE_NCCL=21701")
	if want := "true NCCL is not available: " + library + " is NCCL 2.17.1 and needs to be 2.18.0 or later true\n"; !strings.HasPrefix(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
	said, _ = carryOut(t, "open", library)
	same(t, said, "false <nil> true\n<nil>\n")
	said, _ = carryOut(t, "open", fake(t, "softgpu_stand_in"))
	same(t, said, "false <nil> false\n<nil>\n")
}

func profiled(t *testing.T) {
	c, s := begin(t)
	o := c.Prepare(s, Call{Collective: AllReduce, Count: 1024, Type: Float32})
	for range 3 {
		if err := o.Issue(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	records, lost := Profiled()
	fmt.Println("> version", ProfilerVersion(), "lost", lost)
	for _, r := range records {
		fmt.Printf("> %+v\n", r)
	}
	ClearProfile()
	if records, _ := Profiled(); len(records) != 0 {
		t.Error(records)
	}
}

// TestProfiler: a library of any version finds its plugin in this program, and what it says is read as it was meant.
func TestProfiler(t *testing.T) {
	needCgo(t)
	library := fake(t)
	const run = "{Event:0 Times:3 Function:AllReduce DataType:ncclFloat32 Count:1024 Algorithm:NVLS Protocol:SIMPLE Channels:16}\n"
	const call = "{Event:2 Times:3 Function:AllReduce DataType:ncclFloat32 Count:1024 Algorithm: Protocol: Channels:0}\n"
	for v := 1; v <= 6; v++ {
		said, log := carryOut(t, "profiler", library, fmt.Sprintf("FAKE_PROFILER=%d", v))
		mask, want := 6, run
		if v >= 5 {
			mask, want = 6+512+1024, run+call
		}
		if v == 6 {
			mask += 4096
		}
		same(t, said, fmt.Sprintf("version %d lost 0\n%s", v, want))
		if begun := fmt.Sprintf("profiler %d, mask %d, context yes\n", v, mask); !strings.HasPrefix(log, begun) {
			t.Errorf("got %q, want %q", log, begun)
		}
	}
	said, _ := carryOut(t, "profiler", library, "FAKE_PROFILER=6", "FAKE_SYMMETRIC=1")
	same(t, said, "version 6 lost 0\n"+call)
	said, _ = carryOut(t, "profiler", library)
	same(t, said, "version 0 lost 0\n")
}

// BenchmarkLoop times the loop around an operation that does nothing, of the stand-in for NCCL, beside the plain loop in C:
// what an iteration of the harness takes on top may not be more than mostOnTop.
func BenchmarkLoop(b *testing.B) {
	const mostOnTop = 50 // nanoseconds
	libraries := softgputest.Libraries(b)
	library := filepath.Join(libraries, "libnccl.so.2")
	b.Setenv("COLLBENCH_LIBCUDA", filepath.Join(libraries, "libcuda.so.1"))
	b.Setenv(pathVariable, library)
	b.Setenv("SOFTGPU_EMPTY", "1")
	runtime.LockOSThread() // the context is current for this thread
	defer runtime.UnlockOSThread()
	timer, err := empty()
	if err != nil {
		b.Fatal(err)
	}
	plain := filepath.Join(b.TempDir(), "plain")
	if said, err := exec.Command("cc", "-O2", "-o", plain, "testdata/fake/plain.c", "-ldl").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, said)
	}
	var progress atomic.Int64
	var stop atomic.Int32
	b.ResetTimer()
	if _, err := timer.Run(0, b.N, &progress, &stop); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	output, err := exec.Command(plain, library, strconv.Itoa(b.N)).Output()
	if err != nil {
		b.Fatal(err)
	}
	each, _ := strconv.ParseFloat(strings.TrimSpace(string(output)), 64)
	onTop := float64(b.Elapsed().Nanoseconds())/float64(b.N) - each
	b.ReportMetric(each, "plain-ns/op")
	if b.N > 1e6 && onTop > mostOnTop {
		b.Errorf("%.1f ns an operation on top of the plain loop, at most %d", onTop, mostOnTop)
	}
}

// empty is a loop over an all-reduce of one rank.
func empty() (*Timer, error) {
	if err := errors.Join(cuda.Init(), Open()); err != nil {
		return nil, err
	}
	if _, err := cuda.Device(0).Retain(); err != nil {
		return nil, err
	}
	s, err := cuda.NewStream()
	if err != nil {
		return nil, err
	}
	id, err := NewUniqueID()
	if err != nil {
		return nil, err
	}
	c, err := Join(context.Background(), id, 1, 0, Config{})
	if err != nil {
		return nil, err
	}
	return Loop{Work: c.Prepare(s, Call{Collective: AllReduce, Count: 1, Type: Float32}), Batch: true}.Prepare()
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func needCgo(t *testing.T) {
	t.Helper()
	if errors.Is(Open(), dl.ErrNoCgo) {
		t.Skip(dl.ErrNoCgo)
	}
}
