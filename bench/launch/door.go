package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// Door is where rank 0 lets in those who know the job's secret. It is safe for many connections at once: one that
// dawdles holds up nobody.
type Door struct {
	listener net.Listener
	secret   []byte
	admit    func(Header) error
	enter    func(Header, net.Conn)
	refused  func(from string, why error)
	at       chan struct{} // as many at once as may be greeted
	work     sync.WaitGroup
	open     context.Context
	shut     context.CancelFunc
}

// atOnce is how many connections are greeted at once, so that strangers cannot eat up the memory.
const atOnce = 256

// OpenDoor listens on one of the ports, or on any if there are none. admit says why a member that knows the secret
// is refused, nil if it is not; enter gets each that was let in, refused hears of the others; all three are called
// from many goroutines.
func OpenDoor(ports []int, secret []byte, admit func(Header) error, enter func(Header, net.Conn), refused func(string, error)) (*Door, error) {
	if len(ports) == 0 {
		ports = []int{0}
	}
	var listener net.Listener
	var err error
	for _, port := range ports {
		if listener, err = net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port))); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the other ranks: %w", err)
	}
	d := &Door{listener: listener, secret: secret, admit: admit, enter: enter, refused: refused, at: make(chan struct{}, atOnce)}
	d.open, d.shut = context.WithCancel(context.Background())
	d.work.Go(d.accept)
	return d, nil
}

// Port is where the door is.
func (d *Door) Port() int { return d.listener.Addr().(*net.TCPAddr).Port }

// Close closes the door. Who was let in stays.
func (d *Door) Close() error {
	d.shut()
	err := d.listener.Close()
	d.work.Wait()
	return err
}

func (d *Door) accept() {
	for {
		select {
		case d.at <- struct{}{}:
		case <-d.open.Done():
			return
		}
		conn, err := d.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files, which others may close
			<-d.at
			time.Sleep(patience)
			continue
		}
		d.work.Go(func() {
			defer func() { <-d.at }()
			d.greet(conn)
		})
	}
}

// greet lets one in, or closes the connection.
func (d *Door) greet(conn net.Conn) {
	stop := context.AfterFunc(d.open, func() { conn.Close() })
	h, err := welcome(conn, d.secret, d.admit)
	if !stop() { // the door was closed meanwhile
		return
	}
	if err != nil {
		conn.Close()
		if errors.Is(err, errSilent) {
			return
		}
		d.refused(conn.RemoteAddr().String(), err)
		return
	}
	d.enter(h, conn)
}

// patience is the pause between two rounds of knocking.
const patience = 100 * time.Millisecond

// Knock connects to the first of the card's addresses at which somebody knows the secret, and says what for. It
// tries until ctx ends, because rank 0 may come later; a refusal by rank 0 is final.
func Knock(ctx context.Context, card Card, h Header) (net.Conn, error) {
	for {
		conn, err := knockOnce(ctx, card, h)
		if err == nil {
			return conn, nil
		}
		if final := (refusal{}); errors.As(err, &final) {
			return nil, final
		}
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			return nil, fmt.Errorf("looking for rank 0: %w: %w", context.Cause(ctx), err)
		}
	}
}

// knockOnce connects to all addresses at once, but introduces itself at one after the other: rank 0 may have several
// of them, and must not see one member twice.
func knockOnce(ctx context.Context, card Card, h Header) (net.Conn, error) {
	round, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		conn net.Conn
		err  error
	}
	answers := make(chan answer, len(card.Addresses))
	for _, address := range card.Addresses {
		go func() {
			conn, err := (&net.Dialer{Timeout: greetingFor}).DialContext(round, "tcp", address)
			answers <- answer{conn, err}
		}()
	}
	var errs []error
	for i := range card.Addresses {
		a := <-answers
		if a.err == nil {
			a.err = introduceAt(ctx, a.conn, card.Secret, h)
		}
		if a.err == nil || errors.As(a.err, &refusal{}) {
			cancel()
			for range len(card.Addresses) - i - 1 {
				if late := <-answers; late.conn != nil {
					late.conn.Close()
				}
			}
			return a.conn, a.err
		}
		errs = append(errs, a.err)
	}
	return nil, errors.Join(errs...)
}

// introduceAt gives up when ctx ends. On an error the connection is closed.
func introduceAt(ctx context.Context, conn net.Conn, secret []byte, h Header) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err := introduce(conn, secret, h)
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err != nil {
		conn.Close()
		return fmt.Errorf("%s: %w", conn.RemoteAddr(), err)
	}
	return nil
}
