// Command bench-ucx measures collbench's UCX backend side by side with ucx_perftest of the same library.
//
// It stands beside the data's way: with each UCX of this machine it starts the finished binary and ucx_perftest in turn, launch by
// launch (A B, B A), each rank bound to a CPU of its own, and writes docs/performance.md's table of ratios. `make bench-ucx` runs it;
// nothing else may run on the machine meanwhile.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"collbench/internal/sidebyside"
)

// test is an operation of collbench's with ucx_perftest's name for it.
type test struct {
	operation, perftest string
	windowed            bool
	atomic              bool
}

var tests = []test{
	{"latency", "tag_lat", false, false},
	{"bandwidth", "tag_bw", true, false},
	{"am_latency", "ucp_am_lat", false, false},
	{"am_bandwidth", "ucp_am_bw", true, false},
	{"stream_latency", "stream_lat", false, false},
	{"stream_bandwidth", "stream_bw", true, false},
	{"put_latency", "ucp_put_lat", false, false},
	{"put_bandwidth", "ucp_put_bw", true, false},
	{"get_latency", "ucp_get", false, false},
	{"get_bandwidth", "ucp_get", true, false},
	{"add_rate", "ucp_add", true, true},
	{"fetch_add", "ucp_fadd", false, true},
	{"swap", "ucp_swap", false, true},
	{"compare_swap", "ucp_cswap", false, true},
}

// window is the number of messages under way in a windowed test: ucx_perftest's own choice for most of them.
const window = 32

// size is a message size with the iterations of a sample of collbench's, of which there are six: those without a window, and windows.
type size struct {
	bytes             int64
	messages, windows int
}

var sizes = []size{{8, 150_000, 10_000}, {4 << 10, 30_000, 1500}, {64 << 10, 3000, 200}, {1 << 20, 250, 16}}

// samples is how many collbench takes with a number of iterations: three in each of two turns.
const samples = 6

// cell is one size of one operation.
type cell struct {
	test
	size
	sidebyside.Cell // of a message
}

// cells lists them; their numbers stand for them where launches are told apart by size alone.
func cells() (list []cell) {
	for _, t := range tests {
		for _, s := range sizes {
			if !t.atomic || s.bytes == 8 {
				list = append(list, cell{test: t, size: s})
			}
		}
	}
	return list
}

// messages is how many of them ucx_perftest sends.
func (c cell) messages() int {
	if c.windowed {
		return samples * c.windows * window
	}
	return samples * c.size.messages
}

// library is a UCX of this machine.
type library struct {
	name     string
	perftest string // the program
	folder   string // of its libraries; "": the system's
}

func libraries() (list []library, err error) {
	folder, err := filepath.Abs("build/ucx/lib")
	if err != nil {
		return nil, err
	}
	for _, l := range []library{{"system", "ucx_perftest", ""}, {"wheel", "build/ucx/bin/ucx_perftest", folder}} {
		if l.perftest, err = exec.LookPath(l.perftest); err != nil {
			fmt.Fprintf(os.Stderr, "bench-ucx: the %s's UCX is not measured: %v\n", l.name, err)
			continue
		}
		list = append(list, l)
	}
	return list, nil
}

// environment has programs use the library.
func (l library) environment() []string {
	if l.folder == "" {
		return os.Environ()
	}
	return append(os.Environ(), "LD_LIBRARY_PATH="+l.folder, "COLLBENCH_LIBUCP="+filepath.Join(l.folder, "libucp.so.0"))
}

func main() {
	launches := flag.Int("launches", 20, "launches of each side")
	only := flag.String("ucx", "", "only the library of this name: system or wheel")
	binary := flag.String("collbench", "bin/collbench", "the binary to measure")
	out := flag.String("o", "", "file whose section between the bench-ucx marks is replaced; empty: standard output alone")
	flag.Parse()
	if err := compare(*launches, *only, *binary, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench-ucx:", err)
		os.Exit(1)
	}
}

func compare(launches int, only, binary, out string) error {
	all, err := libraries()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, l := range all {
		if only != "" && l.name != only {
			continue
		}
		list, evidence, err := with(l, path, launches)
		if err != nil {
			return fmt.Errorf("the %s's UCX: %w", l.name, err)
		}
		text.WriteString(markdown(list, evidence, launches))
	}
	fmt.Print(text.String())
	if out == "" {
		return nil
	}
	return sidebyside.ReplaceSection(out, "bench-ucx", text.String())
}

// with measures all cells with one library.
func with(l library, binary string, launches int) (list []cell, version string, err error) {
	dir, err := os.MkdirTemp("", "bench-ucx")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(dir)
	list = cells()
	ours := &side{library: l, dir: dir, binary: binary, cells: list}
	seconds, err := sidebyside.Interleave([]sidebyside.Contender{
		{Name: "collbench", Measure: ours.collbench}, {Name: "ucx_perftest", Measure: ours.perftest},
	}, launches, func(launch int) {
		fmt.Fprintf(os.Stderr, "bench-ucx: %s: launch %d of %d\n", l.name, launch+1, launches)
	})
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		list[i].Ours = sidebyside.Column(seconds[0], int64(i))
		list[i].Peer = sidebyside.Column(seconds[1], int64(i))
	}
	return list, ours.version, nil
}
