// Package bench is the library behind the command line: what a case is, what a backend must offer, the measuring
// loop, and what comes out of it.
//
// It stands in the middle of the data's way: flags or a YAML plan become cases; Run drives a Team of worker
// processes through them; each finished case is one Result, which a store keeps and reports read back. The package
// knows no backend, no process and no output format.
package bench

import (
	"fmt"

	"collbench/bench/unit"
	"collbench/collectives"
)

// Case is the identity of a measurement: comparable, so it serves as a map key.
type Case struct {
	What  What  `json:"what"`
	How   How   `json:"how"`
	Where Where `json:"where"`
}

// What is carried out: a collective, or a point-to-point test, whose Collective, Reduction, Root and InPlace are 0.
type What struct {
	Collective collectives.Collective `json:"collective"`
	Operation  string                 `json:"operation,omitempty"` // one of PointToPoints; empty: the collective
	Algorithm  string                 `json:"algorithm"`           // as asked; "auto" lets the backend choose
	DataType   collectives.DataType   `json:"dtype"`
	Reduction  collectives.Reduction  `json:"op"`    // Sum where the collective does not reduce
	Bytes      int64                  `json:"bytes"` // as asked, with the meaning of nccl-tests; of one message
	Root       int                    `json:"root"`
	InPlace    bool                   `json:"in_place"`
	Window     int                    `json:"window,omitempty"` // messages under way at once, where the test has a window
}

// How it is carried out.
type How struct {
	Backend   string `json:"backend"`
	Variant   string `json:"variant,omitempty"` // canonical other settings, "proto=simple,gdr=off"; empty by default
	Transport string `json:"transport"`         // "shm", "tcp", "shm+tcp", or TransportLibrary
	Buffers   string `json:"buffers"`           // "private", "registered"
	Timing    Timing `json:"timing"`
}

// Where it is carried out.
type Where struct {
	Ranks  int `json:"ranks"`
	Hosts  int `json:"hosts"`
	Domain int `json:"domain"` // ranks that share a host or NVLink domain
	Radix  int `json:"radix"`
	Chunks int `json:"chunks"`         // 0: the algorithm's default for the size
	From   int `json:"from,omitempty"` // the ranks of a point-to-point test of one pair
	To     int `json:"to,omitempty"`
	// Pairs are the ranks of a point-to-point test of several pairs at once, as PairList writes them; From and To are 0 then.
	Pairs string `json:"pairs,omitempty"`
	Again int    `json:"again,omitempty"` // 1, 2: they are tested once, twice more, because something of them stood out
}

// TransportLibrary is the transport of a backend whose library chooses by itself.
const TransportLibrary = "library"

// Timing is how iterations are timed.
type Timing string

// The ways of timing. Barrier times each iteration by itself after a barrier; Batch times iterations back to back
// and divides by their number, as nccl-tests and IMB do.
const (
	TimingBarrier Timing = "barrier"
	TimingBatch   Timing = "batch"
)

// Auto is the algorithm name by which the choice is left to the backend.
const Auto = "auto"

// Shape is what the algorithm a sees of the case. The error says why no such shape exists.
func (c Case) Shape(a collectives.Algorithm) (collectives.Shape, error) {
	if c.What.Operation != "" {
		return collectives.Shape{}, fmt.Errorf("%s is no collective: it has no algorithm", c.What.Operation)
	}
	s, err := c.Whole()
	if err != nil {
		return s, err
	}
	if c.Where.Domain > 0 {
		s.Local = c.Where.Domain
	}
	if c.Where.Radix > 0 {
		s.Radix = c.Where.Radix
	}
	s.Chunks = c.Where.Chunks
	if s.Chunks == 0 {
		s.Chunks = a.DefaultChunks(c.What.Collective, c.What.Bytes)
	}
	return s, a.Supports(s)
}

// String names the case in messages: "all_reduce 4 MiB ring", "latency 8 B".
func (c Case) String() string {
	if c.What.Operation != "" {
		return fmt.Sprintf("%s %s", c.What.Operation, unit.Bytes(c.What.Bytes))
	}
	return fmt.Sprintf("%s %s %s", c.What.Collective, unit.Bytes(c.What.Bytes), c.What.Algorithm)
}
