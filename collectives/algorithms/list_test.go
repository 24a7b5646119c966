package algorithms

import (
	"os"
	"slices"
	"strings"
	"testing"

	"collbench/collectives"
)

// notAlgorithms are the files that hold none.
var notAlgorithms = []string{"doc.go", "list.go", "span.go"}

func fileOf(name string) string {
	return strings.NewReplacer("-", "_", "+", "_").Replace(name) + ".go"
}

func TestFilesAndListAgree(t *testing.T) {
	var listed, found []string
	for _, a := range All {
		listed = append(listed, fileOf(a.Name))
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !slices.Contains(notAlgorithms, name) {
			found = append(found, name)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, found) {
		t.Errorf("All is of the files\n%v\nbut there are\n%v", listed, found)
	}
}

// The names are an interface: they are in plans, results and baselines.
func TestNames(t *testing.T) {
	want := map[collectives.Collective]string{
		collectives.AllReduce:     "ring recursive-doubling halving-doubling tree direct oneshot hierarchical nvls sharp nvls+sharp nvlstree",
		collectives.AllGather:     "ring recursive-doubling direct nvls bruck pat",
		collectives.ReduceScatter: "ring recursive-halving direct nvls pat",
		collectives.Broadcast:     "ring binomial scatter-allgather multicast",
		collectives.Reduce:        "binomial",
		collectives.AllToAll:      "bruck pairwise",
		collectives.Gather:        "direct",
		collectives.Scatter:       "direct",
		collectives.SendRecv:      "direct",
	}
	for _, c := range collectives.Collectives {
		var names []string
		for _, a := range For(c) {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != want[c] {
			t.Errorf("%s: got %s, want %s", c, got, want[c])
		}
	}
}

func TestFind(t *testing.T) {
	for _, a := range All {
		if got, err := Find(a.Name); err != nil || got.Name != a.Name {
			t.Errorf("Find(%q) = %q, %v", a.Name, got.Name, err)
		}
		if a.Summary == "" {
			t.Errorf("%s has no summary", a.Name)
		}
		for _, c := range a.Pipelined {
			if !slices.Contains(a.Collectives, c) {
				t.Errorf("%s streams %s, which it does not carry out", a.Name, c)
			}
		}
	}
	if _, err := Find("rings"); err == nil || !strings.Contains(err.Error(), "ring, recursive-doubling") {
		t.Errorf("Find of an unknown name: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name string
		s    shape
		want string
	}{
		{"recursive-halving", shape{Collective: collectives.ReduceScatter, Ranks: 6, Local: 6}, "reduce_scatter recursive-halving: the number of ranks is not a power of two"},
		{"recursive-doubling", shape{Collective: collectives.AllGather, Ranks: 6, Local: 6}, "all_gather recursive-doubling: the number of ranks is not a power of two"},
		{"recursive-doubling", shape{Collective: collectives.AllReduce, Ranks: 6, Local: 6}, ""},
		{"hierarchical", shape{Collective: collectives.AllReduce, Ranks: 8, Local: 3}, "all_reduce hierarchical: 8 ranks do not fill domains of 3"},
		{"nvls+sharp", shape{Collective: collectives.AllReduce, Ranks: 8, Local: 3}, "all_reduce nvls+sharp: 8 ranks do not fill domains of 3"},
		{"nvlstree", shape{Collective: collectives.AllReduce, Ranks: 8, Local: 3}, "all_reduce nvlstree: 8 ranks do not fill domains of 3"},
		{"pairwise", shape{Collective: collectives.AllReduce, Ranks: 8, Local: 8}, `all_reduce has no algorithm "pairwise"`},
		{"ring", shape{Collective: collectives.AllReduce, Ranks: 0, Local: 8}, "all_reduce ring: 0 ranks: want 1 or more"},
	}
	for _, test := range tests {
		a, err := Find(test.name)
		if err != nil {
			t.Fatal(err)
		}
		test.s.Chunks, test.s.Radix = 1, 2
		got := ""
		if err := a.Supports(test.s); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s %+v: %q, want %q", test.name, test.s, got, test.want)
		}
	}
}
