package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/unit"
)

// Selector says which cases a rule is about. What it does not name may be anything.
type Selector struct {
	Collectives                                 []string // or point-to-point tests
	Algorithms, Backends, Transports, DataTypes []string
	Ranks                                       []int
	Bytes                                       []Sizes
}

// Sizes are message sizes from First to Last bytes.
type Sizes struct{ First, Last int64 }

const largestSize = 1 << 62

// selectorKeys are the keys of a policy's rules by which they select cases.
var selectorKeys = []string{"collective", "algorithm", "backend", "transport", "dtype", "ranks", "bytes"}

// Matches says whether a rule is about a case.
func (s Selector) Matches(c bench.Case) bool {
	size := len(s.Bytes) == 0
	for _, r := range s.Bytes {
		size = size || c.What.Bytes >= r.First && c.What.Bytes <= r.Last
	}
	return size && in(s.Collectives, c.What.Name()) && in(s.Algorithms, c.What.Algorithm) && in(s.Backends, c.How.Backend) &&
		in(s.Transports, c.How.Transport) && in(s.DataTypes, c.What.DataType.String()) && in(s.Ranks, c.Where.Ranks)
}

func in[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// matching are those cases that the rule is about.
func (s Selector) matching(cases []bench.Case) (chosen []bench.Case) {
	for _, c := range cases {
		if s.Matches(c) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// set reads one key.
func (s *Selector) set(key, text string) error {
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	switch key {
	case "collective":
		s.Collectives = list
	case "algorithm":
		s.Algorithms = list
	case "backend":
		s.Backends = list
	case "transport":
		s.Transports = list
	case "dtype":
		s.DataTypes = list
	case "ranks":
		for _, word := range list {
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 {
				return fmt.Errorf("%q: want whole numbers of ranks, 1 or more", word)
			}
			s.Ranks = append(s.Ranks, n)
		}
	case "bytes":
		for _, word := range list {
			sizes, err := parseBytes(word)
			if err != nil {
				return err
			}
			s.Bytes = append(s.Bytes, sizes...)
		}
	}
	return nil
}

// parseBytes reads ">=1MiB", "<1MiB", a size or a range of sizes.
func parseBytes(word string) ([]Sizes, error) {
	for _, sign := range []string{">=", "<=", ">", "<"} {
		text, ok := strings.CutPrefix(word, sign)
		if !ok {
			continue
		}
		n, err := unit.ParseBytes(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		switch sign {
		case ">=":
			return []Sizes{{n, largestSize}}, nil
		case ">":
			return []Sizes{{n + 1, largestSize}}, nil
		case "<=":
			return []Sizes{{0, n}}, nil
		}
		return []Sizes{{0, n - 1}}, nil
	}
	sizes, err := unit.ParseSizes(word)
	if err != nil {
		return nil, fmt.Errorf("%w; or >=1MiB, <64K", err)
	}
	var all []Sizes
	for _, n := range sizes {
		all = append(all, Sizes{n, n})
	}
	return all, nil
}

// String names what is selected: "all_reduce ring 8 MiB … 64 MiB".
func (s Selector) String() string {
	var words []string
	for _, list := range [][]string{s.Collectives, s.Algorithms, s.Backends, s.Transports, s.DataTypes} {
		if len(list) > 0 {
			words = append(words, strings.Join(list, ","))
		}
	}
	for _, n := range s.Ranks {
		words = append(words, plural(n, "rank"))
	}
	for _, r := range s.Bytes {
		switch {
		case r.First == r.Last:
			words = append(words, unit.Bytes(r.First))
		case r.Last == largestSize:
			words = append(words, "≥ "+unit.Bytes(r.First))
		default:
			words = append(words, fmt.Sprintf("%s … %s", unit.Bytes(r.First), unit.Bytes(r.Last)))
		}
	}
	if len(words) == 0 {
		return "any case"
	}
	return strings.Join(words, " ")
}
