package ucx

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/collectives"
)

func present() error { return nil }

func testCase(operation string, bytes int64, change func(*bench.Case)) bench.Case {
	c := bench.Case{
		What:  bench.What{Operation: operation, Algorithm: bench.Auto, Bytes: bytes, DataType: collectives.Float32},
		How:   bench.How{Backend: "ucx", Transport: bench.TransportLibrary, Buffers: "private", Timing: bench.TimingBatch},
		Where: bench.Where{Ranks: 2, Hosts: 1, Domain: 2, To: 1},
	}
	if change != nil {
		change(&c)
	}
	return c
}

func TestSupports(t *testing.T) {
	b := Backend{present}
	for _, p := range bench.PointToPoints {
		if err := b.Supports(testCase(p.Name, 8, nil)); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	for want, c := range map[string]bench.Case{
		"all_reduce: the ucx backend measures messages": testCase("", 8, nil),
		"fetch_add of 12 bytes: an atomic has 4 or 8":   testCase("fetch_add", 12, nil),
		"an atomic has to be aligned":                   testCase("swap", 8, func(c *bench.Case) { c.How.Variant = "offset=12" }),
		"transport tcp: UCX chooses":                    testCase("latency", 8, func(c *bench.Case) { c.How.Transport = "tcp" }),
		"buffers registered":                            testCase("latency", 8, func(c *bench.Case) { c.How.Buffers = "registered" }),
		"chunks: ":                                      testCase("latency", 8, func(c *bench.Case) { c.Where.Chunks = 2 }),
		`no variant "warp": want default, eager, `:      testCase("latency", 8, func(c *bench.Case) { c.How.Variant = "UCX_TLS=tcp;warp" }),
		`"offset=-1": want offset=0 … 4096`:             testCase("latency", 8, func(c *bench.Case) { c.How.Variant = "offset=-1" }),
	} {
		if err := b.Supports(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	absent := Backend{func() error { return errors.New("no such file") }}
	if err := absent.Supports(testCase("latency", 8, nil)); !errors.Is(err, bench.ErrUnavailable) || err.Error() != "no such file" {
		t.Error(err)
	}
}

func TestVariants(t *testing.T) {
	v, err := findVariant("UCX_TLS=tcp;eager;peer-errors;offset=3")
	if err != nil || !v.peerErrors || v.offset != 3 || !slices.Equal(v.settings, []string{"UCX_RNDV_THRESH=inf"}) {
		t.Errorf("%+v %v", v, err)
	}
	environment, err := Backend{present}.Environment(testCase("latency", 8, func(c *bench.Case) { c.How.Variant = "rendezvous" }))
	if err != nil || !slices.Equal(environment, []string{"UCX_RNDV_THRESH=0"}) {
		t.Error(environment, err)
	}
}

// TestWrongDataIsSeen has a wrong byte, data of another rank, old data and a missing mark found where they are.
func TestWrongDataIsSeen(t *testing.T) {
	const element = 4
	for _, length := range []int{4, 8, 4096, 10_000} {
		data := make([]byte, length)
		fill(data, 1, 7)
		if wrong, first := check(data, element, 1, 7, -1); wrong != 0 {
			t.Errorf("%d bytes: %d wrong, %s", length, wrong, first)
		}
		for name, with := range map[string][2]int{"another rank's": {0, 7}, "old": {1, 6}} {
			if wrong, _ := check(data, element, with[0], with[1], -1); wrong != int64(length/element) {
				t.Errorf("%d bytes of %s: %d wrong", length, name, wrong)
			}
		}
		data[length-1]++
		if wrong, first := check(data, element, 1, 7, -1); wrong != 1 || !strings.HasPrefix(first, "element ") {
			t.Errorf("%d bytes: %d wrong, %s", length, wrong, first)
		}
		data[length-1] = 9
		if wrong, _ := check(data, element, 1, 7, 9); wrong != 0 {
			t.Errorf("%d bytes: the mark is taken for wrong", length)
		}
		if wrong, _ := check(data, element, 1, 7, 8); wrong != 1 {
			t.Errorf("%d bytes: another mark is taken for right", length)
		}
	}
}

func TestMemory(t *testing.T) {
	if err := fits(1<<20, 2); err != nil {
		t.Error(err)
	}
	if err := fits(1<<60, 2); err == nil || !strings.Contains(err.Error(), "1048576 TiB of memory for each of 2 ranks of this host: it has ") {
		t.Error(err)
	}
}
