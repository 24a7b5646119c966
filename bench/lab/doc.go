// Package lab makes a virtual cluster on one machine: VMs as network namespaces, joined by a bridge with links of
// limited rate, whose bytes the kernel counts.
//
// It stands where bench/workers starts its processes: it gives each of them its VM, and the bytes of its link. A
// run in it is otherwise the same as on a real cluster: the same plan, measuring loop, results and report. All of it
// lives in namespaces that end with the process that made them (Enter); nothing has a name outside.
//
// Where a machine refuses namespaces, the same processes run over TCP on loopback, held back by the sender; no
// bytes are counted then.
package lab
