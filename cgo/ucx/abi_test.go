package ucx

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collbench/internal/abi"
	"collbench/internal/abi/abitest"
)

var update = flag.Bool("update", false, "derive abi.tsv again from the headers in build/abi")

// fields are those of the structs, as far as they are declared. Only the last two are declared whole.
var fields = map[string][]string{
	"ucp_params_t":           {"field_mask", "features"},
	"ucp_worker_params_t":    {"field_mask", "thread_mode"},
	"ucp_ep_params_t":        {"field_mask", "address", "err_mode", "err_handler.cb", "err_handler.arg"},
	"ucp_mem_map_params_t":   {"field_mask", "address", "length", "flags", "prot", "memory_type"},
	"ucp_mem_attr_t":         {"field_mask", "address"},
	"ucp_request_param_t":    {"op_attr_mask", "flags", "request", "cb", "datatype", "user_data", "reply_buffer"},
	"ucp_request_attr_t":     {"field_mask", "debug_string", "debug_string_size"},
	"ucp_am_handler_param_t": {"field_mask", "id", "flags", "cb", "arg"},
	"ucp_tag_recv_info_t":    {"sender_tag", "length"},
	"ucp_am_recv_param_t":    {"recv_attr", "reply_ep"},
}

// handlers are the functions that UCX calls: fields that point to them.
var handlers = []string{"ucp_request_param_t cb.send", "ucp_request_param_t cb.recv", "ucp_request_param_t cb.recv_stream",
	"ucp_request_param_t cb.recv_am", "ucp_am_handler_param_t cb", "ucp_ep_params_t err_handler.cb"}

// TestDeclarations holds ucp.h and calls.h against the table of facts, and against the header that is installed.
func TestDeclarations(t *testing.T) {
	facts := []string{"size ucs_status_t", "size ucp_tag_t", "size ucp_datatype_t", "size ucp_tag_recv_info_t", "size ucp_am_recv_param_t", "size ucp_am_handler_param_t"}
	for _, name := range abitest.Words(t, "ucp.h", `\} (ucp_\w+_t);`) {
		if fields[name] == nil {
			t.Errorf("%s: its fields are not compared", name)
		}
		for _, f := range fields[name] {
			facts = append(facts, fmt.Sprintf("field %s %s", name, f))
		}
	}
	for _, name := range abitest.Words(t, "ucp.h", `\b(UC[PS]_\w+) = -?\d`) {
		facts = append(facts, "value "+name)
	}
	for _, bytes := range []int{1, 8} {
		facts = append(facts, fmt.Sprintf("value ucp_dt_make_contig(%d)", bytes))
	}
	for _, h := range handlers {
		facts = append(facts, "call "+h)
	}
	for _, name := range abitest.Words(t, "calls.h", `\tCALL\([^,]+, (uc[ps]_\w+),`) {
		facts = append(facts, "type "+name)
	}
	installed := abitest.Installed("ucp/api/ucp.h", "/usr/include", "/usr/local/include")
	if *update {
		installed = abitest.Downloaded(t, "ucx-*/include")
	}
	table := abitest.Compare(t, abitest.Check{
		Table: "abi.tsv", Facts: facts, Ours: ours(t), Update: *update, Installed: installed,
		Header: func(folder string) abi.Header {
			return abi.Header{Folders: []string{folder}, Prologue: "#include <ucp/api/ucp.h>\n"}
		},
		Optional: func(string) bool { return false },
	})
	for _, v := range []string{"1.12.1", "1.13.1", "1.22.0"} {
		if !slices.Contains(table.Versions, v) {
			t.Errorf("nothing known of UCX %s: %s", v, strings.Join(table.Versions, ", "))
		}
	}
}

// ours is our header, with the functions of calls.h under the library's names as well.
func ours(t *testing.T) abi.Header {
	return abi.Header{Folders: []string{abitest.Absolute(t, ".")}, Prologue: `#include "calls.h"
#define DECLARE(result, name, parameters) extern "C" result name parameters;
CB_UCX_CALLS(DECLARE)
CB_UCS_CALLS(DECLARE)
`}
}
