package cuda

import (
	"flag"
	"strings"
	"testing"

	"collbench/internal/abi"
	"collbench/internal/abi/abitest"
)

var update = flag.Bool("update", false, "derive abi.tsv again from the headers in build/abi")

// facts are what is declared in driver.h and calls.h.
func facts(t *testing.T) []string {
	list := []string{"size CUresult", "size CUdevice", "size CUdeviceptr", "size CUcontext", "size CUuuid", "size CUipcMemHandle"}
	for _, name := range abitest.Words(t, "driver.h", `\b(CU(?:DA)?_[A-Z0-9_]+|CU_MEMHOST[A-Z]+_[A-Z]+) =`) {
		list = append(list, "value "+name)
	}
	for _, name := range abitest.Words(t, "calls.h", `\tCALL\((cu\w+),`) {
		list = append(list, "type "+name)
	}
	return list
}

// ours is driver.h, and the functions of calls.h under the vendor's names.
func ours(t *testing.T) abi.Header {
	return abi.Header{Folders: []string{abitest.Absolute(t, ".")}, Prologue: `#include "calls.h"
#define DECLARE(name, parameters, arguments) extern "C" CUresult name parameters;
CB_CUDA_CALLS(DECLARE)
`}
}

// theirs is the vendor's header, with those versions of functions that it hides behind newer ones.
func theirs(folder string) abi.Header {
	return abi.Header{Folders: []string{folder}, Prologue: "#define __CUDA_API_VERSION_INTERNAL\n#include <cuda.h>\n"}
}

// TestDeclarations holds our declarations against the table of facts, and against the headers that are installed.
func TestDeclarations(t *testing.T) {
	table := abitest.Compare(t, abitest.Check{
		Table: "abi.tsv", Facts: facts(t), Ours: ours(t), Update: *update,
		Installed: installed(t), Header: theirs,
		Optional: func(fact string) bool {
			return strings.Contains(fact, "MULTICAST") || strings.Contains(fact, "DMA_BUF")
		},
	})
	if len(table.Versions) < 5 {
		t.Errorf("versions %v: want 11.8, 12.x and 13.x", table.Versions)
	}
}

// installed finds cuda.h: where the toolkit puts it, or, to derive the table, all versions in build/abi.
func installed(t *testing.T) map[string]string {
	if *update {
		return abitest.Downloaded(t, "cuda-*/include")
	}
	return abitest.Installed("cuda.h", "/usr/include", "/usr/local/cuda/include")
}
