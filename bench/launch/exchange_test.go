package launch

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// pmiServer is a PMI-1 server for so many ranks behind a port, which answers as hydra does.
type pmiServer struct {
	size   int
	mutex  sync.Mutex
	values map[string]string
	in     int
	out    chan struct{}
	most   int // length of a value
}

func startPMI(t *testing.T, size, most int) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &pmiServer{size: size, values: map[string]string{}, out: make(chan struct{}), most: most}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return listener.Addr().String()
}

func (s *pmiServer) serve(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		words := parsePMI(lines.Text())
		switch words["cmd"] {
		case "initack":
			fmt.Fprintf(conn, "cmd=initack rc=0\ncmd=set size=%d\ncmd=set rank=%s\ncmd=set debug=0\n", s.size, words["pmiid"])
		case "init":
			fmt.Fprintln(conn, "cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=1")
		case "get_maxes":
			fmt.Fprintf(conn, "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=%d\n", s.most)
		case "get_my_kvsname":
			fmt.Fprintln(conn, "cmd=my_kvsname kvsname=kvs_1")
		case "put":
			s.mutex.Lock()
			s.values[words["key"]] = words["value"]
			s.mutex.Unlock()
			fmt.Fprintln(conn, "cmd=put_result rc=0 msg=success")
		case "barrier_in":
			s.mutex.Lock()
			if s.in++; s.in == s.size {
				close(s.out)
			}
			s.mutex.Unlock()
			<-s.out
			fmt.Fprintln(conn, "cmd=barrier_out")
		case "get":
			s.mutex.Lock()
			value, ok := s.values[words["key"]]
			s.mutex.Unlock()
			if !ok {
				fmt.Fprintln(conn, "cmd=get_result rc=-1 msg=key_not_found")
				continue
			}
			fmt.Fprintf(conn, "value=%s rc=0 cmd=get_result\n", value) // the order differs from server to server
		case "finalize":
			fmt.Fprintln(conn, "cmd=finalize_ack")
			return
		}
	}
}

var testCard = Card{Secret: []byte("0123456789abcdef0123456789abcdef"), Addresses: []string{"10.1.2.3:4711", "[fd00::2]:4711"}}

func TestShareThroughPMI(t *testing.T) {
	address := startPMI(t, 3, 1024)
	var ranks sync.WaitGroup
	for rank := range 3 {
		ranks.Go(func() {
			v := Variables{"PMI_PORT": address, "PMI_ID": fmt.Sprint(rank)}
			w, err := Find(v, "")
			if err != nil {
				t.Error(err)
				return
			}
			x, err := Open(t.Context(), w, v)
			if err != nil || w.Size != 3 {
				t.Errorf("size %d: %v", w.Size, err)
				return
			}
			card := Card{}
			if rank == 0 {
				card = testCard
			}
			got, err := x.Share(t.Context(), card)
			if err != nil || string(got.Secret) != string(testCard.Secret) || !slices.Equal(got.Addresses, testCard.Addresses) {
				t.Errorf("rank %d: %+v %v", rank, got, err)
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	ranks.Wait()
}

func TestPMIWithShortValues(t *testing.T) {
	v := Variables{"PMI_PORT": startPMI(t, 1, 64), "PMI_ID": "0"}
	w, _ := Find(v, "")
	if _, err := Open(t.Context(), w, v); err == nil || !strings.Contains(err.Error(), `values are at most "64" bytes`) {
		t.Error(err)
	}
}

// TestPMIWaits: a rank that never comes to the fence does not hold the others for ever.
func TestPMIWaits(t *testing.T) {
	v := Variables{"PMI_PORT": startPMI(t, 2, 1024), "PMI_ID": "0"}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	w, _ := Find(v, "")
	x, err := Open(ctx, w, v)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := x.Share(ctx, testCard); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

// FuzzPMI has a server say anything.
func FuzzPMI(f *testing.F) {
	f.Add([]byte("cmd=initack rc=0\ncmd=set size=4\ncmd=set rank=1\ncmd=set debug=0\ncmd=response_to_init rc=0\ncmd=maxes vallen_max=1024\ncmd=my_kvsname kvsname=k\n"))
	f.Add([]byte("cmd=initack rc=-1 msg=no\n"))
	f.Add([]byte(strings.Repeat("x", 2*maxLine)))
	f.Fuzz(func(t *testing.T, said []byte) {
		mine, theirs := net.Pipe()
		go func() {
			lines := bufio.NewReader(theirs)
			go func() {
				for {
					if _, err := lines.ReadString('\n'); err != nil {
						return
					}
				}
			}()
			theirs.Write(said)
			theirs.Close()
		}()
		b := &pmiBoard{conn: mine, lines: bufio.NewReaderSize(mine, maxLine)}
		w := newWorld("pmi1", "")
		if b.acknowledge(w) == nil && b.hello() == nil {
			b.get(0, cardKey)
		}
		if w.Size < 0 || w.Size > maxRanks {
			t.Error(w.Size)
		}
		mine.Close()
	})
}

// TestShareThroughAFile: also where one lies there that a job left that was killed.
func TestShareThroughAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meet")
	zero, one := &file{path: path}, &file{path: path, rank: 1}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	fresh := Card{Secret: testCard.Secret, Addresses: []string{"127.0.0.1:1", listener.Addr().String()}}
	if _, err := (&file{path: path}).Share(t.Context(), Card{Secret: testCard.Secret, Addresses: []string{gone.Addr().String()}}); err != nil {
		t.Fatal(err)
	}
	got := make(chan Card)
	go func() {
		card, err := one.Share(t.Context(), Card{})
		if err != nil {
			t.Error(err)
		}
		got <- card
	}()
	time.Sleep(50 * time.Millisecond)
	if _, err := zero.Share(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	if card := <-got; !slices.Equal(card.Addresses, fresh.Addresses) {
		t.Errorf("%+v", card)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if zero.Close(); len(glob(t, path)) > 0 {
		t.Error("the file is left")
	}
}

func glob(t *testing.T, path string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestAFileOfOthersIsRefused: where it says would be where this process connects to.
func TestAFileOfOthersIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meet")
	text, _ := testCard.Text()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (&file{path: path, rank: 1}).Share(t.Context(), Card{}); err == nil || !strings.Contains(err.Error(), "not this user's alone") {
		t.Error(err)
	}
}

// TestAddressesAreKnown: where to meet follows from the variables, and nothing goes on without a secret.
func TestAddressesAreKnown(t *testing.T) {
	const secret = " COLLBENCH_SECRET=0123456789abcdef"
	for _, c := range []struct{ variables, first, refused string }{
		{fixtures["torchrun"] + secret, "n0:29501", ""},
		{fixtures["srun"] + secret + " SLURM_STEP_RESV_PORTS=12000-12003", "n01:12000", ""},
		{fixtures["indexed job"] + secret + " COLLBENCH_RENDEZVOUS=job-0.svc:4712", "job-0.svc:4712", ""},
		{fixtures["torchrun"] + secret + " COLLBENCH_RENDEZVOUS=[fd00::1]:99", "[fd00::1]:99", ""},
		{fixtures["torchrun"], "", "COLLBENCH_SECRET"},
		{fixtures["srun"] + " COLLBENCH_SECRET=short", "", "16 characters"},
		{fixtures["indexed job"] + secret, "", "COLLBENCH_RENDEZVOUS"},
		{fixtures["our own"] + secret + " COLLBENCH_RENDEZVOUS=nowhere", "", "HOST:PORT"},
		{"RANK=0 WORLD_SIZE=2 MASTER_ADDR=x MASTER_PORT=65535" + secret, "", "MASTER_PORT"},
	} {
		v := Environ(strings.Fields(c.variables))
		w, err := Find(v, "")
		if err != nil {
			t.Fatal(err)
		}
		x, err := Open(t.Context(), w, v)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v, want %s", c.variables, err, c.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.variables, err)
			continue
		}
		if card, err := x.Share(t.Context(), Card{}); err != nil || card.Addresses[0] != c.first || !slices.Equal(x.Ports(), ports(t, card)) {
			t.Errorf("%s: %+v %v, want %s", c.variables, card, err, c.first)
		}
	}
}

func ports(t *testing.T, c Card) (list []int) {
	for _, a := range c.Addresses {
		_, port, err := splitAddress(a)
		if err != nil {
			t.Error(err)
		}
		list = append(list, port)
	}
	return list
}
