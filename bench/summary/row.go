// Package summary turns a stored Result into the Row that is printed: medians and intervals, bandwidths, what the
// program must move and what the model says it must cost.
//
// It stands between the store and the reports. Rows are always recomputed from the raw samples, never stored.
package summary

import "collbench/bench"

// Row is one line of the schema collbench.result/1. Times are in seconds, sizes in bytes, rates in bytes per
// second. What is not known is absent, never 0.
type Row struct {
	Schema     string       `json:"schema"`
	Run        string       `json:"run"`
	Launch     int          `json:"launch"`
	Status     bench.Status `json:"status"`
	Error      string       `json:"error,omitempty"`
	Fault      *bench.Fault `json:"fault,omitempty"`
	Note       string       `json:"note,omitempty"`
	Backend    string       `json:"backend"`
	Collective string       `json:"collective,omitempty"` // absent for a point-to-point test
	Algorithm  string       `json:"algorithm"`            // as asked
	Variant    string       `json:"variant"`
	Observed   string       `json:"observed,omitempty"` // the algorithm that ran
	Evidence   *Evidence    `json:"evidence,omitempty"`
	Transport  string       `json:"transport"`
	Buffers    string       `json:"buffers"`
	Timing     bench.Timing `json:"timing"`
	Ranks      int          `json:"ranks"`
	Hosts      int          `json:"hosts"`
	Domain     int          `json:"domain"`
	Root       int          `json:"root"`             // 0 where the collective has no root
	Bytes      int64        `json:"bytes"`            // as asked
	Count      int          `json:"count,omitempty"`  // elements: of the buffer, or of a rank's block
	Chunks     int          `json:"chunks,omitempty"` // those in use
	DataType   string       `json:"dtype"`
	Reduction  string       `json:"op"` // "none" where the collective does not reduce
	InPlace    bool         `json:"in_place"`
	Samples    int          `json:"samples,omitempty"`
	Seconds    *Seconds     `json:"seconds,omitempty"`
	AlgBW      *float64     `json:"algbw,omitempty"`  // size of the whole buffer ÷ median; of a window, all bytes that the pairs send
	BusBW      *float64     `json:"busbw,omitempty"`  // algbw × the factor of nccl-tests
	WireBW     *float64     `json:"wirebw,omitempty"` // bytes that the busiest rank sends ÷ median
	Wrong      *int64       `json:"wrong,omitempty"`  // elements
	Simulated  bool         `json:"simulated"`
	Operations *Operations  `json:"operations,omitempty"`
	Counted    *Counted     `json:"counted,omitempty"`
	Throttled  []string     `json:"throttled,omitempty"` // what held a rank's device back: "sw_power_cap"
	Model      *Model       `json:"model,omitempty"`
	Operation  string       `json:"operation,omitempty"` // the point-to-point test
	From       *int         `json:"from,omitempty"`      // ranks of a point-to-point test of one pair
	To         *int         `json:"to,omitempty"`
	Window     int          `json:"window,omitempty"` // messages under way at once, where the test has a window
}

// Name is the name of the collective or of the point-to-point test.
func (r Row) Name() string {
	if r.Operation != "" {
		return r.Operation
	}
	return r.Collective
}

// Evidence is what shows which algorithm ran.
type Evidence struct {
	Source string `json:"source,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Seconds describes the iteration times, of which each is the slowest rank's.
type Seconds struct {
	Median float64  `json:"median"`
	Low    *float64 `json:"low,omitempty"`  // of the median's 95 % interval; absent with too few samples for one
	High   *float64 `json:"high,omitempty"` // likewise
	P99    *float64 `json:"p99,omitempty"`  // absent where a sample holds more than one iteration
}

// Operations is what the program makes one rank do: the largest over the ranks of each figure. Sends and Receives
// count slices of Size/N crossing the rank's interface, with one chunk and a size that N divides; the bytes and
// the messages are those of the case itself.
type Operations struct {
	Sends         float64 `json:"sends"`
	Receives      float64 `json:"receives"`
	BytesSent     int64   `json:"bytes_sent"`
	BytesReceived int64   `json:"bytes_received"`
	Messages      int     `json:"messages"` // sent and received
}

// Counted is what the links' own counters saw for one rank in one iteration, with all headers: the largest over
// the ranks.
type Counted struct {
	BytesSent     float64 `json:"bytes_sent"`
	BytesReceived float64 `json:"bytes_received"`
	On            string  `json:"on,omitempty"` // "nvlink", which counts no headers, "infiniband"; absent: links of a virtual cluster
}

// Model is what the machine description predicts.
type Model struct {
	Seconds float64 `json:"seconds"`
	BusBW   float64 `json:"busbw"`
}
