package lab

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
)

// transfer sends so many bytes from one VM to another over a connection of its own and returns the seconds.
func transfer(n *Network, from, to int, bytes int64) (float64, error) {
	out, in, err := connect(n, from, to)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	defer in.Close()
	begin := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := io.CopyN(out, zeros{}, bytes)
		sent <- err
	}()
	if _, err := io.CopyN(io.Discard, in, bytes); err != nil {
		return 0, err
	}
	return time.Since(begin).Seconds(), <-sent
}

func connect(n *Network, from, to int) (out, in net.Conn, err error) {
	var l net.Listener
	if err = n.Inside(to, func() (err error) {
		l, err = net.Listen("tcp4", Address(to)+":0")
		return err
	}); err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if err = n.Inside(from, func() (err error) {
		out, err = net.Dial("tcp4", l.Addr().String())
		return err
	}); err != nil {
		return nil, nil, err
	}
	in, err = l.Accept()
	return out, in, err
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// measureRate has two VMs send to each other at once and prints a line a VM and transfer: payload in units of the
// rate, counted bytes in units of the payload.
func measureRate() error {
	const rate, bytes = 100e6 / 8, 2 << 20
	links, err := ParseLinks("100Mbit", 2)
	if err != nil {
		return err
	}
	n, err := Build(links)
	if err != nil {
		return err
	}
	defer n.Close()
	for range 3 {
		before, err := n.Counters()
		if err != nil {
			return err
		}
		type end struct {
			seconds float64
			err     error
		}
		ends := [2]chan end{make(chan end, 1), make(chan end, 1)}
		for i := range ends {
			go func() {
				s, err := transfer(n, i, 1-i, bytes)
				ends[i] <- end{s, err}
			}()
		}
		seconds := [2]float64{}
		for i := range ends {
			e := <-ends[i]
			if e.err != nil {
				return e.err
			}
			seconds[i] = e.seconds
		}
		after, err := n.Counters()
		if err != nil {
			return err
		}
		for i := range ends {
			fmt.Println(bytes/seconds[i]/rate, (after[i].Sent-before[i].Sent)/bytes, (after[i].Received-before[i].Received)/bytes)
		}
	}
	return nil
}

func TestLinksCarryTheirRateAndCountIt(t *testing.T) {
	users(t, func(t *testing.T, as *syscall.Credential) {
		sometime(t, func() string { return carried(t, play(t, "rate", as)) })
	})
}

// sometime fails if the judge has something to say three times running: a machine that is busy with other things is slow, and not
// for ever.
func sometime(t *testing.T, judge func() string) {
	t.Helper()
	var said string
	for range 3 {
		if said = judge(); said == "" {
			return
		}
	}
	t.Error(said)
}

// carried judges what measureRate has printed: what must never be fails the test, what the machine's other work may do is said.
func carried(t *testing.T, out string) string {
	t.Helper()
	best := 0.0
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var payload, sent, received float64
		if _, err := fmt.Sscan(line, &payload, &sent, &received); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if payload > 1.01 { // the bucket is 1 % of the transfer
			t.Errorf("payload is %.3f of the link's rate: the link is not limited", payload)
		}
		if sent < 1 || sent > 1.08 || received < 1 || received > 1.08 {
			t.Errorf("counted %.3f sent and %.3f received in units of the payload, want 1 … 1.08", sent, received)
		}
		best = max(best, payload)
	}
	t.Log("payload ÷ rate, sent ÷ payload, received ÷ payload:\n" + out)
	if best < 0.94 {
		return fmt.Sprintf("payload reached %.3f of the link's rate, want 0.94", best)
	}
	return ""
}

// measureMixed prints the payload's rate over links of different rates, in Mbit/s.
func measureMixed() error {
	links, err := ParseLinks("80Mbit,vm1:tx=20Mbit,vm2:rx=10Mbit", 3)
	if err != nil {
		return err
	}
	n, err := Build(links)
	if err != nil {
		return err
	}
	defer n.Close()
	for _, pair := range [][2]int{{0, 1}, {1, 0}, {0, 2}} {
		const bytes = 512 << 10
		seconds, err := transfer(n, pair[0], pair[1], bytes)
		if err != nil {
			return err
		}
		fmt.Println(bytes / seconds * 8 / 1e6)
	}
	return nil
}

func TestLinksDifferByVMAndDirection(t *testing.T) {
	sometime(t, func() string { return asFastAs(t, play(t, "mixed", nil), 80, 20, 10) })
}

// asFastAs says which of the transfers was not as fast as its way allows, in Mbit/s.
func asFastAs(t *testing.T, out string, rates ...float64) string {
	t.Helper()
	t.Log(out)
	fields := strings.Fields(out)
	if len(fields) != len(rates) {
		t.Fatalf("want %d rates: %s", len(rates), out)
	}
	for i, want := range rates {
		got, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || got > want*1.05 {
			t.Fatalf("transfer %d: %s Mbit/s of payload where there are %.0f", i, fields[i], want)
		}
		if got < want*0.7 {
			return fmt.Sprintf("transfer %d: %.1f Mbit/s of payload where there are %.0f", i, got, want)
		}
	}
	return ""
}

func TestBuildRefusesTooManyVMs(t *testing.T) {
	for _, vms := range []int{0, MaxVMs + 1} {
		if _, err := Build(make([]bench.LinkInfo, vms)); err == nil {
			t.Errorf("%d VMs were built", vms)
		}
	}
}

func TestAddressesDiffer(t *testing.T) {
	seen := map[string]int{SwitchAddress: -1}
	for i := range MaxVMs {
		a := Address(i)
		if other, taken := seen[a]; taken {
			t.Fatalf("VMs %d and %d share the address %s", i, other, a)
		}
		if net.ParseIP(a) == nil {
			t.Fatalf("VM %d: %q is no address", i, a)
		}
		seen[a] = i
	}
}
