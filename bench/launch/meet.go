package launch

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
)

// Receive is rank 0's part of meeting: it opens the door and gives its card to the others, by the addresses of the
// interface that is chosen (see Addresses).
func Receive(ctx context.Context, x Exchange, choice string, admit func(Header) error, enter func(Header, net.Conn), refused func(string, error)) (*Door, Card, error) {
	card := Card{Secret: x.Secret()}
	if card.Secret == nil {
		card.Secret = make([]byte, secretBytes)
		rand.Read(card.Secret)
	}
	addresses, err := Addresses(choice)
	if err != nil {
		return nil, card, err
	}
	door, err := OpenDoor(x.Ports(), card.Secret, admit, enter, refused)
	if err != nil {
		return nil, card, err
	}
	for _, a := range addresses {
		card.Addresses = append(card.Addresses, net.JoinHostPort(a, strconv.Itoa(door.Port())))
	}
	if _, err := x.Share(ctx, card); err != nil {
		door.Close()
		return nil, card, fmt.Errorf("giving rank 0's address to the others: %w", err)
	}
	return door, card, nil
}

// Visit is the others' part: it returns rank 0's card.
func Visit(ctx context.Context, x Exchange) (Card, error) {
	card, err := x.Share(ctx, Card{})
	if err != nil {
		return card, fmt.Errorf("getting rank 0's address: %w", err)
	}
	return card, nil
}
