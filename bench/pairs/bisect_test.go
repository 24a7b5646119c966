package pairs

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
)

func TestBisect(t *testing.T) {
	for n := 4; n <= 33; n++ {
		var hosts []string
		for i := range n {
			hosts = append(hosts, fmt.Sprintf("vm%d", i))
		}
		for bad := -1; bad < n; bad++ {
			name := ""
			if bad >= 0 {
				name = hosts[bad]
			}
			b, err := Bisect("all_reduce 1 MiB", hosts, 0.1, func(groups [2][]string) (figures [2]float64, err error) {
				if len(groups[0]) != len(groups[1]) || len(groups[0]) < 2 {
					err = fmt.Errorf("groups of %d and %d", len(groups[0]), len(groups[1]))
				}
				for i, g := range groups {
					if figures[i] = 10e6; slices.Contains(g, name) {
						figures[i] = 6e6
					}
					for _, h := range g {
						if slices.Contains(groups[1-i], h) {
							err = fmt.Errorf("%s is in both groups", h)
						}
					}
				}
				return figures, err
			})
			if err != nil || b.Host != name || len(b.Steps) > bits.Len(uint(n-1)) {
				t.Errorf("%d hosts, %q slow: found %q in %d reruns, %v", n, name, b.Host, len(b.Steps), err)
			}
		}
	}
}

func TestBisectSays(t *testing.T) {
	v := Verdict{Outcome: Pass, Statement: "nobody stands out"}
	v.Bisected(Bisection{Test: "all_reduce 1 MiB", Host: "vm2", Steps: []Step{{Bandwidth: [2]float64{10e6, 5e6}}}})
	if v.Outcome != Fail || v.Statement != "vm2 slows all_reduce 1 MiB down although its pairs do well: groups with it reach 50 % of those without (5.00 MB/s of 10.0 MB/s, 1 rerun)" {
		t.Errorf("%s: %s", v.Outcome, v.Statement)
	}
	v = Verdict{Outcome: Pass, Statement: "nobody stands out"}
	v.Bisected(Bisection{Test: "all_reduce 1 MiB", Steps: make([]Step, 1)})
	if v.Outcome != Pass || !strings.Contains(v.Statement, "no group was slow") {
		t.Errorf("%s: %s", v.Outcome, v.Statement)
	}
	if _, err := Bisect("", []string{"a", "b", "c"}, 0.1, nil); err == nil {
		t.Error("three hosts were halved")
	}
	broken := errors.New("broken")
	if _, err := Bisect("", []string{"a", "b", "c", "d"}, 0.1, func([2][]string) ([2]float64, error) { return [2]float64{}, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
