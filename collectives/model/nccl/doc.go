// Package nccl is NCCL's own cost model: what NCCL believes that each of its algorithms and protocols takes, and which
// it therefore chooses.
//
// It stands beside package model, which prices an algorithm's program on a machine. Here no program is read: the
// constants are NCCL's (versions/*.json, a file for each version that changed them), the formula is the one of
// ncclTopoTuneModel and ncclTopoGetAlgoTime in NCCL's src/graph/tuning.cc, and the node is described as NCCL's search of
// the topology leaves it (machines/*.json, or a file of one's own): how many channels, and the bandwidth of each.
//
// Taken is what NCCL assumes with nothing set in the environment, one operation at a time, NVLink within a node and
// InfiniBand between, and no CollNet: so CollNetDirect, CollNetChain and, between nodes, NVLS have no price. Left out
// are also nodes that share an NVLink domain (MNNVL), several operations in one launch, registered buffers and 8-bit
// floating point.
//
// Tables and graphs are in NCCL's units, microseconds and GB/s, so that they can be held against its source; what the
// functions return is in seconds, bytes and bytes/s.
package nccl
