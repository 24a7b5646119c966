package launch

import (
	"fmt"
	"strconv"
	"strings"
)

// World is what a process knows of the job that it was started in.
type World struct {
	Launcher   string   `json:"launcher"` // name of one of All
	By         string   `json:"by"`       // the program behind it, as far as it shows: "Open MPI", "hydra"
	Rank       int      `json:"rank"`
	Size       int      `json:"size"`       // ranks; 0: the variables do not tell
	LocalRank  int      `json:"local_rank"` // among the ranks of this host, as the launcher counts; −1: not told
	LocalSize  int      `json:"local_size"` // ranks on this host; 0: not told
	Slots      int      `json:"slots,omitempty"`
	From       []Source `json:"from"`
	Contradict []string `json:"contradictions,omitempty"`
}

// Source says where a part of a World comes from.
type Source struct {
	What  string `json:"what"` // "rank", "size", "local rank", "local size", "slots"
	Where string `json:"where"`
	Value int    `json:"value"`
}

// Variables are the environment variables of a process by name.
type Variables map[string]string

// Environ reads variables written as os.Environ writes them.
func Environ(list []string) Variables {
	v := Variables{}
	for _, text := range list {
		if name, value, ok := strings.Cut(text, "="); ok {
			v[name] = value
		}
	}
	return v
}

// has says whether all the variables are set and not empty.
func (v Variables) has(names ...string) bool {
	for _, name := range names {
		if v[name] == "" {
			return false
		}
	}
	return true
}

// maxRanks bounds the sizes and ranks that are believed.
const maxRanks = 1 << 20

// newWorld is a world of which nothing is known but its launcher.
func newWorld(launcher, by string) *World {
	return &World{Launcher: launcher, By: by, LocalRank: -1}
}

// reading reads whole numbers from variables into a world; the first error stays.
type reading struct {
	world     *World
	variables Variables
	err       error
}

// number takes a part of the world from the first of the variables that is set. low is the least value allowed.
func (r *reading) number(what string, target *int, low int, names ...string) {
	for _, name := range names {
		text := r.variables[name]
		if text == "" || r.err != nil {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > maxRanks {
			r.err = fmt.Errorf("%s=%q: want a whole number, %d … %d", name, text, low, maxRanks)
			return
		}
		r.set(what, target, n, name)
		return
	}
}

func (r *reading) set(what string, target *int, n int, where string) {
	*target = n
	r.world.from(what, n, where)
}

func (w *World) from(what string, value int, where string) {
	w.From = append(w.From, Source{what, where, value})
}

// check refuses a world that cannot be.
func (w *World) check() error {
	switch {
	case w.Size > 0 && w.Rank >= w.Size:
		return fmt.Errorf("rank %d of %d: ranks count from 0", w.Rank, w.Size)
	case w.LocalSize > 0 && w.LocalRank >= w.LocalSize:
		return fmt.Errorf("local rank %d of %d: local ranks count from 0", w.LocalRank, w.LocalSize)
	case w.Size > 0 && w.LocalSize > w.Size:
		return fmt.Errorf("%d ranks on this host, but %d in all", w.LocalSize, w.Size)
	}
	return nil
}

// String is "rank 2 of 4, by Open MPI".
func (w World) String() string {
	if w.Size == 0 {
		return fmt.Sprintf("rank %d, by %s", w.Rank, w.By)
	}
	return fmt.Sprintf("rank %d of %d, by %s", w.Rank, w.Size, w.By)
}
