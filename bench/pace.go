package bench

import "os"

// Pace holds the data connections of a run to the rates of links that are not really there: where a virtual cluster
// may not have network namespaces. A Group that has one also implements PacedGroup.
type Pace struct {
	File  *os.File   // shared by all nodes of the run, at least Bytes long, zeros at the start
	Links []LinkInfo // nodes on hosts that are not listed are not held back
}

// Bytes is the length that File needs.
func (p Pace) Bytes() int64 { return 16 * int64(len(p.Links)+1) }

// PacedGroup is a group whose connections are held to the rates of links.
type PacedGroup interface {
	Group
	Pace() *Pace // nil: not held back
}
