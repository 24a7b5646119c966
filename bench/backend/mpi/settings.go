package mpi

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/cgo/mpi"
	"collbench/collectives"
)

// This file is the list of what an MPI library can be told: algorithms by the names that collbench has for them, and variants.

// dialect is how the libraries of one family are told which algorithm to use, and how they show that they have understood.
type dialect struct {
	family mpi.Family
	// always makes a choice binding: "NAME=VALUE".
	always []string
	// variable is the environment variable that chooses, with %s for the collective as names has it.
	variable string
	names    map[collectives.Collective]string
	// shows is the control variable (MPI_T) of the choice, with %s likewise; "": the library shows nothing. demands are the
	// values that other control variables have to have if the choice is binding.
	shows   string
	demands []shown
	choices []choice
}

// shown is a control variable and its value. What can only be demanded when MPI is initialised is written then.
type shown struct {
	name  string
	value int
	write bool
}

// choice is an algorithm of a library.
type choice struct {
	collective collectives.Collective
	algorithm  string                 // ours
	value      string                 // the library's
	shown      string                 // as the control variable has it; "": anything but 0, which is "automatic"
	limit      func(bench.Case) error // where the library takes another one, by its source; nil: nowhere
}

var dialects = []dialect{
	// Open MPI, coll/tuned: the values are those of ompi/mca/coll/tuned/coll_tuned_*_decision.c (the same in 4.1 and 5.0), the
	// limits those of ompi/mca/coll/base/coll_base_*.c. Its priority puts tuned before every other component.
	{
		family:   mpi.OpenMPI,
		always:   []string{"OMPI_MCA_coll_tuned_use_dynamic_rules=1", "OMPI_MCA_coll_tuned_priority=100"},
		variable: "OMPI_MCA_coll_tuned_%s_algorithm", shows: "coll_tuned_%s_algorithm",
		demands: []shown{{name: "coll_tuned_use_dynamic_rules", value: 1}, {name: "coll_tuned_priority", value: 100}},
		names: map[collectives.Collective]string{
			collectives.AllReduce: "allreduce", collectives.AllGather: "allgather", collectives.ReduceScatter: "reduce_scatter_block",
			collectives.Broadcast: "bcast", collectives.Reduce: "reduce", collectives.AllToAll: "alltoall",
			collectives.Gather: "gather", collectives.Scatter: "scatter",
		},
		choices: []choice{
			{collectives.AllReduce, "recursive-doubling", "3", "3", nil},
			{collectives.AllReduce, "ring", "4", "4", elementPerRank},
			{collectives.AllReduce, "segmented-ring", "5", "5", elementPerRank},
			{collectives.AllReduce, "halving-doubling", "6", "6", elementPerPower},
			{collectives.AllGather, "direct", "1", "1", nil},
			{collectives.AllGather, "bruck", "2", "2", nil},
			{collectives.AllGather, "recursive-doubling", "3", "3", powerOfTwo},
			{collectives.AllGather, "ring", "4", "4", nil},
			{collectives.AllGather, "neighbor-exchange", "5", "5", even},
			{collectives.ReduceScatter, "recursive-doubling", "2", "2", nil},
			{collectives.ReduceScatter, "recursive-halving", "3", "3", nil},
			{collectives.Broadcast, "chain", "2", "2", nil},
			{collectives.Broadcast, "pipeline", "3", "3", nil},
			{collectives.Broadcast, "binomial", "6", "6", nil},
			{collectives.Broadcast, "scatter-allgather", "9", "9", elementPerRank},
			{collectives.Reduce, "pipeline", "3", "3", nil},
			{collectives.Reduce, "binomial", "5", "5", nil},
			{collectives.AllToAll, "direct", "1", "1", nil},
			{collectives.AllToAll, "pairwise", "2", "2", outOfPlace},
			{collectives.AllToAll, "bruck", "3", "3", outOfPlace},
			{collectives.Gather, "direct", "1", "1", nil},
			{collectives.Gather, "binomial", "2", "2", nil},
			{collectives.Scatter, "direct", "1", "1", nil},
			{collectives.Scatter, "binomial", "2", "2", nil},
		},
	},
	// MPICH: the values are those of src/mpi/coll/cvars.txt. Without the device's collectives what is chosen is what runs, and
	// where it cannot, the call fails instead of taking another one (0: error; not from the start, as MPI_Init has calls of its own
	// that must not fail).
	{
		family:   mpi.MPICH,
		always:   []string{"MPIR_CVAR_DEVICE_COLLECTIVES=none"},
		variable: "MPIR_CVAR_%s_INTRA_ALGORITHM", shows: "MPIR_CVAR_%s_INTRA_ALGORITHM",
		demands: []shown{{name: "MPIR_CVAR_DEVICE_COLLECTIVES", value: 1}, {name: "MPIR_CVAR_COLLECTIVE_FALLBACK", value: 0, write: true}},
		names:   upperNames,
		choices: []choice{
			{collectives.AllReduce, "recursive-doubling", "recursive_doubling", "", nil},
			{collectives.AllReduce, "halving-doubling", "reduce_scatter_allgather", "", nil},
			{collectives.AllReduce, "ring", "ring", "", nil},
			{collectives.AllGather, "bruck", "brucks", "", nil},
			{collectives.AllGather, "recursive-doubling", "recursive_doubling", "", nil},
			{collectives.AllGather, "ring", "ring", "", nil},
			{collectives.ReduceScatter, "recursive-doubling", "recursive_doubling", "", nil},
			{collectives.ReduceScatter, "recursive-halving", "recursive_halving", "", nil},
			{collectives.ReduceScatter, "pairwise", "pairwise", "", nil},
			{collectives.Broadcast, "binomial", "binomial", "", nil},
			{collectives.Broadcast, "scatter-allgather", "scatter_ring_allgather", "", nil},
			{collectives.Reduce, "binomial", "binomial", "", nil},
			{collectives.AllToAll, "bruck", "brucks", "", outOfPlace},
			{collectives.AllToAll, "pairwise", "pairwise", "", outOfPlace},
			{collectives.AllToAll, "direct", "scattered", "", outOfPlace},
			{collectives.Gather, "binomial", "binomial", "", nil},
			{collectives.Scatter, "binomial", "binomial", "", nil},
		},
	},
	// Intel MPI: the values are those of its Developer Reference, "I_MPI_ADJUST Family". It shows nothing of them.
	{
		family: mpi.Intel, variable: "I_MPI_ADJUST_%s", names: upperNames,
		choices: []choice{
			{collectives.AllReduce, "recursive-doubling", "1", "", nil},
			{collectives.AllReduce, "halving-doubling", "2", "", nil},
			{collectives.AllReduce, "ring", "8", "", nil},
			{collectives.AllGather, "recursive-doubling", "1", "", nil},
			{collectives.AllGather, "bruck", "2", "", nil},
			{collectives.AllGather, "ring", "3", "", nil},
			{collectives.Broadcast, "binomial", "1", "", nil},
			{collectives.Broadcast, "ring", "3", "", nil},
			{collectives.Reduce, "binomial", "2", "", nil},
			{collectives.AllToAll, "bruck", "1", "", nil},
			{collectives.AllToAll, "direct", "2", "", nil},
			{collectives.AllToAll, "pairwise", "3", "", nil},
			{collectives.Gather, "binomial", "1", "", nil},
			{collectives.Scatter, "binomial", "1", "", nil},
		},
	},
}

var upperNames = map[collectives.Collective]string{
	collectives.AllReduce: "ALLREDUCE", collectives.AllGather: "ALLGATHER", collectives.ReduceScatter: "REDUCE_SCATTER_BLOCK",
	collectives.Broadcast: "BCAST", collectives.Reduce: "REDUCE", collectives.AllToAll: "ALLTOALL",
	collectives.Gather: "GATHER", collectives.Scatter: "SCATTER",
}

// variant is a set of settings besides the algorithm.
type variant struct {
	name, summary string
	family        mpi.Family
	settings      []string
	// algorithms are those that are the variant's own, by their settings. Nothing here reads what HCOLL or UCC log, so that they
	// stay unproven.
	algorithms []own
}

type own struct {
	collective collectives.Collective
	algorithm  string
	settings   []string
}

// variants are of an Open MPI with HCOLL or UCC, such as HPC-X. HCOLL: NVIDIA's HPC-X manual, "HCOLL", and "Using NVIDIA SHARP with
// Open MPI" (3: force SHARP for all communicators); UCC: its docs/user_guide.md.
var variants = []variant{
	{
		name: "hcoll", summary: "Open MPI with HCOLL (HPC-X); SHARP off but for the algorithm sharp", family: mpi.OpenMPI,
		settings: []string{"OMPI_MCA_coll_hcoll_enable=1", "HCOLL_ENABLE_SHARP=0"},
		algorithms: []own{
			{collectives.AllReduce, "sharp", []string{"OMPI_MCA_coll_hcoll_enable=1", "HCOLL_ENABLE_SHARP=3"}},
		},
	},
	{
		name: "ucc", summary: "Open MPI with UCC; SHARP off but for the algorithm sharp", family: mpi.OpenMPI,
		settings: []string{"OMPI_MCA_coll_ucc_enable=1", "OMPI_MCA_coll_ucc_priority=100", "UCC_CL_BASIC_TLS=^sharp"},
		algorithms: []own{
			{collectives.AllReduce, "sharp", []string{"OMPI_MCA_coll_ucc_enable=1", "OMPI_MCA_coll_ucc_priority=100",
				"UCC_CL_BASIC_TLS=ucp,sharp", "UCC_TL_SHARP_TUNE=allreduce:inf"}},
		},
	},
}

func findVariant(name string) (variant, error) {
	if name == "" {
		return variant{}, nil
	}
	var names []string
	for _, v := range variants {
		if v.name == name {
			return v, nil
		}
		names = append(names, v.name)
	}
	return variant{}, fmt.Errorf("the mpi backend has no variant %q: want default, %s, or settings such as UCX_TLS=tcp", name, strings.Join(names, ", "))
}

// find is the variant's own algorithm for the case.
func (v variant) find(c bench.Case) (own, bool) {
	i := slices.IndexFunc(v.algorithms, func(o own) bool {
		return o.collective == c.What.Collective && o.algorithm == c.What.Algorithm
	})
	if i < 0 {
		return own{}, false
	}
	return v.algorithms[i], true
}

// find is the library's choice for the case's algorithm.
func (d dialect) find(c bench.Case) (choice, bool) {
	i := slices.IndexFunc(d.choices, func(k choice) bool {
		return k.collective == c.What.Collective && k.algorithm == c.What.Algorithm
	})
	if i < 0 {
		return choice{}, false
	}
	return d.choices[i], true
}

// settings are the environment that has libraries of this family use the choice.
func (d dialect) settings(k choice) []string {
	return append(slices.Clone(d.always), fmt.Sprintf(d.variable, d.names[k.collective])+"="+k.value)
}

// variables are the control variables of a library.
type variables interface {
	Variable(name string) (value, meaning string, ok bool)
	Set(name string, value int) bool
}

// evidence asks the library whether it has understood the choice. Without an answer nothing is shown.
func (d dialect) evidence(k choice, l variables) bench.Evidence {
	if d.shows == "" {
		return bench.Evidence{}
	}
	name := fmt.Sprintf(d.shows, d.names[k.collective])
	value, meaning, ok := l.Variable(name)
	if !ok || value != k.shown && (k.shown != "" || value == "0") {
		return bench.Evidence{}
	}
	detail := name + "=" + value
	if meaning != "" {
		detail += " (" + meaning + ")"
	}
	for _, s := range d.demands {
		if s.write && !l.Set(s.name, s.value) {
			return bench.Evidence{}
		}
		if value, _, ok := l.Variable(s.name); !ok || value != strconv.Itoa(s.value) {
			return bench.Evidence{}
		}
		detail += fmt.Sprintf(", %s=%d", s.name, s.value)
	}
	return bench.Evidence{Observed: k.algorithm, Source: "control variable", Detail: detail + ", read back through MPI_T"}
}

// elements is the length of the vector in elements.
func elements(c bench.Case) int64 { return c.What.Bytes / int64(c.What.DataType.Size()) }

func elementPerRank(c bench.Case) error {
	if elements(c) < int64(c.Where.Ranks) {
		return fmt.Errorf("%d elements for %d ranks: with fewer than one each the library takes another algorithm", elements(c), c.Where.Ranks)
	}
	return nil
}

func elementPerPower(c bench.Case) error {
	if power := int64(1) << (bits.Len(uint(c.Where.Ranks)) - 1); elements(c) < power {
		return fmt.Errorf("%d elements: with fewer than %d the library takes another algorithm", elements(c), power)
	}
	return nil
}

func powerOfTwo(c bench.Case) error {
	if c.Where.Ranks&(c.Where.Ranks-1) != 0 {
		return fmt.Errorf("%d ranks: without a power of two the library takes another algorithm", c.Where.Ranks)
	}
	return nil
}

func even(c bench.Case) error {
	if c.Where.Ranks%2 != 0 {
		return fmt.Errorf("%d ranks: with an odd number the library takes another algorithm", c.Where.Ranks)
	}
	return nil
}

func outOfPlace(c bench.Case) error {
	if c.What.InPlace {
		return fmt.Errorf("%s in place: the library has one algorithm for that", c.What.Collective)
	}
	return nil
}
