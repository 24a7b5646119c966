//go:build cgo

package cuda

/*
#include <stdlib.h>
#include <string.h>
#include "calls.h"

// cb_load loads an image; what the compiler in the driver has to say of PTX goes into the log.
static CUresult cb_load(CUmodule *module, const void *image, char *log, unsigned bytes) {
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)(size_t)bytes};
	return cb_cuModuleLoadDataEx(module, image, 2, options, values);
}
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// Module is code on the device.
type Module struct{ handle C.CUmodule }

// Function is a kernel of a module.
type Function struct{ handle C.CUfunction }

// logBytes is what is kept of the words of the compiler in the driver.
const logBytes = 4096

// Load loads a cubin, or PTX, which the driver compiles.
func Load(image []byte) (Module, error) {
	text := C.CBytes(append(image[:len(image):len(image)], 0)) // PTX is a C string
	log := (*C.char)(C.calloc(1, logBytes))
	defer C.free(text)
	defer C.free(unsafe.Pointer(log))
	var m Module
	err := check("cuModuleLoadDataEx", C.cb_load(&m.handle, text, log, logBytes-1))
	if said := strings.TrimSpace(C.GoString(log)); err != nil && said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return m, err
}

// Function finds a kernel by its name.
func (m Module) Function(name string) (Function, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var f Function
	err := check("cuModuleGetFunction", C.cb_cuModuleGetFunction(&f.handle, m.handle, text))
	if err != nil {
		err = fmt.Errorf("kernel %s: %w", name, err)
	}
	return f, err
}

// Close unloads the module.
func (m Module) Close() error { return check("cuModuleUnload", C.cb_cuModuleUnload(m.handle)) }

// Registers is what a thread of the kernel takes.
func (f Function) Registers() (int, error) {
	var n C.int
	err := check("cuFuncGetAttribute", C.cb_cuFuncGetAttribute(&n, C.CU_FUNC_ATTRIBUTE_NUM_REGS, f.handle))
	return int(n), err
}

// Blocks is how many blocks of so many threads a multiprocessor holds at a time.
func (f Function) Blocks(threads int) (int, error) {
	var n C.int
	err := check("cuOccupancyMaxActiveBlocksPerMultiprocessor", C.cb_cuOccupancyMaxActiveBlocksPerMultiprocessor(&n, f.handle, C.int(threads), 0))
	return int(n), err
}

// Launch is a launch that is prepared once and made many times. It lies outside of Go's memory until Close.
type Launch struct{ prepared *C.cb_launch }

// Prepare makes a launch of so many blocks of threads, in one dimension. The kernel's one parameter is a struct of so
// many bytes, MaxParameters at most.
func (f Function) Prepare(s Stream, blocks, threads, bytes int) Launch {
	if bytes > MaxParameters {
		panic(fmt.Sprintf("cuda: a parameter of %d bytes, at most %d", bytes, MaxParameters))
	}
	l := Launch{(*C.cb_launch)(C.calloc(1, C.sizeof_cb_launch))}
	l.prepared.function, l.prepared.stream = f.handle, s.handle
	l.prepared.grid, l.prepared.block, l.prepared.bytes = C.uint(blocks), C.uint(threads), C.size_t(bytes)
	return l
}

// Handle is the cb_launch of calls.h, for loops in C.
func (l Launch) Handle() unsafe.Pointer { return unsafe.Pointer(l.prepared) }

// Parameter is the parameter of the next Run, to be written to.
func (l Launch) Parameter() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&l.prepared.parameter)), l.prepared.bytes)
}

// Run puts the launch into the stream, with the parameter as it is now.
func (l Launch) Run() error { return check("cuLaunchKernel", C.cb_launch_kernel(l.prepared)) }

// Close gives the memory back.
func (l Launch) Close() { C.free(unsafe.Pointer(l.prepared)) }
