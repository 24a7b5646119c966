package certify

import (
	"embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

// Profile is a plan of acceptance.
type Profile struct {
	Name     string
	Summary  string
	Start    []string // words before "run" or "doctor" on the command line; none: on this machine, by collbench itself
	LineRate float64  // of a host's link, bytes per second in each direction; 0: not known
	Steps    []Step
	NotRun   []string // what the profile leaves out, in sentences
	Text     string   // the file
}

// Step is one command and what has to come of it.
type Step struct {
	Name      string
	Kind      Kind
	Arguments []string // of the command
	Launches  int      // fresh starts of a Run: 1 or more
	Optional  bool     // where the machine lacks what it needs, it is said not to have been run, and nothing is the worse
	Accept    Accept
}

// Kind is the command of a step.
type Kind string

// The kinds.
const (
	Run     Kind = "run"     // measures, under the profile's Start
	Train   Kind = "train"   // likewise: an all-reduce by itself, and with computing beside it
	Doctor  Kind = "doctor"  // looks at the hosts, under the profile's Start
	Storage Kind = "storage" // reads and writes files of this machine
)

// Accept is what has to come of a step. Bandwidths and times are judged at each algorithm's largest size. 0: not asked.
// That nothing fails and that no element is wrong is asked of every run.
type Accept struct {
	Model         float64 // fraction of the bandwidth that the model predicts for links of the profile's line rate, at least
	LineRate      float64 // fraction of the line rate that crosses a host's link, at least
	Repeatability float64 // largest difference between launches, as a fraction of the middle one, at most
	BusBW, AlgBW  float64 // bytes per second, at least
	Time          float64 // seconds, at most
	Faster        *Faster // nil: not asked
	Overlap       float64 // of Train: fraction of the shorter of communication and computing that the other hides, at least
	Read, Write   float64 // of Storage: bytes per second, at least
	Counters      bool    // whether error counters of ports must not grow
}

// Faster asks that one algorithm, or algorithm and variant, is so many times as fast as another.
type Faster struct {
	This, Than string
	By         float64
}

//go:embed profiles
var embedded embed.FS

// Names lists the profiles that come with collbench.
func Names() []string { return []string{"single-node", "two-node"} }

// Load gives a profile that comes with collbench, or reads the file of that name.
func Load(name string) (Profile, error) {
	var text []byte
	var err error
	file := name
	if slices.Contains(Names(), name) {
		file = name + ".yaml"
		text, err = embedded.ReadFile(path.Join("profiles", file))
	} else if text, err = os.ReadFile(name); err != nil {
		err = fmt.Errorf("no profile %q: want %s, or a file: %w", name, strings.Join(Names(), ", "), err)
	}
	if err != nil {
		return Profile{}, err
	}
	return Parse(file, text)
}

// Command is the command line of a step, without what the runner adds: where its results go.
func (p Profile) Command(s Step) []string {
	switch s.Kind {
	case Storage:
		return slices.Concat([]string{"storage"}, s.Arguments)
	case Doctor:
		return slices.Concat(p.Start, []string{"doctor"}, s.Arguments)
	}
	return slices.Concat(p.Start, []string{"run"}, s.Arguments)
}

// Virtual says whether the profile's steps run on a virtual cluster inside one machine.
func (p Profile) Virtual() bool { return len(p.Start) > 0 && p.Start[0] == "lab" }
