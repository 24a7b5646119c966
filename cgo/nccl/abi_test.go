package nccl

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collbench/internal/abi"
	"collbench/internal/abi/abitest"
)

var update = flag.Bool("update", false, "derive abi.tsv and profiler.tsv again from the headers in build/abi")

// configFields are those of ncclConfig_t, in their order.
func configFields(t *testing.T) []string {
	var fields []string
	for _, f := range abitest.Words(t, "comm.go", `\.(\w+) = (?:sizeof c|CB_|0)`) {
		fields = append(fields, f)
	}
	at := slices.Index(fields, "trafficClass")
	return slices.Insert(fields, at, "netName", "commName")
}

// TestDeclarations holds nccl.h and calls.h against the table of facts, and against the header that is installed.
func TestDeclarations(t *testing.T) {
	facts := []string{"size ncclResult_t", "size ncclDataType_t", "size ncclRedOp_t", "size ncclUniqueId", "size ncclConfig_t"}
	for _, f := range configFields(t) {
		facts = append(facts, "field ncclConfig_t "+f)
	}
	for _, name := range abitest.Words(t, "nccl.h", `\b(nccl[A-Z]\w+|NCCL_\w+) = -?\d`) {
		facts = append(facts, "value "+name)
	}
	functions := abitest.Words(t, "calls.h", `\tCALL\(CB_REQUIRED, (nccl\w+),`)
	late := abitest.Words(t, "calls.h", `\tCALL\(CB_OPTIONAL, (nccl\w+),`)
	for _, name := range slices.Concat(functions, late) {
		facts = append(facts, "type "+name)
	}
	installed := abitest.Installed("nccl.h", "/usr/include", "/usr/local/include")
	if *update {
		installed = abitest.Downloaded(t, "nccl-*/include")
	}
	table := abitest.Compare(t, abitest.Check{
		Table: "abi.tsv", Facts: facts, Ours: ours(t, "calls.h", "DECLARED"), Update: *update, Installed: installed,
		Header: func(folder string) abi.Header {
			return abi.Header{Folders: []string{abitest.Absolute(t, "testdata/cudastub"), folder}, Prologue: "#include <nccl.h>\n"}
		},
		Excused: func(fact string) bool { return fact == "size ncclConfig_t" },
		Optional: func(fact string) bool {
			return slices.Contains(late, strings.TrimPrefix(fact, "type ")) || strings.HasPrefix(fact, "field ncclConfig_t") ||
				slices.Contains([]string{"value ncclTimeout", "value ncclFloat8e4m3", "value ncclFloat8e5m2", "value NCCL_WIN_COLL_SYMMETRIC"}, fact)
		},
	})
	wholeConfig(t, table)
}

// wholeConfig makes sure that up to the version that we declare no field is missing: what we know of the struct fills it.
func wholeConfig(t *testing.T, table *abi.Table) {
	for _, v := range table.Versions {
		var major, minor, size int
		_, _ = fmt.Sscanf(v, "%d.%d", &major, &minor)
		_, _ = fmt.Sscanf(table.Answer("size ncclConfig_t", v), "%d", &size)
		end := 0
		for _, f := range configFields(t) {
			var offset, bytes int
			if n, _ := fmt.Sscanf(table.Answer("field ncclConfig_t "+f, v), "%d+%d", &offset, &bytes); n == 2 {
				end = max(end, offset+bytes)
			}
		}
		if rounded := (end + 7) / 8 * 8; minor <= 30 && rounded != size || rounded > size {
			t.Errorf("NCCL %s: ncclConfig_t has %d bytes, we know of %d", v, size, rounded)
		}
	}
	if len(table.Versions) < 5 {
		t.Errorf("versions %v: want five at least", table.Versions)
	}
}

// ours is a header of ours; with DECLARED, the functions of calls.h under the vendor's names as well.
func ours(t *testing.T, header, declared string) abi.Header {
	return abi.Header{Folders: []string{abitest.Absolute(t, ".")}, Prologue: fmt.Sprintf(`#include %q
#define %s
#if defined(DECLARED)
#define DECLARE(optional, name, parameters, arguments) extern "C" ncclResult_t name parameters;
#define DECLARE_TEXT(optional, name, parameters, arguments) extern "C" const char *name parameters;
CB_NCCL_CALLS(DECLARE)
CB_NCCL_TEXTS(DECLARE_TEXT)
#endif
`, header, declared)}
}

// TestProfilerDeclarations holds profiler.h against the table of facts about the plugin headers.
func TestProfilerDeclarations(t *testing.T) {
	var facts []string
	for v := 1; v <= 6; v++ {
		event := fmt.Sprintf("field ncclProfilerEventDescr_v%d_t ", v)
		for _, f := range []string{"type", "coll.func", "coll.count", "coll.datatype", "coll.algo", "coll.proto", "p2p.func", "p2p.count", "p2p.datatype"} {
			facts = append(facts, event+f)
		}
		if v < 4 {
			facts = append(facts, event+"coll.nMaxChannels")
		} else {
			facts = append(facts, event+"coll.nChannels", event+"p2p.nChannels")
		}
		if v > 4 {
			facts = append(facts, event+"collApi.func", event+"collApi.count", event+"collApi.datatype", event+"p2pApi.func", event+"p2pApi.count", event+"p2pApi.datatype")
		}
		if v > 5 {
			facts = append(facts, event+"ceColl.func", event+"ceColl.count", event+"ceColl.datatype")
		}
		plugin := fmt.Sprintf("ncclProfiler_v%d_t", v)
		facts = append(facts, "size "+plugin)
		for _, f := range []string{"name", "init", "startEvent", "stopEvent", "recordEventState", "finalize"} {
			facts = append(facts, "field "+plugin+" "+f)
		}
		for _, f := range []string{"init", "startEvent", "stopEvent", "recordEventState", "finalize"} {
			facts = append(facts, "call "+plugin+" "+f)
		}
	}
	for _, name := range abitest.Words(t, "profiler.h", `\b(ncclProfile\w+) = 1`) {
		facts = append(facts, "value "+name)
	}
	installed := map[string]string{}
	if *update {
		installed = abitest.Downloaded(t, "profiler-*")
	}
	table := abitest.Compare(t, abitest.Check{
		Table: "profiler.tsv", Facts: facts, Ours: ours(t, "profiler.h", "PLUGIN"), Update: *update, Installed: installed, Header: profilerHeader,
		// Each release knows the versions up to its own.
		Optional: func(string) bool { return true },
		// What an event is called with is passed in registers, or is a pointer.
		Excused: func(fact string) bool {
			return strings.HasSuffix(fact, " recordEventState") && strings.HasPrefix(fact, "call")
		},
	})
	for v, release := range map[int]string{1: "2.23.4", 2: "2.24.3", 3: "2.26.2", 4: "2.27.7", 5: "2.28.9", 6: "2.30.7"} {
		fact := fmt.Sprintf("call ncclProfiler_v%d_t init", v)
		if answer := table.Answer(fact, release); answer == "" || answer == abi.Absent {
			t.Errorf("%s: nothing known of NCCL %s, whose version it is", fact, release)
		}
	}
}

// profilerHeader includes all versions of the plugin's structs that the release has; version 3 came into the examples
// later than into the library.
func profilerHeader(folder string) abi.Header {
	return abi.Header{Folders: []string{folder}, Prologue: `#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include "err.h"
#include "profiler.h"
#if __has_include("profiler_v3.h") && !defined(PROFILER_V3_H_)
typedef int ncclProfilerEventState_v3_t;
#include "profiler_v3.h"
#endif
`}
}
