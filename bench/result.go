package bench

import "time"

// SampleSchema and ResultSchema are the names of what is stored and of what is printed.
const (
	SampleSchema = "collbench.samples/1"
	ResultSchema = "collbench.result/1"
)

// Status says what became of a case.
type Status string

// The statuses. Unproven: measured, but nothing shows which algorithm ran, or the figure is not one of the links
// (Error says which). Wrong: elements of the result were not what they must be.
const (
	OK          Status = "ok"
	Unproven    Status = "unproven"
	Wrong       Status = "wrong"
	Failed      Status = "failed"
	Skipped     Status = "skipped"
	Interrupted Status = "interrupted"
)

// MaxSamples is the most samples that a Result keeps for a rank.
const MaxSamples = 1000

// Result is one finished case: one line of results.jsonl.
type Result struct {
	Schema string `json:"schema"`
	Case
	Launch              int         `json:"launch"` // 0, 1, …: which fresh start of all ranks
	Order               int         `json:"order"`  // place in the order of measuring
	Start               time.Time   `json:"start"`
	Status              Status      `json:"status"`
	Error               string      `json:"error,omitempty"`
	Fault               *Fault      `json:"fault,omitempty"`   // what the watchdog knows of a case that failed
	Note                string      `json:"note,omitempty"`    // such as "precision 1 % not reached: 2.3 %"
	Seconds             [][]float64 `json:"seconds,omitempty"` // rank × sample, at most MaxSamples each
	IterationsPerSample int         `json:"iterations_per_sample,omitempty"`
	Wrong               *int64      `json:"wrong,omitempty"` // elements; absent where nothing was verified
	Evidence            Evidence    `json:"evidence"`
	Chunks              int         `json:"chunks,omitempty"`     // those really used
	Counted             []LinkBytes `json:"counted,omitempty"`    // by rank
	CountedOn           string      `json:"counted_on,omitempty"` // OnNVLink, OnInfiniBand; absent: a virtual cluster's links
	Clocks              []Clocks    `json:"clocks,omitempty"`     // by rank
	Simulated           bool        `json:"simulated,omitempty"`
	CPU                 *CPU        `json:"cpu,omitempty"` // of the timed iterations
}

// Evidence is what shows which algorithm ran.
type Evidence struct {
	Observed string `json:"observed,omitempty"` // the algorithm that ran; empty where nothing tells
	Source   string `json:"source,omitempty"`   // "program", "control variable", "profiler", "debug log", "counters"; "library": it chose, as it was left to; empty: none
	Detail   string `json:"detail,omitempty"`
	// Via are the ways by which the library says that it reaches other hosts: "NET/IB/GDRDMA", "COLLNET, NET/Socket"; empty
	// where it does not say.
	Via string `json:"via,omitempty"`
	// StandIn says that a library carried it out that only stands in for the real one: the result is simulated.
	StandIn bool `json:"stand_in,omitempty"`
}

// LinkBytes is what a rank's link carried in one timed iteration on the average, from the link's own counters and
// with all headers, but for NVLink, which counts data alone. Ranks that share a link share its bytes evenly.
type LinkBytes struct {
	Sent     float64 `json:"bytes_sent"`
	Received float64 `json:"bytes_received"`
}

// CPU is how busy the processors were in the timed iterations.
type CPU struct {
	Busy float64 `json:"busy"` // 0 … 1 of all processors that the run may use
}
