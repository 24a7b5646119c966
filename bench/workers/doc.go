// Package workers runs one process per node, a rank or a switch, and makes a bench.Team of them.
//
// It stands between the measuring loop and the backends: the loop's Prepare and Run go out over a socket to every
// process (a star: the parent is its centre), the samples come back. A watchdog bounds every phase; when a process
// dies or hangs, it names the node and ends them all.
//
// Nothing that the package makes has a name: sockets, shared memory and bells are inherited file descriptors, and
// a process ends with its parent. So nothing can be left behind.
package workers
