package bench

import (
	"slices"
	"strings"
	"testing"
)

func TestPairList(t *testing.T) {
	pairs := []Pair{{0, 3}, {2, 1}, {12, 104}}
	text := PairList(pairs)
	got, err := ParsePairs(text)
	if text != "0-3 2-1 12-104" || err != nil || !slices.Equal(got, pairs) {
		t.Errorf("%q: %v %v", text, got, err)
	}
	for _, bad := range []string{"1", "1-1", "a-b", "0-1 2", "-1-2", "1--2"} {
		if got, err := ParsePairs(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
	if got, err := ParsePairs(""); got != nil || err != nil {
		t.Errorf("nothing: %v %v", got, err)
	}
}

func TestDisjoint(t *testing.T) {
	for _, c := range []struct {
		pairs string
		want  bool
	}{{"", true}, {"0-1", true}, {"0-1 2-3", true}, {"0-1 1-2", false}, {"1-0 2-0", false}} {
		pairs, err := ParsePairs(c.pairs)
		if err != nil || Disjoint(pairs) != c.want {
			t.Errorf("%s: %v %v", c.pairs, Disjoint(pairs), err)
		}
	}
}

func TestCaseOfSeveralPairs(t *testing.T) {
	c := Case{What: What{Operation: "bandwidth", Bytes: 100, Window: 3}, Where: Where{Ranks: 6, Pairs: "5-0 3-2"}}
	if got, want := c.TimedRanks(), []bool{false, false, false, true, false, true}; !slices.Equal(got, want) {
		t.Errorf("timed %v, want %v", got, want)
	}
	if c.Times(0) || !c.Times(5) || c.Times(7) || c.Moved() != 600 {
		t.Errorf("times %v %v, moved %d", c.Times(0), c.Times(5), c.Moved())
	}
}

func TestPaired(t *testing.T) {
	of := func(operation, pairs string) Case {
		return Case{What: What{Operation: operation}, How: How{Backend: "some"}, Where: Where{Ranks: 4, Pairs: pairs}}
	}
	for want, c := range map[string]Case{
		"":                              of("", ""),
		"put_latency: the some backend": of("put_latency", "0-1"),
		"a rank in two pairs at once":   of("latency", "0-1 2-1"),
		"unknown operation":             of("ping", "0-1"),
	} {
		err := c.Paired()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	if err := of("bandwidth", "0-1 3-2").Paired(); err != nil {
		t.Error(err)
	}
}
