package bench

// Fault is what the watchdog knows of a case that failed: which node did not go on, and where all of them were. It is
// the error too. Where nothing shows which node it was, the position is where they all were, without a rank and a host.
type Fault struct {
	Kind    FaultKind `json:"kind"`
	PID     int       `json:"pid,omitempty"`
	GivenUp float64   `json:"given_up_after,omitempty"` // seconds that the watchdog has waited
	Position
	Others []Position `json:"others,omitempty"` // the first of the other nodes
	Text   string     `json:"-"`
}

// FaultKind says what a node did.
type FaultKind string

// The kinds of faults.
const (
	FaultEnded   FaultKind = "ended"   // the process was killed, or ended by itself
	FaultStopped FaultKind = "stopped" // by a signal or a debugger
	FaultSilent  FaultKind = "silent"  // it does not answer the watchdog
	FaultStuck   FaultKind = "stuck"   // it answers, but does not go on
	FaultRefused FaultKind = "error"   // it said itself what is wrong
)

// Position is where a node was when it was last seen.
type Position struct {
	Rank      *int    `json:"rank,omitempty"`
	Switch    *int    `json:"switch,omitempty"` // instead of a rank
	Host      string  `json:"host,omitempty"`
	Stage     string  `json:"stage"`
	Iteration int64   `json:"iteration"` // from 0; of the stages warm-up and iterate
	Round     int64   `json:"round"`     // of the algorithm, where the backend has one
	WaitsFor  string  `json:"waits_for,omitempty"`
	Still     float64 `json:"still"` // seconds since it last went on, as far as it was seen
}

// Error is the sentence for people.
func (f *Fault) Error() string { return f.Text }
