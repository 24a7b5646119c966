package launch

import (
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Card is what the ranks have to know of rank 0 to find it, and to be let in.
type Card struct {
	Secret    []byte
	Addresses []string // host:port, of which one answers
}

// secretBytes is the length of a secret that is made here; one from outside has leastSecret or more.
const (
	secretBytes = 32
	leastSecret = 16
	// maxCard is the longest text of a card in bytes: PMI-1 servers take values of 1,024.
	maxCard = 1000
)

// cardVersion begins the text of a card.
const cardVersion = "collbench1"

// Text writes the card without any character that PMI-1's wire gives a meaning to: "collbench1;5f…;10.0.0.1:4000,…".
// Addresses that do not fit are left out.
func (c Card) Text() (string, error) {
	text := cardVersion + ";" + hex.EncodeToString(c.Secret) + ";"
	for i, a := range c.Addresses {
		if i > 0 {
			a = "," + a
		}
		if strings.ContainsAny(a, " =;\n") {
			return "", fmt.Errorf("address %q cannot go on a card", a)
		}
		if len(text)+len(a) <= maxCard {
			text += a
		}
	}
	return text, nil
}

// ParseCard reads what Text wrote. Its errors do not repeat the text: there is a secret in it.
func ParseCard(text string) (Card, error) {
	parts := strings.Split(text, ";")
	if len(text) > maxCard || len(parts) != 3 || parts[0] != cardVersion {
		return Card{}, fmt.Errorf("rank 0's card (%d bytes) is none of this version of collbench", len(text))
	}
	secret, err := hex.DecodeString(parts[1])
	if err != nil || len(secret) < leastSecret {
		return Card{}, fmt.Errorf("rank 0's card has no secret of %d bytes or more", leastSecret)
	}
	c := Card{Secret: secret}
	for a := range strings.SplitSeq(parts[2], ",") {
		if _, _, err := splitAddress(a); err != nil {
			return Card{}, fmt.Errorf("rank 0's card: %w", err)
		}
		c.Addresses = append(c.Addresses, a)
	}
	return c, nil
}

// splitAddress reads host:port.
func splitAddress(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err == nil {
		port, err = strconv.Atoi(digits)
	}
	if err != nil || host == "" || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("address %q: want HOST:PORT", text)
	}
	return host, port, nil
}
