package lint

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule is what the files of a package may import besides the standard library: packages of this module, and
// modules of others by the beginning of their path. "…" allows every package of the module.
type rule struct{ ours, theirs []string }

// rules is the table of docs/architecture.md. A package that it lacks fails the test.
var rules = map[string]rule{
	"collectives":            {},
	"collectives/algorithms": {ours: []string{"collectives"}},
	"collectives/host":       {ours: []string{"collectives"}, theirs: []string{"golang.org/x/sys/"}},
	"collectives/model":      {ours: []string{"collectives"}},
	"collectives/model/nccl": {ours: []string{"collectives"}},
	"bench/unit":             {},
	"bench/stat":             {theirs: []string{"gonum.org/v1/gonum/"}},
	"bench": {
		ours:   []string{"collectives", "collectives/algorithms", "bench/keyfile", "bench/stat", "bench/unit"},
		theirs: []string{"github.com/goccy/go-yaml"},
	},
	"bench/keyfile":      {theirs: []string{"github.com/goccy/go-yaml"}},
	"bench/backend":      {ours: []string{"bench", "bench/backend/host", "bench/backend/mpi", "bench/backend/nccl", "bench/backend/ucx"}},
	"bench/backend/host": {ours: []string{"bench", "bench/unit", "collectives", "collectives/algorithms", "collectives/host"}},
	"bench/backend/mpi":  {ours: []string{"bench", "cgo/mpi", "collectives", "collectives/host"}},
	"bench/backend/nccl": {ours: []string{"bench", "bench/counters", "cgo/cuda", "cgo/nccl", "cgo/nvml", "collectives", "collectives/host", "kernels"}, theirs: []string{"golang.org/x/sys/"}},
	"bench/counters":     {ours: []string{"bench"}},
	"bench/backend/ucx":  {ours: []string{"bench", "bench/unit", "cgo/ucx", "collectives"}},
	"bench/environment":  {ours: []string{"bench"}},
	"bench/store":        {ours: []string{"bench"}},
	"bench/history": {
		ours:   []string{"bench", "bench/stat", "bench/store", "bench/summary", "bench/unit"},
		theirs: []string{"modernc.org/sqlite", "golang.org/x/sys/"},
	},
	"cgo/dl":        {},
	"cgo/mpi":       {ours: []string{"cgo/dl"}},
	"cgo/pmix":      {ours: []string{"cgo/dl"}},
	"cgo/cuda":      {ours: []string{"cgo/dl"}},
	"cgo/nccl":      {ours: []string{"cgo/cuda", "cgo/dl"}},
	"cgo/ucx":       {ours: []string{"cgo/dl"}, theirs: []string{"golang.org/x/sys/"}},
	"cgo/nvml":      {ours: []string{"cgo/dl"}, theirs: []string{"github.com/NVIDIA/go-nvml/pkg/nvml"}},
	"bench/launch":  {ours: []string{"cgo/pmix"}, theirs: []string{"golang.org/x/sys/"}},
	"bench/start":   {theirs: []string{"golang.org/x/sys/"}},
	"bench/threads": {theirs: []string{"golang.org/x/sys/"}},
	"bench/workers": {ours: []string{"bench", "bench/launch", "bench/threads", "collectives"}, theirs: []string{"golang.org/x/sys/"}},
	"bench/storage": {theirs: []string{"golang.org/x/sys/"}},
	"bench/certify": {
		ours:   []string{"bench", "bench/doctor", "bench/gate", "bench/keyfile", "bench/stat", "bench/storage", "bench/store", "bench/summary", "bench/unit", "collectives/model"},
		theirs: []string{"github.com/goccy/go-yaml"},
	},
	"bench/doctor":  {ours: []string{"bench", "bench/environment", "bench/summary", "bench/unit"}},
	"bench/formats": {ours: []string{"bench", "bench/unit", "collectives"}},
	"kernels":       {},
	"bench/lab": {
		ours:   []string{"bench", "bench/unit", "bench/workers", "collectives/model"},
		theirs: []string{"golang.org/x/sys/", "github.com/vishvananda/netlink", "github.com/vishvananda/netns"},
	},
	"bench/pairs":   {ours: []string{"bench", "bench/stat", "bench/unit"}},
	"bench/summary": {ours: []string{"bench", "bench/stat", "bench/unit", "collectives", "collectives/algorithms", "collectives/model"}},
	"bench/gate": {
		ours:   []string{"bench", "bench/keyfile", "bench/stat", "bench/summary", "bench/unit", "collectives"},
		theirs: []string{"github.com/goccy/go-yaml"},
	},
	"bench/gate/simulation": {ours: []string{"bench/gate", "bench/stat"}, theirs: []string{"gonum.org/v1/gonum/"}},
	"reports": {
		ours:   []string{"bench", "bench/gate", "bench/pairs", "bench/stat", "bench/summary", "bench/unit", "collectives", "collectives/algorithms", "collectives/model"},
		theirs: []string{"github.com/go-echarts/go-echarts/v2/", "github.com/jedib0t/go-pretty/v6/"},
	},
	"cmd/collbench": {
		ours:   []string{"…"},
		theirs: []string{"github.com/urfave/cli/v2", "github.com/mattn/go-isatty", "github.com/vbauerster/mpb/v8", "github.com/jedib0t/go-pretty/v6/", "github.com/goccy/go-yaml", "golang.org/x/sys/"},
	},
	"cmd/bench-mpi":         {ours: []string{"bench/stat", "internal/mpis", "internal/sidebyside"}},
	"cmd/bench-ucx":         {ours: []string{"internal/sidebyside"}},
	"cmd/bench-mpi-backend": {ours: []string{"internal/mpis", "internal/sidebyside"}},
	"cmd/bench-gate":        {ours: []string{"bench/gate", "bench/gate/simulation", "internal/sidebyside"}},
	"cmd/bench-gate-lab":    {ours: []string{"bench/gate"}},
	"cmd/bench-pairs":       {ours: []string{"bench/pairs", "internal/planted"}},
	"internal/planted":      {ours: []string{"bench", "bench/pairs"}},
	"internal/mpis":         {},
	"internal/sidebyside":   {ours: []string{"bench/stat"}},
	"internal/lint":         {},
	// For tests alone.
	"internal/abi":         {},
	"internal/abi/abitest": {ours: []string{"internal/abi"}},

	"cgo/softgpu":             {},
	"cgo/softgpu/softgputest": {},
}

// TestImports holds every import of every package against the table. Tests may import more of this module, but
// whatever is only for tests stays in tests.
func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		r, ok := rules[f.dir]
		if !ok {
			t.Errorf("%s: package %s is not in the table of imports: add it, and to docs/architecture.md", f.path, f.dir)
			continue
		}
		for _, spec := range f.syntax.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if path == "C" && !strings.HasPrefix(f.dir, "cgo/") {
				t.Errorf(`%s: import "C" outside of cgo/`, f.path)
			}
			if problem := forbidden(r, f.dir, path); problem != "" && !f.test {
				t.Errorf("%s: %s", f.path, problem)
			}
		}
	}
}

// forbidden says what is wrong with an import, or "".
func forbidden(r rule, dir, path string) string {
	name, ours := strings.CutPrefix(path, module+"/")
	first, _, _ := strings.Cut(path, "/")
	switch {
	case ours && (slices.Contains(r.ours, name) || slices.Contains(r.ours, "…") && !strings.HasPrefix(name, "cgo/") && !strings.HasPrefix(name, "kernels")):
		return ""
	case ours:
		return dir + " must not import " + name
	case !strings.Contains(first, "."): // the standard library
		return ""
	case slices.ContainsFunc(r.theirs, func(prefix string) bool { return strings.HasPrefix(path, prefix) }):
		return ""
	}
	return dir + " must not import " + path
}

func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		dir, path string
		allowed   bool
	}{
		{"collectives", "slices", true}, {"collectives", "collbench/bench", false}, {"collectives/model", "collbench/collectives/algorithms", false},
		{"bench", "github.com/goccy/go-yaml/ast", true}, {"bench", "github.com/go-echarts/go-echarts/v2/opts", false}, {"bench/stat", "collbench/bench", false},
		{"reports", "github.com/go-echarts/go-echarts/v2/charts", true}, {"cmd/collbench", "collbench/bench/lab", true}, {"cmd/collbench", "collbench/cgo/dl", false},
		{"cmd/collbench", "github.com/go-echarts/go-echarts/v2/opts", false}, {"bench/backend/host", "collbench/bench/backend", false},
	} {
		if problem := forbidden(rules[c.dir], c.dir, c.path); (problem == "") != c.allowed {
			t.Errorf("%s imports %s: %q", c.dir, c.path, problem)
		}
	}
}
