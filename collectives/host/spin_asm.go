//go:build amd64 || arm64

package host

// pause tells the CPU that the thread is spinning: the other one of its core gets the core's resources.
func pause()

// storeRelease writes v behind all that was written before, for whoever sees v: on amd64 any store does, and the
// call keeps the compiler from moving it.
//
//go:noescape
func storeRelease(p *uint64, v uint64)

// prefetch asks for the cache line of p.
//
//go:noescape
func prefetch(p *byte)
