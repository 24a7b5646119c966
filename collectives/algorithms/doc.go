// Package algorithms holds the programs: one file is one algorithm, and one algorithm is the program of one node
// for each collective that it serves.
//
// It stands right behind package collectives on the data's way: the programs are proved by collectives.Check,
// counted by collectives.Count, carried out by collectives/host and priced by collectives/model, none of which
// knows an algorithm by name. What several algorithms share lives with the one it belongs to: the two halves of a
// ring in ring.go, of NVLink SHARP in nvls.go, the doubling and halving of power-of-two groups in
// recursive_doubling.go and recursive_halving.go.
//
// In the summaries S is the length of the whole buffer, N the number of ranks, c the number of chunks, g the ranks
// of a domain and k the number of domains. Bytes are those that the busiest rank sends; it receives as many unless
// said. Vectors are divided into parts that are rounded up, so the last parts may be shorter or empty.
//
// Sources:
//   - Thakur, Rabenseifner, Gropp: Optimization of Collective Communication Operations in MPICH, IJHPCA 19(1), 2005:
//     ring, recursive doubling and halving, binomial trees, scatter and all-gather, pairwise exchange.
//   - Rabenseifner: Optimization of Collective Reduction Operations, ICCS 2004: halving-doubling, the fold of ranks
//     above a power of two.
//   - Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient Algorithms for All-to-All Communications in Multiport
//     Message-Passing Systems, IEEE TPDS 8(11), 1997: bruck.
//   - Patarasuk, Yuan: Bandwidth Optimal All-reduce Algorithms for Clusters of Workstations, JPDC 69(2), 2009: ring.
//   - Sanders, Speck, Träff: Two-tree algorithms for full bandwidth broadcast, reduction and scan, Parallel
//     Computing 35(12), 2009, and NCCL's src/graph/trees.cc: tree.
//   - Graham et al.: Scalable Hierarchical Aggregation Protocol (SHArP), COMHPC 2016, and Scalable Hierarchical
//     Aggregation and Reduction Protocol (SHARP) Streaming-Aggregation, ISC 2020: sharp.
//   - Klenk, Jiang, Thorson, Dennison: An In-Network Architecture for Accelerating Shared-Memory Multiprocessor
//     Collectives, ISCA 2020, and NVIDIA's NVSwitch 3 presentation at Hot Chips 34, 2022: nvls, multicast.
//   - Jeaugey: PAT: a new algorithm for all-gather and reduce-scatter operations at scale, arXiv 2506.20252, 2025.
package algorithms
