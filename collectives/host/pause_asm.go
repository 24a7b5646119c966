//go:build amd64 || arm64

package host

// pause tells the CPU that the thread is spinning: the other one of its core gets the core's resources.
func pause()
