package collectives

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Names are an interface: they are in plans, results and baselines, and nccl-tests has the same.
func TestNames(t *testing.T) {
	list := func(names []string) string { return strings.Join(names, " ") }
	for _, test := range []struct {
		got  []string
		want string
	}{
		{texts(Collectives), "all_reduce all_gather reduce_scatter broadcast reduce alltoall gather scatter sendrecv"},
		{texts(DataTypes), "float32 float64 float16 bfloat16 float8e4m3 float8e5m2 int8 uint8 int32 uint32 int64 uint64"},
		{texts(Reductions), "sum min max prod avg premulsum"},
		{[]string{Send.String(), Receive.String(), Accumulate.String(), Action(9).String()}, "send receive accumulate action(9)"},
		{[]string{Collective(99).String(), DataType(99).String(), Reduction(99).String()}, "collective(99) datatype(99) reduction(99)"},
	} {
		if list(test.got) != test.want {
			t.Errorf("%s, want %s", list(test.got), test.want)
		}
	}
}

func texts[T interface{ String() string }](values []T) (names []string) {
	for _, v := range values {
		names = append(names, v.String())
	}
	return names
}

func TestText(t *testing.T) {
	type all struct {
		C Collective
		D DataType
		R Reduction
	}
	for _, c := range Collectives {
		for _, d := range DataTypes {
			for _, r := range Reductions {
				text, err := json.Marshal(all{c, d, r})
				if err != nil {
					t.Fatal(err)
				}
				var back all
				if err := json.Unmarshal(text, &back); err != nil || back != (all{c, d, r}) {
					t.Errorf("%s became %+v (%v)", text, back, err)
				}
			}
		}
	}
	for _, bad := range []string{`{"C":"allreduce"}`, `{"D":"float"}`, `{"R":"mean"}`} {
		if err := json.Unmarshal([]byte(bad), &all{}); err == nil || !strings.Contains(err.Error(), "want one of") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// The factors of nccl-tests' doc/PERFORMANCE.md.
func TestBusFactor(t *testing.T) {
	want := map[Collective]float64{AllReduce: 1.75, AllGather: 0.875, ReduceScatter: 0.875, AllToAll: 0.875, Gather: 0.875,
		Scatter: 0.875, Broadcast: 1, Reduce: 1, SendRecv: 1}
	for _, c := range Collectives {
		if got := c.BusFactor(8); got != want[c] {
			t.Errorf("%s: %v, want %v", c, got, want[c])
		}
	}
}

func TestNewShape(t *testing.T) {
	tests := []struct {
		c           Collective
		ranks, root int
		bytes       int64
		d           DataType
		count, size int
		want        string
	}{
		{AllReduce, 8, 0, 1 << 20, Float32, 1 << 18, 1 << 18, ""},
		{AllGather, 8, 0, 1 << 20, Float32, 1 << 15, 1 << 18, ""},
		{AllGather, 3, 0, 1000, Float16, 166, 498, ""},
		{Broadcast, 3, 2, 9, Float64, 1, 1, ""},
		{AllReduce, 8, 0, 3, Float32, 0, 0, "3 bytes of float32 leave no element for all_reduce on 8 ranks"},
		{AllToAll, 8, 0, 7, Int8, 0, 0, "7 bytes of int8 leave no element for alltoall on 8 ranks"},
		{AllReduce, 0, 0, 8, Float32, 0, 0, "0 ranks: want 1 or more"},
		{Broadcast, 4, 4, 8, Float32, 0, 0, "root 4: want 0 … 3"},
	}
	for _, test := range tests {
		s, err := NewShape(test.c, test.ranks, test.root, test.bytes, test.d)
		switch {
		case test.want != "":
			if err == nil || err.Error() != test.want {
				t.Errorf("%+v: %v", test, err)
			}
		case err != nil || s.Validate() != nil || s.Count != test.count || s.Size() != test.size:
			t.Errorf("%+v: %+v, %v, %v", test, s, err, s.Validate())
		}
	}
}

func TestValidate(t *testing.T) {
	right := Shape{Collective: AllReduce, Ranks: 4, Count: 1, Chunks: 1, Local: 4, Radix: 2}
	for want, change := range map[string]func(*Shape){
		"0 ranks: want 1 or more":       func(s *Shape) { s.Ranks = 0 },
		"root -1: want 0 … 3":           func(s *Shape) { s.Root = -1 },
		"-1 elements: want 0 or more":   func(s *Shape) { s.Count = -1 },
		"0 chunks: want 1 or more":      func(s *Shape) { s.Chunks = 0 },
		"domain of 5 ranks: want 1 … 4": func(s *Shape) { s.Local = 5 },
		"radix 1: want 2 or more":       func(s *Shape) { s.Radix = 1 },
	} {
		s := right
		change(&s)
		if err := s.Validate(); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
	if err := right.Validate(); err != nil {
		t.Error(err)
	}
}

// Every part lies within the buffer, and no two parts of an output share an element.
func TestContract(t *testing.T) {
	for _, c := range Collectives {
		for _, n := range []int{1, 2, 5} {
			s := Shape{Collective: c, Ranks: n, Root: n - 1, Count: 3, Chunks: 1, Local: 1, Radix: 2}
			for r := range n {
				in, out := Contract(s, r)
				for _, parts := range [][]Part{in, out} {
					var taken []int
					for _, p := range parts {
						for i := range p.Length {
							taken = append(taken, p.Offset+i)
						}
					}
					slices.Sort(taken)
					if len(slices.Compact(slices.Clone(taken))) != len(taken) || len(taken) > 0 && (taken[0] < 0 || taken[len(taken)-1] >= s.Size()) {
						t.Errorf("%s, %d ranks: rank %d has %v of %d", c, n, r, taken, s.Size())
					}
				}
			}
		}
	}
}

func TestDefaultChunks(t *testing.T) {
	a := Algorithm{Pipelined: []Collective{Broadcast}}
	for _, test := range []struct {
		c     Collective
		bytes int64
		want  int
	}{{AllReduce, 1 << 30, 1}, {Broadcast, 0, 1}, {Broadcast, chunkBytes - 1, 1}, {Broadcast, 10 * chunkBytes, 10}, {Broadcast, 1 << 40, maxChunks}} {
		if got := a.DefaultChunks(test.c, test.bytes); got != test.want {
			t.Errorf("%s of %d bytes: %d chunks, want %d", test.c, test.bytes, got, test.want)
		}
	}
}
