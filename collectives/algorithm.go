package collectives

import (
	"fmt"
	"slices"
)

// Algorithm is one way to carry out one or more collectives, as the program of one node.
type Algorithm struct {
	Name        string
	Summary     string                                   // rounds, bytes on the wire, source
	Collectives []Collective                             // those it can carry out
	Pipelined   []Collective                             // those for which Shape.Chunks matters
	Refuses     func(Shape) error                        // a reasoned refusal of a shape; nil: none
	Switches    func(Shape) int                          // switch nodes it needs; nil: none
	Scratch     func(Shape) int                          // elements of Scratch on every node; nil: none
	Place       func(s Shape, v Node) (level, index int) // where a switch sits: level 0 an NVSwitch, from 1 up the tiers of the network
	Program     func(s Shape, v Node) []Phase            // what node v does; called with shapes that Supports accepts
}

// Supports says whether the algorithm can carry out the shape; the error is the reason why not.
func (a Algorithm) Supports(s Shape) error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("%s %s: %w", s.Collective, a.Name, err)
	}
	if !slices.Contains(a.Collectives, s.Collective) {
		return fmt.Errorf("%s has no algorithm %q", s.Collective, a.Name)
	}
	if a.Refuses == nil {
		return nil
	}
	if err := a.Refuses(s); err != nil {
		return fmt.Errorf("%s %s: %w", s.Collective, a.Name, err)
	}
	return nil
}

// Nodes is the number of ranks and switches together.
func (a Algorithm) Nodes(s Shape) int {
	if a.Switches == nil {
		return s.Ranks
	}
	return s.Ranks + a.Switches(s)
}

// ScratchSize is the length of a node's scratch buffer in elements.
func (a Algorithm) ScratchSize(s Shape) int {
	if a.Scratch == nil {
		return 0
	}
	return a.Scratch(s)
}

// chunkBytes and maxChunks bound DefaultChunks. A pipeline of depth d with c chunks costs (c+d)/c of the streamed
// time: 128 chunks bring a depth of 3 (NVLS) within 2.4 %. Chunks below 32 KiB are dominated by the latency of a
// message on every transport measured (docs/performance.md).
const (
	chunkBytes = 32 << 10
	maxChunks  = 256
)

// DefaultChunks is the number of chunks for a whole buffer of so many bytes: 1 unless the algorithm carries out the
// collective as a pipeline.
func (a Algorithm) DefaultChunks(c Collective, bytes int64) int {
	if !slices.Contains(a.Pipelined, c) {
		return 1
	}
	return int(min(max(1, bytes/chunkBytes), maxChunks))
}

// Traffic is what crosses a node's interface when it carries out its program once. Local copies do not count.
type Traffic struct {
	Sends, Receives int // messages
	Sent, Received  int // elements
	Accumulated     int // elements combined by the node
	Rounds          int // of the last move + 1
}
