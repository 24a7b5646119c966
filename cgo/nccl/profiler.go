//go:build cgo

package nccl

/*
#include "record.h"
*/
import "C"

import (
	"cmp"
	"slices"
)

// Profiled lists what NCCL has told the profiler plugin of since ClearProfile, and how many operations there was no
// room for. It may be called while operations go on; NCCL tells of an operation when it is put into its stream.
func Profiled() (records []Record, lost uint64) {
	found := map[Record]uint64{} // a key may have several records
	for i := range C.CB_RECORDS {
		times := C.cb_record_times(C.int(i))
		if times == 0 {
			continue
		}
		k := &C.cb_records[i].key
		found[Record{
			Event: Event(k.event), Function: C.GoString(&k.function[0]), DataType: C.GoString(&k.datatype[0]), Count: uint64(k.count),
			Algorithm: C.GoString(&k.algorithm[0]), Protocol: C.GoString(&k.protocol[0]), Channels: int(k.channels),
		}] += uint64(times)
	}
	for r, times := range found {
		r.Times = times
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Count, b.Count), cmp.Compare(a.Algorithm, b.Algorithm),
			cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Channels, b.Channels), cmp.Compare(a.DataType, b.DataType))
	})
	return records, uint64(C.cb_records_lost)
}

// ClearProfile forgets what Profiled would list. No operation may be put into a stream meanwhile.
func ClearProfile() { C.cb_records_clear() }

// ProfilerVersion is the version of the profiler plugin that NCCL has taken from this program; 0: none, as NCCL was not
// told to (ProfilerEnvironment), or is older than 2.23.
func ProfilerVersion() int { return int(C.cb_profiler_version) }
