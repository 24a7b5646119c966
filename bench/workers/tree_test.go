package workers

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"
)

// TestTree: every rank but 0 hangs below exactly one, no rank has more children than it may, and towards finds the way
// down to every rank below and to no other.
func TestTree(t *testing.T) {
	for _, size := range []int{1, 2, 16, 17, 18, 273, 274, 500} {
		children := 0
		for r := range size {
			n := childrenOf(r, size)
			if n > fanout() {
				t.Errorf("%d ranks: rank %d has %d children", size, r, n)
			}
			children += n
			for at, steps := 0, 0; at != r; steps++ {
				if at = towards(at, r); at < 0 || steps > 10 {
					t.Fatalf("%d ranks: no way down to rank %d", size, r)
				}
			}
		}
		if children != size-1 {
			t.Errorf("%d ranks: %d hang below another", size, children)
		}
	}
	for _, c := range []struct{ from, to, want int }{{0, 0, -1}, {1, 2, -1}, {1, 17, 17}, {1, 16, -1}, {0, 300, 1}, {1, 300, 18}, {2, 300, -1}} {
		if got := towards(c.from, c.to); got != c.want {
			t.Errorf("from %d towards %d: %d, want %d", c.from, c.to, got, c.want)
		}
	}
}

// TestDownKeepsNobodyWaiting: a child that takes nothing costs the others no time.
func TestDownKeepsNobodyWaiting(t *testing.T) {
	b := newBranch(0, 10, func(packet) {})
	got := make(chan struct{}, 9)
	for child := 1; child < 10; child++ {
		mine, theirs := net.Pipe()
		defer theirs.Close()
		b.below[child] = &edge{conn: mine}
		if child == 5 {
			continue // it does not read
		}
		go func() {
			if _, err := readPacket(theirs); err == nil {
				got <- struct{}{}
			}
		}()
	}
	start := time.Now()
	go b.down(orderPacket(everybody, order{Kind: askState}))
	for range 8 {
		<-got
	}
	if took := time.Since(start); took > edgeTime/2 {
		t.Errorf("the others waited for %s", took)
	}
	b.cut()
}

func TestADeepTree(t *testing.T) {
	f, others, err := gather(t, 300, 20*time.Second) // three edges deep
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	f.ask()
	for len(f.silent(start)) > 0 {
		if time.Since(start) > 5*time.Second {
			t.Fatalf("rank %d does not answer", f.silent(start)[0].rank)
		}
		time.Sleep(time.Millisecond)
	}
	// Whoever hangs below a silent one is not to blame.
	f.mutex.Lock()
	for _, rank := range []int{1, 17, 18, 273, 40} {
		f.members[rank].heard = time.Time{}
	}
	f.mutex.Unlock()
	if list := f.silent(start); len(list) != 2 || list[0].rank != 1 || list[1].rank != 40 {
		t.Errorf("silent: %d of them", len(list))
	}
	f.Close()
	others.Wait()
}

func FuzzReadPacket(f *testing.F) {
	var b bytes.Buffer
	orderPacket(3, order{Kind: startNodes, Launch: 2, Nodes: []int{3}}).write(&b)
	f.Add(b.Bytes())
	f.Add([]byte("m\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := readPacket(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := p.write(&again); err != nil || !bytes.HasPrefix(data, again.Bytes()) {
			t.Errorf("%v: %q became %q", err, data, again.Bytes())
		}
		p.order()
	})
}

func TestReadPacketRefuses(t *testing.T) {
	length := func(n uint32) string {
		return "o" + strings.Repeat("\x00", 12) + string(binary.BigEndian.AppendUint32(nil, n))
	}
	for data, want := range map[string]string{
		"x" + strings.Repeat("\x00", 16): "unknown kind",
		length(0xffffffff):               "at most",
		length(9) + "{":                  "unexpected EOF",
		"o\x00":                          "unexpected EOF",
	} {
		if _, err := readPacket(strings.NewReader(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", data, err, want)
		}
	}
}
