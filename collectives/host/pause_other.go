//go:build !amd64 && !arm64

package host

// pause is for CPUs whose spinning needs no telling.
func pause() {}
