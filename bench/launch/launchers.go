package launch

import (
	"context"
	"fmt"
	"strings"
)

// Launcher is one way in which a process can have been started.
type Launcher struct {
	Name    string
	Summary string
	// Find reads what the variables tell. Nil without an error: they are not this launcher's.
	Find func(Variables) (*World, error)
	// Open completes what the variables leave open, and opens the way by which rank 0's card reaches the others.
	// Nil: there is nobody else.
	Open func(ctx context.Context, w *World, v Variables) (Exchange, error)
}

// All lists the launchers in the order in which they are tried. What was said on purpose comes first. PMIx and PMI
// come before the variables of a batch system, because mpirun's children inherit those of the job that mpirun itself
// runs in; torchrun sets its own for every process, and Slurm's can stand around it.
var All = []Launcher{
	{"collbench", "COLLBENCH_RANK and COLLBENCH_SIZE, or --rank and --ranks", findOwn, openOwn},
	{"pmix", "Open MPI 4 and 5, PRRTE, srun --mpi=pmix", findPMIx, openPMIx},
	{"pmi1", "hydra (MPICH, Intel MPI), srun --mpi=pmi2", findPMI, openPMI},
	{"torchrun", "torchrun, or its variables: RANK, WORLD_SIZE, MASTER_ADDR", findTorchrun, openTorchrun},
	{"slurm", "srun without a PMI", findSlurm, openSlurm},
	{"indexed-job", "a Kubernetes Indexed Job or JobSet", findIndexed, openIndexed},
	{Alone, "nobody: the ranks are started here", findAlone, nil},
}

// Alone is the name of the launcher that is none.
const Alone = "alone"

// Find finds the launcher that has started this process: the first of All that knows it, or the one with the name
// forced, if that is not "". Where others disagree the world says so.
func Find(v Variables, forced string) (*World, error) {
	var found *World
	for _, l := range All {
		if forced != "" && l.Name != forced {
			continue
		}
		w, err := l.Find(v)
		if err == nil && w != nil {
			err = w.check()
		}
		switch {
		case err != nil && found == nil:
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		case err != nil:
			found.Contradict = append(found.Contradict, fmt.Sprintf("%s: %v", l.Name, err))
		case w == nil || l.Name == Alone && found != nil:
		case found == nil:
			found = w
		default:
			found.compare(w)
		}
	}
	switch {
	case found == nil && named(forced) == nil:
		return nil, fmt.Errorf("unknown launcher %q: want one of %s", forced, strings.Join(names(), ", "))
	case found == nil:
		return nil, fmt.Errorf("%s: its variables are not there", forced)
	}
	return found, nil
}

// named is the launcher of a name; nil: there is none.
func named(name string) *Launcher {
	for i := range All {
		if All[i].Name == name {
			return &All[i]
		}
	}
	return nil
}

func names() []string {
	var list []string
	for _, l := range All {
		list = append(list, l.Name)
	}
	return list
}

// compare notes where another launcher's variables say something else.
func (w *World) compare(other *World) {
	for _, c := range []struct {
		what         string
		mine, theirs int
		known        bool
	}{
		{"rank", w.Rank, other.Rank, true},
		{"size", w.Size, other.Size, w.Size > 0 && other.Size > 0},
		{"local rank", w.LocalRank, other.LocalRank, w.LocalRank >= 0 && other.LocalRank >= 0},
		{"local size", w.LocalSize, other.LocalSize, w.LocalSize > 0 && other.LocalSize > 0},
	} {
		if c.known && c.mine != c.theirs {
			w.Contradict = append(w.Contradict, fmt.Sprintf("%s is %d by %s, but %d by %s",
				c.what, c.mine, w.source(c.what), c.theirs, other.source(c.what)))
		}
	}
	w.Slots = max(w.Slots, other.Slots, other.Size)
}

// source names what a part of the world comes from.
func (w *World) source(what string) string {
	for _, s := range w.From {
		if s.What == what {
			return s.Where
		}
	}
	return w.Launcher
}

// Lonely says why a world of one rank is not to be believed; nil if it is, or if it has more ranks. The message
// says how to insist.
func (w *World) Lonely() error {
	if w.Size != 1 || w.Slots <= 1 {
		return nil
	}
	return fmt.Errorf("%s started this process alone, but the job has room for %d: one rank would pass for all; "+
		"start all of them, or say --launcher alone to measure on this host", w.By, w.Slots)
}
