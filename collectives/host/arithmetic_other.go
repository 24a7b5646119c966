//go:build !amd64

package host

import "collbench/collectives"

// wide is the type of vectorised reductions, of which this architecture has none: the scalar ones do all the work.
type wide func(out, a, b *byte, n int)

const wideBytes = 32

func wideFor(collectives.DataType, collectives.Reduction) wide { return nil }
