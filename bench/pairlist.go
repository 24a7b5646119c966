package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// PairList writes pairs as Where.Pairs has them: "0-3 2-1", the sender of each first.
func PairList(pairs []Pair) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d-%d", p.From, p.To)
	}
	return b.String()
}

// ParsePairs reads what PairList has written. The error names a pair that is none.
func ParsePairs(text string) (list []Pair, err error) {
	for word := range strings.FieldsSeq(text) {
		from, to, _ := strings.Cut(word, "-")
		var p Pair
		if p.From, err = strconv.Atoi(from); err == nil {
			p.To, err = strconv.Atoi(to)
		}
		if err != nil || p.From < 0 || p.To < 0 || p.From == p.To {
			return nil, fmt.Errorf("%q is no pair: want two different ranks FROM-TO", word)
		}
		list = append(list, p)
	}
	return list, nil
}

// Disjoint says whether no rank is in two of the pairs.
func Disjoint(pairs []Pair) bool {
	seen := make(map[int]bool, 2*len(pairs))
	for _, p := range pairs {
		if seen[p.From] || seen[p.To] {
			return false
		}
		seen[p.From], seen[p.To] = true, true
	}
	return true
}

// Paired says why a backend cannot carry the case out whose ranks send and receive messages, each with one other rank at a time. It
// is nil for a collective.
func (c Case) Paired() error {
	p, err := FindPointToPoint(c.What.Operation)
	switch {
	case c.What.Operation == "":
		return nil
	case err != nil:
		return err
	case p.Call != Message:
		return fmt.Errorf("%s: the %s backend measures messages, sent and received", c.What.Operation, c.How.Backend)
	}
	return c.OnePairEach()
}

// OnePairEach says of a case with a rank in two pairs that a backend cannot carry that out.
func (c Case) OnePairEach() error {
	if Disjoint(c.Pairs()) {
		return nil
	}
	return fmt.Errorf("a rank in two pairs at once (incast, outcast): the %s backend has a rank in one pair", c.How.Backend)
}
