// Package ucx measures messages of UCX between pairs of ranks: by tag, active messages, streams, puts, gets and atomics.
//
// It stands between the measuring loop, whose Backend it is, and cgo/ucx, which finds the library and has the timed loop. For each case
// a rank of a pair has a context of its own with what the case's call needs and no more, as ucx_perftest has; addresses go to the other
// rank through the control group. Which transport carries a message is UCX's matter, as the environment (UCX_TLS, UCX_NET_DEVICES)
// lets it; what it has chosen is in the evidence of each row.
package ucx

import (
	"context"
	"errors"
	"fmt"

	"collbench/bench"
	"collbench/cgo/ucx"
	"collbench/collectives"
)

// Backend is the UCX backend.
type Backend struct {
	open func() error // opens the library; a test has its own
}

// New is the backend over the library of this machine, which is opened when it is first needed.
func New() Backend { return Backend{ucx.Open} }

// missing is an error about what this machine lacks, in the words that it has.
type missing struct{ error }

func (m missing) Unwrap() error        { return m.error }
func (m missing) Is(target error) bool { return target == bench.ErrUnavailable }

// Available says which library this machine lacks; nil if it has it.
func (b Backend) Available() error {
	if err := b.open(); err != nil {
		return missing{err}
	}
	return nil
}

// Name implements bench.Backend.
func (Backend) Name() string { return "ucx" }

// call is UCX's side of a call.
type call struct {
	ucx      ucx.Call
	features func(bytes int) ucx.Feature
}

func always(f ucx.Feature) func(int) ucx.Feature { return func(int) ucx.Feature { return f } }

func atomics(bytes int) ucx.Feature {
	if bytes == 4 {
		return ucx.Atomic32
	}
	return ucx.Atomic64
}

var calls = map[bench.Call]call{
	bench.Message:       {ucx.Tag, always(ucx.TagMatching)},
	bench.ActiveMessage: {ucx.ActiveMessage, always(ucx.ActiveMessages)},
	bench.Stream:        {ucx.Stream, always(ucx.Streams)},
	bench.Put:           {ucx.Put, always(ucx.RemoteMemory)},
	bench.PutFlush:      {ucx.PutFlush, always(ucx.RemoteMemory)},
	bench.Get:           {ucx.Get, always(ucx.RemoteMemory)},
	bench.Add:           {ucx.Add, atomics},
	bench.FetchAdd:      {ucx.FetchAdd, atomics},
	bench.Swap:          {ucx.Swap, atomics},
	bench.CompareSwap:   {ucx.CompareSwap, atomics},
}

// pattern is how the ranks of a pair take turns in a test.
func pattern(p bench.PointToPoint) ucx.Pattern {
	switch {
	case p.Alone:
		return ucx.Alone
	case p.BothWays:
		return ucx.BothWays
	case p.Windowed:
		return ucx.Window
	}
	return ucx.PingPong
}

// Supports implements bench.Backend.
func (b Backend) Supports(c bench.Case) error {
	if err := b.Available(); err != nil {
		return err
	}
	p, err := bench.FindPointToPoint(c.What.Operation)
	switch {
	case c.What.Operation == "":
		return fmt.Errorf("%s: the ucx backend measures messages: give an operation", c.What.Collective)
	case err != nil:
		return err
	case c.How.Transport != bench.TransportLibrary:
		return fmt.Errorf("transport %s: UCX chooses: want %s, and UCX_TLS in a variant", c.How.Transport, bench.TransportLibrary)
	case c.How.Buffers != "private":
		return fmt.Errorf("buffers %s: UCX has private ones", c.How.Buffers)
	case c.Where.Chunks != 0:
		return errors.New("chunks: how UCX cuts messages is its own matter")
	}
	if _, ok := calls[p.Call]; !ok {
		return fmt.Errorf("%s: UCX has no %s", c.What.Operation, p.Call)
	}
	if err := c.OnePairEach(); err != nil {
		return err
	}
	whole, err := c.Whole()
	if err != nil {
		return err
	}
	v, err := findVariant(c.How.Variant)
	if err != nil {
		return err
	}
	return atomicable(p, messageBytes(c, whole), v.offset)
}

// messageBytes is the length of a message: whole elements.
func messageBytes(c bench.Case, whole collectives.Shape) int {
	return whole.Count * c.What.DataType.Size()
}

// atomicable says why an atomic cannot act on so many bytes, so far from where memory begins.
func atomicable(p bench.PointToPoint, bytes, offset int) error {
	switch {
	case !p.Call.Atomic():
		return nil
	case bytes != 4 && bytes != 8:
		return fmt.Errorf("%s of %d bytes: an atomic has 4 or 8", p.Name, bytes)
	case offset%bytes != 0:
		return fmt.Errorf("%s of %d bytes, %d bytes into memory: an atomic has to be aligned to its length", p.Name, bytes, offset)
	}
	return nil
}

// Algorithms implements bench.Backend: messages have none.
func (Backend) Algorithms(collectives.Collective) []string { return nil }

// Variants lists the variants with what they are: "name  summary".
func (Backend) Variants() (lines []string) {
	for _, v := range variants {
		lines = append(lines, fmt.Sprintf("%-15s %s", v.name, v.summary))
	}
	return lines
}

// Environment implements bench.Configured: what the variant sets. UCX reads its settings when a context is made.
func (b Backend) Environment(c bench.Case) ([]string, error) {
	v, err := findVariant(c.How.Variant)
	return v.settings, err
}

// Open implements bench.Backend.
func (b Backend) Open(_ context.Context, group bench.Group) (bench.Communicator, error) {
	if err := b.Available(); err != nil {
		return nil, err
	}
	return &communicator{backend: b, group: group}, nil
}

// communicator is this rank's end of the group. It has nothing of UCX's: each case has its own.
type communicator struct {
	backend Backend
	group   bench.Group
}

// Close implements bench.Communicator.
func (c *communicator) Close() error { return nil }

// name is what messages call a rank.
func (c *communicator) name(rank int) string {
	return fmt.Sprintf("rank %d on %s", rank, c.group.Host(collectives.Node(rank)))
}

// Prepare implements bench.Communicator.
func (c *communicator) Prepare(ctx context.Context, test bench.Case) (bench.Operation, error) {
	o := &operation{communicator: c, test: test}
	if err := o.build(ctx); err != nil {
		_ = o.Close()
		return nil, fmt.Errorf("%s: %w", test, err)
	}
	return o, nil
}
