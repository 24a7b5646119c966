package launch

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Exchange is a way to bring rank 0's card to all ranks. It is used once.
type Exchange interface {
	// Ports are those on which rank 0 is expected, one of which it has to listen on; nil: any will do.
	Ports() []int
	// Secret is the one that the ranks have already; nil: rank 0 makes one.
	Secret() []byte
	// Share is called by all ranks at once, by rank 0 with its card, and returns the card to all.
	Share(ctx context.Context, mine Card) (Card, error)
	Close() error
}

// board is what PMIx and PMI-1 offer: values by name, which all see after a fence.
type board interface {
	put(key, value string) error
	fence() error
	get(rank int, key string) (string, error)
	Close() error
}

// posted is an Exchange over a board.
type posted struct {
	board
	rank int
}

const cardKey = "collbench-card"

func (p posted) Ports() []int   { return nil }
func (p posted) Secret() []byte { return nil }

// Share gives up when ctx ends: the fence waits for processes that may never come.
func (p posted) Share(ctx context.Context, mine Card) (Card, error) {
	type answer struct {
		card Card
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		card, err := p.share(mine)
		answers <- answer{card, err}
	}()
	select {
	case a := <-answers:
		return a.card, a.err
	case <-ctx.Done():
		return Card{}, fmt.Errorf("waiting for all ranks at the launcher's fence: %w", context.Cause(ctx))
	}
}

func (p posted) share(mine Card) (Card, error) {
	if p.rank == 0 {
		text, err := mine.Text()
		if err != nil {
			return Card{}, err
		}
		if err := p.put(cardKey, text); err != nil {
			return Card{}, err
		}
	}
	if err := p.fence(); err != nil || p.rank == 0 {
		return mine, err
	}
	text, err := p.get(0, cardKey)
	if err != nil {
		return Card{}, err
	}
	return ParseCard(text)
}

// known is an Exchange that has nothing to exchange: host, ports and secret were known to all before.
type known struct {
	host   string
	ports  []int
	secret []byte
}

func (k known) Ports() []int   { return k.ports }
func (k known) Secret() []byte { return k.secret }
func (k known) Close() error   { return nil }

func (k known) Share(context.Context, Card) (Card, error) {
	c := Card{Secret: k.secret}
	for _, port := range k.ports {
		c.Addresses = append(c.Addresses, net.JoinHostPort(k.host, strconv.Itoa(port)))
	}
	return c, nil
}

// secretVariable holds the secret where the launcher has no way of its own to carry one.
const secretVariable = "COLLBENCH_SECRET"

// readSecret reads the job's secret, which the launcher has to have brought to all ranks.
func readSecret(v Variables) ([]byte, error) {
	secret := strings.TrimSpace(v[secretVariable])
	if len(secret) < leastSecret {
		return nil, fmt.Errorf("%s: want a secret of %d characters or more, the same for all ranks: "+
			"export %s=$(openssl rand -hex 16) before the launch", secretVariable, leastSecret, secretVariable)
	}
	return []byte(secret), nil
}

// meetAt is the Exchange of ranks that know host and ports.
func meetAt(v Variables, host string, ports ...int) (Exchange, error) {
	secret, err := readSecret(v)
	if err != nil {
		return nil, err
	}
	return known{host, ports, secret}, nil
}

// rendezvousVariable says where to meet, whatever the launcher: HOST:PORT, file:PATH, or fd:NUMBER, a pipe to the
// launcher that started this rank.
const rendezvousVariable = "COLLBENCH_RENDEZVOUS"

// meetWhereTold is the Exchange of COLLBENCH_RENDEZVOUS.
func meetWhereTold(w *World, v Variables) (Exchange, error) {
	text := v[rendezvousVariable]
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		return &file{path: path, rank: w.Rank}, nil
	}
	if number, ok := strings.CutPrefix(text, pipePrefix); ok {
		return openPipe(number, w.Rank)
	}
	host, port, err := splitAddress(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, or file:PATH", rendezvousVariable, err)
	}
	return meetAt(v, host, port)
}

// Open opens the way by which the ranks of a world find each other, and completes the world where the variables
// leave something open.
func Open(ctx context.Context, w *World, v Variables) (Exchange, error) {
	l := named(w.Launcher)
	if l == nil || l.Open == nil {
		return nil, fmt.Errorf("%s: there are no other ranks to meet", w.Launcher)
	}
	open := l.Open
	if v.has(rendezvousVariable) && w.Size > 0 {
		open = func(context.Context, *World, Variables) (Exchange, error) { return meetWhereTold(w, v) }
	}
	x, err := open(ctx, w, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w, err)
	}
	if err := w.check(); err != nil {
		x.Close()
		return nil, fmt.Errorf("%s: %w", w.Launcher, err)
	}
	return x, nil
}
