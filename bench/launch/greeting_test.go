package launch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// house is a door and who came in.
type house struct {
	*Door
	card    Card
	mutex   sync.Mutex
	entered map[int]net.Conn
	refused []string
}

func openHouse(t testing.TB, secret string) *house {
	t.Helper()
	h := &house{entered: map[int]net.Conn{}}
	var err error
	h.Door, err = OpenDoor(nil, []byte(secret), func(m Header) error {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		if h.entered[m.Rank] != nil {
			return errors.New("is here already")
		}
		return nil
	}, func(m Header, conn net.Conn) {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.entered[m.Rank] = conn
	}, func(_ string, why error) {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.refused = append(h.refused, why.Error())
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	h.card = Card{Secret: []byte(secret), Addresses: []string{"127.0.0.1:" + strconv.Itoa(h.Port()), "[::1]:" + strconv.Itoa(h.Port())}}
	return h
}

func (h *house) count() (in, out int) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return len(h.entered), len(h.refused)
}

// settle is count, when so many connections have been decided on: a member knows its lot before the house has noted
// it. After 5 s it is count as it is.
func (h *house) settle(decided int) (in, out int) {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if in, out = h.count(); in+out >= decided || time.Now().After(deadline) {
			return in, out
		}
	}
}

const secret = "0123456789abcdef"

func TestMembersComeIn(t *testing.T) {
	h := openHouse(t, secret)
	for rank := range 3 {
		if _, err := Knock(t.Context(), h.card, Header{Rank: rank}); err != nil {
			t.Fatal(err)
		}
	}
	if in, _ := h.settle(3); in != 3 {
		t.Fatalf("%d of 3 are in", in)
	}
	if _, err := Knock(t.Context(), h.card, Header{Rank: 1}); err == nil || err.Error() != "rank 0 refuses: is here already" {
		t.Error(err)
	}
}

// TestStrangers: nobody without the secret gets in, or harms those who know it.
func TestStrangers(t *testing.T) {
	h := openHouse(t, secret)
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	other := Card{Secret: []byte("another job's secret"), Addresses: h.card.Addresses}
	if _, err := Knock(short, other, Header{Rank: 1}); err == nil {
		t.Error("a member of another job got in")
	}
	for _, said := range []string{"", "x", "GET / HTTP/1.1\r\n\r\n" + strings.Repeat("a", 100), magic, magic + strings.Repeat("n", nonceBytes),
		magic + strings.Repeat("n", nonceBytes) + "\xff\xff\xff\xff", magic + strings.Repeat("n", nonceBytes) + "\x00\x00\x00\x02{}" + strings.Repeat("m", 32)} {
		conn, err := net.Dial("tcp", h.card.Addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(said))
		conn.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(conn)
		conn.Close()
		if len(got) > len(magic)+nonceBytes {
			t.Errorf("%q is answered with %d bytes", said, len(got))
		}
	}
	// Those who say nothing hold up nobody.
	for range 20 {
		idle, err := net.Dial("tcp", h.card.Addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
	}
	if _, err := Knock(t.Context(), h.card, Header{Rank: 0}); err != nil {
		t.Error(err)
	}
	if in, out := h.settle(8); in > 1 || out < 7 {
		t.Errorf("%d in, %d refused", in, out)
	}
}

// recorder keeps what is written.
type recorder struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.sent.Write(p)
	return r.Conn.Write(p)
}

// deaf is a listener that cannot accept, as a process with too many open files cannot, until it is closed.
type deaf struct {
	net.Listener
	tries atomic.Int64
	shut  atomic.Bool
}

func (d *deaf) Accept() (net.Conn, error) {
	d.tries.Add(1)
	if d.shut.Load() {
		return nil, net.ErrClosed
	}
	return nil, syscall.EMFILE
}

func (d *deaf) Close() error { d.shut.Store(true); return nil }

// TestADoorThatCannotAccept tries again now and then, and not all the time.
func TestADoorThatCannotAccept(t *testing.T) {
	l := &deaf{}
	d := &Door{listener: l, at: make(chan struct{}, atOnce)}
	d.open, d.shut = context.WithCancel(context.Background())
	d.work.Go(d.accept)
	time.Sleep(3 * patience)
	d.Close()
	if n := l.tries.Load(); n < 2 || n > 5 {
		t.Errorf("%d tries in %s", n, 3*patience)
	}
}

// TestAnotherSecret: who is turned away is told why that may be.
func TestAnotherSecret(t *testing.T) {
	h := openHouse(t, "a secret of the job")
	_, err := knockOnce(t.Context(), Card{Secret: []byte("a secret of another"), Addresses: h.card.Addresses}, Header{Rank: 1})
	if !errors.Is(err, errHungUp) {
		t.Error(err)
	}
}

func TestReplayIsRefused(t *testing.T) {
	h := openHouse(t, secret)
	conn, err := net.Dial("tcp", h.card.Addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	overheard := &recorder{Conn: conn}
	if err := introduce(overheard, []byte(secret), Header{Rank: 1}); err != nil {
		t.Fatal(err)
	}
	again, err := net.Dial("tcp", h.card.Addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	again.Write(overheard.sent.Bytes())
	if got, _ := io.ReadAll(again); len(got) != len(magic)+nonceBytes {
		t.Errorf("a replay is answered with %d bytes", len(got))
	}
	if in, out := h.settle(2); in != 1 || out != 1 {
		t.Errorf("%d in, %d refused", in, out)
	}
}

func TestWrongVersionIsTold(t *testing.T) {
	mine, theirs := net.Pipe()
	go func() {
		header := []byte(`{"protocol":99,"rank":3}`)
		server, _ := readOpening(theirs)
		client := make([]byte, nonceBytes)
		out := append([]byte(magic), client...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(header)))
		out = append(append(out, header...), sign([]byte(secret), "client", server, client, header, nil)...)
		theirs.Write(out)
		io.Copy(io.Discard, theirs)
	}()
	if _, err := welcome(mine, []byte(secret), func(Header) error { return nil }); err == nil || !strings.Contains(err.Error(), "rank 3 speaks version 99") {
		t.Error(err)
	}
	mine.Close()
}

// TestAFalseRankZero: a member does not fall for a server that does not know the secret.
func TestAFalseRankZero(t *testing.T) {
	h := openHouse(t, "a secret of somebody else")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := Knock(ctx, Card{Secret: []byte(secret), Addresses: h.card.Addresses}, Header{}); err == nil {
		t.Error("fell for it")
	}
}

func FuzzWelcome(f *testing.F) {
	f.Add([]byte(magic))
	f.Add([]byte(magic + strings.Repeat("n", nonceBytes) + "\xff\xff\xff\xff"))
	f.Add([]byte(magic + strings.Repeat("n", nonceBytes) + "\x00\x00\x00\x02{}" + strings.Repeat("m", 32)))
	f.Fuzz(func(t *testing.T, said []byte) {
		mine, theirs := net.Pipe()
		go func() {
			go io.Copy(io.Discard, theirs)
			theirs.Write(said)
			theirs.Close()
		}()
		if h, err := welcome(mine, []byte(secret), func(Header) error { return nil }); err == nil {
			t.Errorf("let in: %+v", h)
		}
		mine.Close()
	})
}

func TestCard(t *testing.T) {
	c := Card{Secret: bytes.Repeat([]byte{7}, secretBytes)}
	for i := range 100 {
		c.Addresses = append(c.Addresses, net.JoinHostPort("2001:db8::"+strconv.Itoa(i), "4000"))
	}
	text, err := c.Text()
	if err != nil || len(text) > maxCard {
		t.Fatal(len(text), err)
	}
	back, err := ParseCard(text)
	if err != nil || !bytes.Equal(back.Secret, c.Secret) || len(back.Addresses) < 10 || back.Addresses[9] != c.Addresses[9] {
		t.Errorf("%+v %v", back, err)
	}
	for _, bad := range []string{"", "collbench1;00;1.2.3.4:5", "collbench1;" + strings.Repeat("00", 16) + ";nowhere", "collbench2;" + strings.Repeat("00", 16) + ";h:1"} {
		if _, err := ParseCard(bad); err == nil {
			t.Errorf("%q is a card", bad)
		}
	}
}

func TestAddresses(t *testing.T) {
	all, err := Addresses("")
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	if only, err := Addresses("127.0.0.0/8"); err != nil || len(only) != 1 || only[0] != "127.0.0.1" {
		t.Error(only, err)
	}
	if _, err := Addresses("no-such0"); err == nil || !strings.Contains(err.Error(), "lo") {
		t.Error(err)
	}
}
