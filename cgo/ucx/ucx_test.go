package ucx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// pair is both ends of a pair, in this one process, with the ends over which they meet.
type pair struct{ own, control [2]*End }

func newPair(t *testing.T, features Feature, size int, peerErrors bool) pair {
	t.Helper()
	if err := Open(); err != nil {
		t.Skipf("no libucp here (scripts/setup installs it): %v", err)
	}
	var p pair
	for _, set := range []struct {
		ends     *[2]*End
		features Feature
		size     int
	}{{&p.own, features, size}, {&p.control, TagMatching, 8}} {
		for i := range set.ends {
			e, err := NewEnd(set.features, set.size)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			set.ends[i] = e
		}
		for i := range set.ends {
			if err := set.ends[i].Connect(set.ends[1-i].Card(), peerErrors); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p
}

// run has both ranks carry out a job, each on a thread of its own, and returns their loops.
func (p pair) run(t *testing.T, j Job, messages int) (loops [2]*Loop, errs [2]error) {
	t.Helper()
	var both sync.WaitGroup
	for i := range loops {
		j.First = i == 0
		l, err := NewLoop(p.own[i], p.control[i], j)
		if err != nil {
			t.Fatal(err)
		}
		loops[i] = l
		both.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var progress atomic.Int64
			var seconds float64
			seconds, errs[i] = l.Run(messages, &progress)
			if errs[i] == nil && seconds <= 0 {
				errs[i] = fmt.Errorf("%d messages in %g s", messages, seconds)
			}
			if done := progress.Load(); errs[i] == nil && done != int64(messages) && (j.Pattern != Alone || i == 0) {
				errs[i] = fmt.Errorf("%d of %d messages", done, messages)
			}
		})
	}
	both.Wait()
	return loops, errs
}

func features(c Call, size int) Feature {
	switch {
	case c == Tag:
		return TagMatching
	case c == ActiveMessage:
		return ActiveMessages
	case c == Stream:
		return Streams
	case c < Add:
		return RemoteMemory
	case size == 4:
		return Atomic32
	}
	return Atomic64
}

func fill(b []byte, seed byte) {
	for i := range b {
		b[i] = byte(i*7+i>>8) ^ seed
	}
}

// TestEveryCall has every call in every pattern bring its data where it belongs.
func TestEveryCall(t *testing.T) {
	for _, c := range []struct {
		call     Call
		patterns []Pattern
	}{
		{Tag, []Pattern{PingPong, Window, BothWays}},
		{ActiveMessage, []Pattern{PingPong, Window, BothWays}},
		{Stream, []Pattern{PingPong, Window, BothWays}},
		{Put, []Pattern{PingPong, Window, BothWays}},
		{PutFlush, []Pattern{Alone}},
		{Get, []Pattern{Alone, Window}},
	} {
		for _, size := range []int{1, 8, 5000, 300_000} {
			for _, pattern := range c.patterns {
				t.Run(fmt.Sprintf("call %d, pattern %d, %d bytes", c.call, pattern, size), func(t *testing.T) {
					p := newPair(t, features(c.call, size), size, false)
					j := Job{Call: c.call, Pattern: pattern, Bytes: size, Window: 4}
					if pattern == PingPong || pattern == Alone {
						j.Window = 1
					}
					fill(p.own[0].Sent(), 1)
					fill(p.own[1].Sent(), 2)
					fill(p.own[1].Received(), 3)
					const messages = 11
					loops, errs := p.run(t, j, messages)
					if err := errors.Join(errs[:]...); err != nil {
						t.Fatal(err)
					}
					checkData(t, p, j, size, messages)
					if times := loops[0].Times(messages); len(times) != messages || times[messages-1] <= 0 {
						t.Errorf("times %v", times)
					}
					if lanes := p.own[0].Lanes(); len(lanes) == 0 {
						t.Error("no lanes")
					}
				})
			}
		}
	}
}

func checkData(t *testing.T, p pair, j Job, size, messages int) {
	t.Helper()
	want := func(seed byte, last byte) []byte {
		b := make([]byte, size)
		fill(b, seed)
		if j.Call == Put || j.Call == PutFlush {
			b[size-1] = last
		}
		return b
	}
	last := byte(1)
	if j.Pattern == PingPong {
		last = byte(messages - 1)
	}
	switch {
	case j.Call == Get:
		if !bytes.Equal(p.own[0].Sent(), want(3, 0)) {
			t.Error("what was got is wrong")
		}
	default:
		if !bytes.Equal(p.own[1].Received(), want(1, last)) {
			t.Error("what the second has received is wrong")
		}
		if j.Pattern != Alone && j.Pattern != Window && !bytes.Equal(p.own[0].Received(), want(2, last)) {
			t.Error("what the first has received is wrong")
		}
	}
}

func TestAtomics(t *testing.T) {
	for _, size := range []int{4, 8} {
		for call, pattern := range map[Call]Pattern{Add: Window, FetchAdd: Alone, Swap: Alone, CompareSwap: Alone} {
			p := newPair(t, features(call, size), 8, false)
			const messages = 300
			_, errs := p.run(t, Job{Call: call, Pattern: pattern, Bytes: size, Window: map[Pattern]int{Window: 16, Alone: 1}[pattern]}, messages)
			if err := errors.Join(errs[:]...); err != nil {
				t.Fatalf("call %d of %d bytes: %v", call, size, err)
			}
			if got := binary.LittleEndian.Uint32(p.own[1].Received()); got != messages {
				t.Errorf("call %d of %d bytes: %d, want %d", call, size, got, messages)
			}
		}
	}
}

func TestLanes(t *testing.T) {
	text := `#
# UCP endpoint 0x7f
#
#               peer: <no debug data>
#                 lane[0]:  2:posix/memory.0 md[1]   -> md[1]/posix/sysdev[255] rma_bw#0 am am_bw#0
#                 lane[1]:  5:cma/memory.0 md[3]     -> md[3]/cma/sysdev[255] rma_bw#1
#
`
	if got := strings.Join(lanes(text), "|"); got != "posix/memory.0 rma_bw#0 am am_bw#0|cma/memory.0 rma_bw#1" {
		t.Error(got)
	}
}

func TestLog(t *testing.T) {
	text := "[1700000000.123456] [host:12   :0]     ucp_context.c:1071 UCX  WARN  transport 'x' is not available\n" +
		"[1700000000.123457] [host:12   :0]     ucp_context.c:1472 UCX  ERROR no usable transports/devices (asked x on network:all)\n"
	if got := lastTrouble(text); got != "no usable transports/devices (asked x on network:all)" {
		t.Error(got)
	}
}
