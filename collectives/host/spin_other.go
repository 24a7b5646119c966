//go:build !amd64 && !arm64

package host

import "sync/atomic"

// pause is for CPUs whose spinning needs no telling.
func pause() {}

// storeRelease is an atomic store where there is no weaker one.
func storeRelease(p *uint64, v uint64) { atomic.StoreUint64(p, v) }

// prefetch is a hint that need not be taken.
func prefetch(*byte) {}
