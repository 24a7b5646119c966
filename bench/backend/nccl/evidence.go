package nccl

import (
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/cgo/nccl"
	"collbench/collectives"
)

// observed are our names for NCCL's algorithms. NVLS across hosts goes over CollNet, or NCCL does not choose it
// (updateCollCostTable in src/enqueue.cc).
func observed(name string, hosts int) string {
	switch {
	case name == "NVLS" && hosts > 1:
		return "nvls+sharp"
	case strings.HasPrefix(name, "COLLNET_"):
		return "sharp"
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// shown is what the records of the profiler plugin, or else NCCL's log, show of the case: which algorithm ran its
// operations of so many elements.
//
// Symmetric kernels raise no event of their own: a call without one shows them, where the buffers are windows. Elsewhere
// it shows nothing.
func shown(c bench.Case, count int, windows bool, records []nccl.Record, lost uint64, log debugLog) bench.Evidence {
	function := functions[c.What.Collective]
	if function == "" {
		return bench.Evidence{Source: "library", Detail: "NCCL makes it of sends and receives", Via: log.ways()}
	}
	wanted := uint64(count) * uint64(c.What.DataType.Size())
	var names, details []string
	var runs, calls uint64
	for _, r := range records {
		switch {
		case r.Function != function || bytesOf(r) != wanted:
		case r.Event == nccl.CollectiveCall:
			calls += r.Times
		case r.Event == nccl.CollectiveRun:
			runs += r.Times
			names = append(names, r.Algorithm)
			details = append(details, fmt.Sprintf("%d × %s %s, %d channels", r.Times, r.Algorithm, r.Protocol, r.Channels))
		case r.Event == nccl.CopyEngineRun:
			names = append(names, "copy engine")
			details = append(details, fmt.Sprintf("%d × by copy engines", r.Times))
		}
	}
	source := "profiler"
	if windows && symmetric[c.What.Collective] && calls > runs && !slices.Contains(names, "copy engine") {
		names = append(names, "symmetric")
		details = append(details, fmt.Sprintf("%d calls without a kernel of an algorithm", calls-runs))
	}
	if names == nil {
		names, details = fromLog(c, count, log)
		source = "debug log"
	}
	if names == nil {
		return bench.Evidence{Via: log.ways()}
	}
	if lost > 0 {
		details = append(details, fmt.Sprintf("%d operations not recorded", lost))
	}
	return bench.Evidence{Observed: asAsked(c, names), Source: source, Detail: strings.Join(append(details, log.collNet(c)...), "; "), Via: log.ways()}
}

// ways are those by which the log says that other nodes are reached.
func (d debugLog) ways() string {
	ways := slices.Clone(d.via)
	if d.connected {
		ways = append(ways, "COLLNET")
	}
	slices.Sort(ways)
	return strings.Join(ways, ", ")
}

// asAsked are our names of what ran, each once. A CollNet algorithm has the name by which it was asked for if that
// covers it: sharp, or its own.
func asAsked(c bench.Case, names []string) string {
	var list []string
	for _, name := range names {
		ours := observed(name, c.Where.Hosts)
		if own := strings.ToLower(strings.ReplaceAll(name, "_", "")); own == c.What.Algorithm {
			ours = own
		}
		if !slices.Contains(list, ours) {
			list = append(list, ours)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " and ")
}

// fromLog is what the log shows for operations of the case's size. Versions before 2.23 do not name the function.
func fromLog(c bench.Case, count int, log debugLog) (names, details []string) {
	for _, ch := range log.choices {
		if !ch.of(c, count) {
			continue
		}
		name := ch.algorithm
		if name == "" {
			name = strings.ToLower(ch.other)
		}
		names = append(names, name)
		details = append(details, strings.TrimSpace(fmt.Sprintf("%d bytes: %s %s", ch.bytes, name, ch.protocol)))
	}
	return names, details
}

// of says whether the choice is for operations of the case.
func (ch choice) of(c bench.Case, count int) bool {
	bytes := int64(count) * int64(c.What.DataType.Size())
	whole := bytes
	if c.What.Collective.Blocked() {
		whole *= int64(c.Where.Ranks)
	}
	return (ch.bytes == bytes || ch.bytes == whole) && (ch.function == "" || ch.function == functions[c.What.Collective])
}

// collNet is what the log says of CollNet, where the case asks for it.
func (d debugLog) collNet(c bench.Case) (details []string) {
	if !strings.Contains(c.What.Algorithm, "sharp") && !strings.HasPrefix(c.What.Algorithm, "collnet") {
		return nil
	}
	if d.connected {
		details = append(details, "CollNet connected")
	}
	if d.sharp != "" {
		details = append(details, d.sharp)
	}
	if d.disabled != "" {
		details = append(details, d.disabled)
	}
	return details
}

// wrongProtocol says which protocol ran where another one was asked for; "" if none did.
func wrongProtocol(asked string, c bench.Case, count int, records []nccl.Record) string {
	for _, r := range records {
		if asked != "" && r.Event == nccl.CollectiveRun && r.Function == functions[c.What.Collective] &&
			bytesOf(r) == uint64(count)*uint64(c.What.DataType.Size()) && r.Protocol != asked {
			return r.Protocol
		}
	}
	return ""
}

// symmetric are the collectives that have symmetric kernels (src/device/symmetric).
var symmetric = map[collectives.Collective]bool{collectives.AllReduce: true, collectives.AllGather: true, collectives.ReduceScatter: true}

// bytesOf is how long the operation was. NCCL tells of a broadcast or an all-gather as one of bytes, whatever its type was.
func bytesOf(r nccl.Record) uint64 { return r.Count * typeSizes[r.DataType] }

// typeSizes are sizes of elements by NCCL's names of types (ncclDatatypeToString in src/collectives.cc).
var typeSizes = map[string]uint64{
	"ncclInt8": 1, "ncclUint8": 1, "ncclInt32": 4, "ncclUint32": 4, "ncclInt64": 8, "ncclUint64": 8, "ncclFloat16": 2, "ncclFloat32": 4,
	"ncclFloat64": 8, "ncclBfloat16": 2, "ncclFloat8e4m3": 1, "ncclFloat8e5m2": 1, "Unknown": 1, // uint8 has no name there
}
