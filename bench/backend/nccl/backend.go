// Package nccl measures collectives of NCCL between GPUs, one process for each.
//
// It stands between the measuring loop, whose Backend it is, and cgo/nccl and cgo/cuda, which open the libraries. NCCL
// reads most settings once in the life of a process, so each algorithm and variant is measured by fresh processes; which
// algorithm ran is shown by the profiler plugin in this program. What NCCL can be told is in algorithms.go.
package nccl

import (
	"context"
	"errors"
	"fmt"

	"collbench/bench"
	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
	"collbench/collectives"
)

// Backend is the NCCL backend.
type Backend struct {
	// version is that of the library, or why there is none; a test has its own.
	version func() (nccl.Version, error)
}

// New is the backend over the libraries of this machine, which are opened when they are first needed.
func New() Backend { return Backend{usableVersion} }

// usableVersion is the version of the library, or why nothing can be measured with it here.
func usableVersion() (nccl.Version, error) {
	if err := New().Available(); err != nil {
		return 0, missing{err}
	}
	return libraryVersion()
}

func libraryVersion() (nccl.Version, error) {
	if err := nccl.Open(); err != nil {
		return 0, missing{err}
	}
	return nccl.LibraryVersion()
}

// missing is an error about what this machine lacks, in the words that it has.
type missing struct{ error }

func (m missing) Unwrap() error        { return m.error }
func (m missing) Is(target error) bool { return target == bench.ErrUnavailable }

// Available says which libraries and devices this machine lacks; nil if it has all.
func (Backend) Available() error {
	_, err := libraryVersion()
	devices, failed := 0, cuda.Init()
	if failed == nil {
		devices, failed = cuda.Devices()
	}
	if failed == nil && devices == 0 {
		failed = errors.New("CUDA sees no GPU")
	}
	switch {
	case err == nil:
		return failed
	case failed == nil:
		return err
	}
	return fmt.Errorf("%w; %w", err, failed)
}

// Name implements bench.Backend.
func (Backend) Name() string { return "nccl" }

// The kinds of buffers, by the names that a case has for them.
const (
	private    = "private"
	registered = "registered"
)

// types, reductions and calls are NCCL's for ours.
var (
	types = map[collectives.DataType]nccl.Type{
		collectives.Float32: nccl.Float32, collectives.Float64: nccl.Float64, collectives.Float16: nccl.Float16, collectives.BFloat16: nccl.Bfloat16,
		collectives.Int8: nccl.Int8, collectives.Uint8: nccl.Uint8, collectives.Int32: nccl.Int32, collectives.Int64: nccl.Int64,
		collectives.Uint32: nccl.Uint32, collectives.Uint64: nccl.Uint64, collectives.Float8E4M3: nccl.Float8E4M3, collectives.Float8E5M2: nccl.Float8E5M2,
	}
	reductions = map[collectives.Reduction]nccl.Op{
		collectives.Sum: nccl.Sum, collectives.Prod: nccl.Prod, collectives.Max: nccl.Max, collectives.Min: nccl.Min, collectives.Avg: nccl.Avg,
	}
	calls = map[collectives.Collective]nccl.Collective{
		collectives.AllReduce: nccl.AllReduce, collectives.Broadcast: nccl.Broadcast, collectives.Reduce: nccl.Reduce, collectives.AllGather: nccl.AllGather,
		collectives.ReduceScatter: nccl.ReduceScatter, collectives.AllToAll: nccl.AllToAll, collectives.Gather: nccl.Gather,
		collectives.Scatter: nccl.Scatter, collectives.SendRecv: nccl.SendRecv,
	}
)

// Supports implements bench.Backend. What only the GPUs can tell shows when the case is prepared, or by what ran.
func (b Backend) Supports(c bench.Case) error {
	version, err := b.version()
	if err != nil {
		return err
	}
	switch {
	case c.How.Transport != bench.TransportLibrary:
		return fmt.Errorf("transport %s: NCCL chooses: want %s", c.How.Transport, bench.TransportLibrary)
	case c.How.Buffers != private && c.How.Buffers != registered:
		return fmt.Errorf("unknown buffers %q: want %s or %s", c.How.Buffers, private, registered)
	case c.Where.Chunks != 0:
		return errors.New("chunks: how NCCL cuts messages is its own matter")
	case c.What.InPlace && (c.What.Collective == collectives.AllToAll || c.What.Collective == collectives.SendRecv):
		return fmt.Errorf("%s in place: NCCL has none", c.What.Collective)
	case c.What.Overwrites() && c.How.Timing == bench.TimingBatch:
		return fmt.Errorf("%s in place back to back would work on its own results: want timing barrier, or out of place", c.What.Collective)
	case float8(c) && version < v2_24:
		return fmt.Errorf("%s came with NCCL 2.24; this is %s", c.What.DataType, version)
	case c.How.Buffers == registered && version < v2_19:
		return fmt.Errorf("buffers %s came with NCCL 2.19; this is %s", registered, version)
	}
	if err := c.Paired(); err != nil {
		return err
	}
	_, err = settle(c, version)
	return err
}

func float8(c bench.Case) bool { return c.What.DataType.Floating() && c.What.DataType.Size() == 1 }

// Algorithms implements bench.Backend.
func (b Backend) Algorithms(c collectives.Collective) (names []string) {
	for _, a := range algorithms {
		if _, ok := a.has[c]; ok {
			names = append(names, a.name)
		}
	}
	return names
}

// Variants lists the variants with what they are: "name  summary".
func (Backend) Variants() (lines []string) {
	for _, v := range variants {
		lines = append(lines, fmt.Sprintf("%-12s %s", v.name, v.summary))
	}
	return lines
}

// Environment implements bench.Configured: the case's algorithm and variant, and what has NCCL tell which algorithm ran.
func (b Backend) Environment(c bench.Case) ([]string, error) {
	version, err := b.version()
	if err != nil {
		return nil, err
	}
	v, err := settle(c, version)
	if err != nil {
		return nil, err
	}
	// A log of each operation would take time in the timed part: only where there is no profiler plugin.
	list := []string{nccl.ProfilerEnvironment, "NCCL_DEBUG=INFO", "NCCL_DEBUG_SUBSYS=INIT"}
	if version < v2_23 {
		list = []string{"NCCL_DEBUG=INFO", "NCCL_DEBUG_SUBSYS=INIT,TUNING"}
	}
	if c.What.Operation == "" && c.What.Collective == collectives.Broadcast && version >= v2_29 {
		list = append(list, loneBroadcast)
	}
	return append(list, v.settings...), nil
}

// Open implements bench.Backend.
func (b Backend) Open(ctx context.Context, group bench.Group) (bench.Communicator, error) {
	c := &communicator{backend: b, group: group}
	if err := c.open(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
