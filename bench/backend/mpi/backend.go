// Package mpi measures collectives and messages of the MPI library of whoever has started the ranks.
//
// It stands between the measuring loop, whose Backend it is, and cgo/mpi, which finds the library and calls it. A process is a
// rank of one MPI world, once: its worker calls Meet before anything else. Which algorithm runs is the library's matter; what it
// can be told, and what it shows of that, is in settings.go.
package mpi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/cgo/mpi"
	"collbench/collectives"
)

// Backend is the MPI backend, and after Meet this process's rank of the MPI world.
type Backend struct {
	library *mpi.Library
	family  mpi.Family
	has     map[mpi.Type]error // why the library lacks a type, or nil
}

// Name implements bench.Backend.
func (b *Backend) Name() string { return "mpi" }

// dataTypes, reductions and kinds are MPI's names for ours.
var (
	dataTypes = map[collectives.DataType]mpi.Type{
		collectives.Float32: mpi.Float32, collectives.Float64: mpi.Float64, collectives.Float16: mpi.Float16, collectives.BFloat16: mpi.BFloat16,
		collectives.Int8: mpi.Int8, collectives.Uint8: mpi.Uint8, collectives.Int32: mpi.Int32, collectives.Int64: mpi.Int64,
		collectives.Uint32: mpi.Uint32, collectives.Uint64: mpi.Uint64,
	}
	reductions = map[collectives.Reduction]mpi.Reduction{
		collectives.Sum: mpi.Sum, collectives.Min: mpi.Min, collectives.Max: mpi.Max, collectives.Prod: mpi.Prod,
	}
	kinds = map[collectives.Collective]mpi.Kind{
		collectives.AllReduce: mpi.AllReduce, collectives.AllGather: mpi.AllGather, collectives.ReduceScatter: mpi.ReduceScatter,
		collectives.Broadcast: mpi.Broadcast, collectives.Reduce: mpi.Reduce, collectives.AllToAll: mpi.AllToAll,
		collectives.Gather: mpi.Gather, collectives.Scatter: mpi.Scatter, collectives.SendRecv: mpi.Shift,
	}
)

// Supports implements bench.Backend. Before the library is open it takes for granted what it cannot know of it.
func (b *Backend) Supports(c bench.Case) error {
	switch {
	case c.How.Transport != bench.TransportLibrary:
		return fmt.Errorf("transport %s: the MPI library chooses: want %s", c.How.Transport, bench.TransportLibrary)
	case c.How.Buffers != "private":
		return fmt.Errorf("buffers %s: MPI has private ones", c.How.Buffers)
	case c.Where.Chunks != 0:
		return errors.New("chunks: how MPI cuts messages is its own matter")
	case c.What.Reduces() && reductionless(c.What.Reduction):
		return fmt.Errorf("%s: MPI has no such reduction", c.What.Reduction)
	case c.What.Overwrites() && c.How.Timing == bench.TimingBatch:
		return fmt.Errorf("%s in place back to back would work on its own results: want timing barrier, or out of place", c.What.Collective)
	}
	if err := c.Paired(); err != nil {
		return err
	}
	if _, ok := dataTypes[c.What.DataType]; !ok {
		return fmt.Errorf("%s: MPI has no such type", c.What.DataType)
	}
	whole, err := c.Whole()
	if err != nil {
		return err
	}
	if whole.Count > math.MaxInt32 {
		return fmt.Errorf("%d elements in one call: MPI counts in 32 bits", whole.Count)
	}
	if b.library != nil {
		if err := b.hasType(c.What.DataType); err != nil {
			return err
		}
		if c.What.DataType == collectives.BFloat16 && b.family == mpi.MPICH && c.What.Reduces() && c.What.Reduction != collectives.Sum {
			return fmt.Errorf("%s of bfloat16: MPICH has its sum alone, and ends the process when asked for another", c.What.Reduction)
		}
	}
	_, err = b.resolve(c)
	return err
}

func reductionless(r collectives.Reduction) bool {
	_, ok := reductions[r]
	return !ok
}

func (b *Backend) hasType(d collectives.DataType) error {
	t := dataTypes[d]
	err, known := b.has[t]
	if !known {
		if err = b.library.Has(t); err != nil {
			err = fmt.Errorf("%s: %w", d, err)
		}
		b.has[t] = err
	}
	return err
}

// families are those that the library may be of.
func (b *Backend) families() []mpi.Family {
	if b.library != nil {
		return []mpi.Family{b.family}
	}
	if guess := mpi.Guess(os.Getenv); guess != nil {
		return guess
	}
	return []mpi.Family{mpi.OpenMPI, mpi.MPICH, mpi.Intel}
}

// setting is how a library is told of a case's algorithm and variant, and asked whether it has understood.
type setting struct {
	environment []string
	evidence    func(l *mpi.Library) bench.Evidence
}

// resolve finds what the case's algorithm and variant come to for the libraries that there may be: one setting each.
func (b *Backend) resolve(c bench.Case) (list []setting, err error) {
	_, named := bench.VariantEnvironment(c.How.Variant)
	v, err := findVariant(named)
	if err != nil {
		return nil, err
	}
	families := b.families()
	if v.family != "" && !slices.Contains(families, v.family) {
		return nil, fmt.Errorf("variant %s is one of %s, not of %s", v.name, v.family, families[0])
	}
	if c.What.Operation != "" || c.What.Algorithm == bench.Auto {
		return []setting{{v.settings, left}}, nil
	}
	if o, ok := v.find(c); ok {
		return []setting{{o.settings, nothing}}, nil
	}
	var refused error
	for _, d := range dialects {
		if !slices.Contains(families, d.family) || v.name != "" {
			continue
		}
		k, ok := d.find(c)
		if !ok {
			continue
		}
		if k.limit != nil {
			if refused = k.limit(c); refused != nil {
				refused = fmt.Errorf("%s of %s: %w", k.algorithm, d.family, refused)
				continue
			}
		}
		list = append(list, setting{d.settings(k), func(l *mpi.Library) bench.Evidence { return d.evidence(k, l) }})
	}
	if list == nil && refused == nil {
		names := make([]string, len(families))
		for i, f := range families {
			names[i] = string(f)
		}
		refused = fmt.Errorf("%s: %s cannot be told to use %s", c.What.Collective, strings.TrimSpace(strings.Join(names, ", ")+" "+v.name), c.What.Algorithm)
	}
	if list != nil {
		return list, nil
	}
	return nil, refused
}

// left is the evidence where the choice was left to the library.
func left(l *mpi.Library) bench.Evidence {
	return bench.Evidence{Source: "library", Detail: brief(l.Version()) + " chose"}
}

// brief leaves of a version what names it: all that follows says when and how it was built.
func brief(version string) string {
	version, _, _ = strings.Cut(version, ",")
	version, _, _ = strings.Cut(version, " MPICH Release")
	return version
}

func nothing(*mpi.Library) bench.Evidence { return bench.Evidence{} }

// Algorithms implements bench.Backend: those that the libraries that there may be can be told to use.
func (b *Backend) Algorithms(c collectives.Collective) (names []string) {
	add := func(collective collectives.Collective, name string) {
		if collective == c && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	families := b.families()
	for _, d := range dialects {
		if slices.Contains(families, d.family) {
			for _, k := range d.choices {
				add(k.collective, k.algorithm)
			}
		}
	}
	for _, v := range variants {
		if slices.Contains(families, v.family) {
			for _, o := range v.algorithms {
				add(o.collective, o.algorithm)
			}
		}
	}
	return names
}

// Variants lists the variants with what they are: "name  summary".
func (b *Backend) Variants() (lines []string) {
	for _, v := range variants {
		lines = append(lines, fmt.Sprintf("%-10s %s", v.name, v.summary))
	}
	return lines
}

// Environment lists the variables "NAME=VALUE" that the worker processes need at their start for the case's algorithm and
// variant: those of every library that there may be, as no other minds them. An MPI library reads them once.
func (b *Backend) Environment(c bench.Case) (variables []string, err error) {
	list, err := b.resolve(c)
	for _, s := range list {
		variables = append(variables, s.environment...)
	}
	return variables, err
}

// maxCard bounds what Meet passes on, in bytes.
const maxCard = 1000

// Meet implements bench.Meeter: it makes this process a rank of the MPI world of its launcher, and brings rank 0's card to all. Every rank calls it at once,
// on its locked main thread. The error says where the library is not the launcher's.
func (b *Backend) Meet(ctx context.Context, card []byte) (rank, ranks int, rank0card []byte, err error) {
	if len(card) > maxCard {
		return 0, 0, nil, fmt.Errorf("a card of %d bytes: at most %d", len(card), maxCard)
	}
	if err := b.start(); err != nil {
		return 0, 0, nil, err
	}
	message := make([]byte, 2+maxCard)
	if b.library.Rank() == 0 {
		binary.BigEndian.PutUint16(message, uint16(len(card)))
		copy(message[2:], card)
	}
	if err := b.library.Broadcast(message, 0); err != nil {
		return 0, 0, nil, err
	}
	n := int(binary.BigEndian.Uint16(message))
	if n > maxCard {
		return 0, 0, nil, fmt.Errorf("rank 0's card has %d bytes: at most %d", n, maxCard)
	}
	return b.library.Rank(), b.library.Size(), message[2 : 2+n], ctx.Err()
}

// start opens the library and initialises MPI.
func (b *Backend) start() error {
	if b.library != nil {
		return errors.New("MPI is initialised already")
	}
	l, err := mpi.Open(mpi.Candidates(os.Getenv)...)
	if err != nil {
		return err
	}
	if err := l.Init(); err != nil {
		return err
	}
	if err := mpi.Mismatch(os.Getenv, l.Name(), l.Rank(), l.Size()); err != nil {
		return err
	}
	b.library, b.family, b.has = l, mpi.FamilyOf(l.Version()), map[mpi.Type]error{}
	return nil
}

// Exit implements bench.Meeter. MPICH says goodbye to its launcher in an exit handler of C, which os.Exit leaves out, and without
// it hydra takes the rank for dead.
func (b *Backend) Exit(code int) {
	if b.library != nil {
		_ = b.library.Finalize() // where no communicator was opened
	}
	mpi.Exit(code)
}

// Open implements bench.Backend. The group is that of the MPI world that Meet has joined.
func (b *Backend) Open(ctx context.Context, group bench.Group) (bench.Communicator, error) {
	if b.library == nil {
		return nil, errors.New("MPI was not initialised: the mpi backend measures between ranks that an MPI launcher starts (mpirun -n 2 collbench run --backend mpi)")
	}
	if group.Ranks() != b.library.Size() || int(group.Node()) != b.library.Rank() {
		return nil, fmt.Errorf("%s makes this process rank %d of %d, but it is rank %d of %d here; COLLBENCH_LIBMPI names another library",
			b.library.Name(), b.library.Rank(), b.library.Size(), group.Node(), group.Ranks())
	}
	return &communicator{backend: b, group: group}, nil
}
