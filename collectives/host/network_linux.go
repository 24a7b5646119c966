package host

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"collbench/collectives"
)

// Network is a node's TCP connections to others. They are made pair by pair, when a program first needs them. Each
// starts with a greeting that carries the run's secret; a stranger is refused.
type Network struct {
	me       collectives.Node
	listener net.Listener
	poller   *Poller
	nodes    []Peer
	secret   [sha256.Size]byte
	joined   chan struct{}   // closed by Join
	open     context.Context // until Close
	shut     context.CancelFunc
	accepted chan arrival
	waiting  map[collectives.Node]net.Conn // accepted before they were asked for
	work     sync.WaitGroup
	hosts    func(from, to collectives.Node) *pace
}

// Peer is what a node has to know of another one.
type Peer struct {
	Name    string // "rank 3 on vm2"
	Address string // host and port, from its Network.Address
}

type arrival struct {
	node collectives.Node
	conn net.Conn
}

// bufferBytes is asked for a connection's buffers at either end: with room for a megabyte or two a sender is done
// with a round long before its link is, and the link does not stand still between rounds.
const bufferBytes = 2 << 20

// acceptPause is how long a node waits that cannot accept a connection.
const acceptPause = 50 * time.Millisecond

// greetingTime bounds how long a stranger can keep a connection waiting.
const greetingTime = 10 * time.Second

// Listen opens the node's end at an IP address, with a port of the system's choice.
func Listen(ctx context.Context, me collectives.Node, address string, poller *Poller) (*Network, error) {
	config := net.ListenConfig{Control: control}
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return nil, fmt.Errorf("listen for data connections: %w", err)
	}
	open, shut := context.WithCancel(context.Background())
	n := &Network{me: me, listener: listener, poller: poller, joined: make(chan struct{}), open: open, shut: shut,
		accepted: make(chan arrival), waiting: map[collectives.Node]net.Conn{}}
	n.work.Go(n.accept)
	return n, nil
}

// Address is where the others reach this node.
func (n *Network) Address() string { return n.listener.Addr().String() }

// Join tells the node of all others, in node order, and the secret that they share. It is called once.
func (n *Network) Join(nodes []Peer, secret []byte) {
	n.nodes, n.secret = nodes, sha256.Sum256(secret)
	close(n.joined)
}

// Pace holds connections back as the links between hosts would; place says where among the pacer's limits a node's
// host is. It is called before Connect.
func (n *Network) Pace(p *Pacer, place func(collectives.Node) int) {
	n.hosts = func(from, to collectives.Node) *pace { return p.between(place(from), place(to)) }
}

// control sizes the buffers before the connection is made, when the window's scale is settled. Without the
// privilege the system's limit holds, and where that is below what it would choose by itself, its own choice.
func control(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		for _, b := range [][2]int{{unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}, {unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}} {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, b[0], bufferBytes) == nil || systemLimit(b[1]) < bufferBytes {
				continue
			}
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, b[1], bufferBytes)
		}
	})
}

// unsentBytes is about how much the kernel takes over before it can send it: enough to keep the link busy until the
// node is scheduled again, little enough that a message counts as sent when it nearly is (see Engine.earliest).
const unsentBytes = 256 << 10

// Connect makes sure that there is a connection to each of the peers. All nodes connect at once; of two the one with
// the higher number dials.
func (n *Network) Connect(ctx context.Context, peers []collectives.Node) error {
	missing := map[collectives.Node]bool{}
	for _, peer := range peers {
		if peer == n.me || n.poller.channel(peer) != nil {
			continue
		}
		if peer > n.me {
			missing[peer] = true
			continue
		}
		conn, err := n.dial(ctx, peer)
		if err != nil {
			return fmt.Errorf("connect to %s at %s: %w", n.nodes[peer].Name, n.nodes[peer].Address, err)
		}
		if err := n.adopt(peer, conn); err != nil {
			return err
		}
	}
	for len(missing) > 0 {
		for peer := range missing {
			if conn := n.waiting[peer]; conn != nil {
				delete(n.waiting, peer)
				delete(missing, peer)
				if err := n.adopt(peer, conn); err != nil {
					return err
				}
			}
		}
		if len(missing) == 0 {
			break
		}
		select {
		case a := <-n.accepted:
			n.waiting[a.node] = a.conn
		case <-ctx.Done():
			for peer := range missing {
				return fmt.Errorf("wait for a connection from %s: %w", n.nodes[peer].Name, context.Cause(ctx))
			}
		}
	}
	return nil
}

// adopt takes a connection's descriptor out of Go's hands.
func (n *Network) adopt(peer collectives.Node, conn net.Conn) error {
	defer conn.Close()
	_ = conn.SetDeadline(time.Time{})
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return fmt.Errorf("connection to %s: %w", n.nodes[peer].Name, err)
	}
	descriptor := -1
	if e := raw.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes); err == nil {
			descriptor, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		}
	}); e != nil || err != nil {
		return fmt.Errorf("connection to %s: %w", n.nodes[peer].Name, errors.Join(e, err))
	}
	var p *pace
	if n.hosts != nil {
		p = n.hosts(n.me, peer)
	}
	return n.poller.add(newStream(descriptor, peer, n.nodes[peer].Name, p))
}

// A greeting is the secret's digest for the two nodes, and their numbers; the answer is the digest the other way.
const greetingBytes = sha256.Size + 8

func (n *Network) digest(from, to collectives.Node) []byte {
	b := append(n.secret[:], "collbench"...)
	b = binary.BigEndian.AppendUint32(b, uint32(from))
	b = binary.BigEndian.AppendUint32(b, uint32(to))
	sum := sha256.Sum256(b)
	return sum[:]
}

func (n *Network) dial(ctx context.Context, peer collectives.Node) (net.Conn, error) {
	dialer := net.Dialer{Control: control}
	conn, err := dialer.DialContext(ctx, "tcp", n.nodes[peer].Address)
	if err != nil {
		return nil, err
	}
	greeting := n.digest(n.me, peer)
	greeting = binary.BigEndian.AppendUint32(greeting, uint32(n.me))
	greeting = binary.BigEndian.AppendUint32(greeting, uint32(peer))
	answer := make([]byte, sha256.Size)
	_ = conn.SetDeadline(time.Now().Add(greetingTime))
	if _, err = conn.Write(greeting); err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err == nil && subtle.ConstantTimeCompare(answer, n.digest(peer, n.me)) != 1 {
		err = errors.New("it does not know the run's secret")
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// accept serves the listener until it is closed.
func (n *Network) accept() {
	for {
		conn, err := n.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files, which others may close
			time.Sleep(acceptPause)
			continue
		}
		n.work.Go(func() {
			stop := context.AfterFunc(n.open, func() { _ = conn.Close() })
			defer stop()
			node, err := n.greet(conn)
			if err == nil {
				select {
				case n.accepted <- arrival{node, conn}:
					return
				case <-n.open.Done():
				}
			}
			_ = conn.Close()
		})
	}
}

// greet checks who has called.
func (n *Network) greet(conn net.Conn) (collectives.Node, error) {
	_ = conn.SetDeadline(time.Now().Add(greetingTime))
	greeting := make([]byte, greetingBytes)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return 0, err
	}
	select {
	case <-n.joined:
	case <-n.open.Done():
		return 0, net.ErrClosed
	}
	from := collectives.Node(binary.BigEndian.Uint32(greeting[sha256.Size:]))
	to := collectives.Node(binary.BigEndian.Uint32(greeting[sha256.Size+4:]))
	if to != n.me || int(from) >= len(n.nodes) || subtle.ConstantTimeCompare(greeting[:sha256.Size], n.digest(from, to)) != 1 {
		return 0, errors.New("a stranger")
	}
	_, err := conn.Write(n.digest(to, from))
	return from, err
}

// Channel is the connection to a peer that Connect has made.
func (n *Network) Channel(peer collectives.Node) Channel { return n.poller.channel(peer) }

// Close stops listening. The connections are the poller's.
func (n *Network) Close() {
	n.shut()
	_ = n.listener.Close()
	n.work.Wait()
	for _, conn := range n.waiting {
		_ = conn.Close()
	}
}
