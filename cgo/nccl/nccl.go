//go:build cgo

package nccl

/*
#cgo CFLAGS: -O2 -fvisibility=hidden
#cgo LDFLAGS: -rdynamic
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"collbench/cgo/cuda"
	"collbench/cgo/dl"
)

// Open opens the library once in the life of the process. The error has the loader's words and wraps ErrUnavailable.
func Open() error { return open() }

// standIn is whether the library that is open says that it is none of NVIDIA's.
var standIn bool

// StandIn says whether the library is one that only stands in for NVIDIA's, in tests.
func StandIn() bool { return standIn }

var open = sync.OnceValue(func() error {
	lib, err := dl.Open(library())
	if err == nil {
		err = lib.Fill(slots())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	_, err = lib.Symbol(cuda.StandInSymbol)
	standIn = err == nil
	version, err := LibraryVersion()
	if err == nil && version < leastVersion {
		err = fmt.Errorf("%s is NCCL %s and needs to be %s or later", lib.Name(), version, leastVersion)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
})

func slots() []dl.Slot {
	var list []dl.Slot
	for _, s := range unsafe.Slice((*C.cb_nccl_symbol)(unsafe.Pointer(&C.cb_nccl_symbols)), C.cb_nccl_symbol_count) {
		list = append(list, dl.Slot{Name: C.GoString(s.name), Address: (*unsafe.Pointer)(unsafe.Pointer(s.slot)), Optional: s.optional != 0})
	}
	return list
}

// LibraryVersion is the version of the library that is open.
func LibraryVersion() (Version, error) {
	var v C.int
	err := check("ncclGetVersion", C.cb_ncclGetVersion(&v))
	return Version(v), err
}

// check makes an error of what a call returned, in NCCL's words.
func check(call string, result C.ncclResult_t) error {
	if result == C.ncclSuccess {
		return nil
	}
	e := &Error{Call: call, Code: int(result), Text: "NCCL has no words for it"}
	if text := C.cb_nccl_error(result); text != nil {
		e.Text = C.GoString(text)
	}
	if text := C.cb_nccl_last_error(nil); text != nil {
		e.Last = strings.TrimSpace(C.GoString(text))
	}
	return e
}

// lacks is the error for a function that came with a later version.
func lacks(name string) error {
	v, _ := LibraryVersion()
	return fmt.Errorf("%w: NCCL %s has no %s", ErrNotSupported, v, name)
}

// NewUniqueID makes an id on rank 0, for all ranks of one communicator.
func NewUniqueID() (UniqueID, error) {
	var id C.ncclUniqueId
	err := check("ncclGetUniqueId", C.cb_ncclGetUniqueId(&id))
	return *(*UniqueID)(unsafe.Pointer(&id)), err
}

// Alloc takes device memory that is fit for registration, multicast included.
func Alloc(bytes int) (cuda.Pointer, error) {
	if C.cb_nccl.ncclMemAlloc == nil || C.cb_nccl.ncclMemFree == nil {
		return 0, lacks("ncclMemAlloc")
	}
	var p unsafe.Pointer
	err := check("ncclMemAlloc", C.cb_ncclMemAlloc(&p, C.size_t(bytes)))
	return cuda.Pointer(uintptr(p)), err
}

// Free gives memory of Alloc back.
func Free(p cuda.Pointer) error { return check("ncclMemFree", C.cb_ncclMemFree(address(p))) }

// address is device memory as a pointer of C.
func address(p cuda.Pointer) unsafe.Pointer {
	n := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&n)) // no memory of Go's
}
