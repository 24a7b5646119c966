// Package start is collbench's own launcher: it starts the ranks of a job on hosts, over ssh or right here, and brings
// them what bench/launch asks for.
//
// It stands before everything that is measured: the command line gives it hosts and a command, and it ends when the
// ranks have ended. On every host one process, the starter, gets its part of the job through its standard input,
// starts the host's ranks and passes on what they print; between host and host there is nothing but ssh's own
// connection. Rank 0's card (address and secret) goes from rank 0 through a pipe to its starter, to the launcher, to
// the other starters and through a pipe to their ranks: no port is guessed, no address is, and no secret is on a
// command line or in an environment. A starter whose standard input ends ends its ranks.
package start
