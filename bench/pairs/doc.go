// Package pairs tests every pair of ranks of a fabric and names what is slow: a host, a network interface, a rank, or the
// way between two of them, and in which direction.
//
// It stands beside bench.Runner on the data's way and uses it: a schedule makes rounds of pairs that share no rank, a Survey
// has them measured, and what stood out once more; results go to the run folder like all others. From them Read makes
// matrices and Judge a Verdict, both recomputed whenever they are shown. docs/pairs.md says how it judges.
package pairs
