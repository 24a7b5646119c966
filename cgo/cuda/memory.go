//go:build cgo

package cuda

/*
#include "calls.h"
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// Free is the device memory that is free, and all there is, in bytes.
func Free() (free, total uint64, err error) {
	var f, t C.size_t
	err = check("cuMemGetInfo_v2", C.cb_cuMemGetInfo_v2(&f, &t))
	return uint64(f), uint64(t), err
}

// Alloc takes device memory, at multiples of 256 bytes.
func Alloc(bytes uint64) (Pointer, error) {
	var p C.CUdeviceptr
	err := check("cuMemAlloc_v2", C.cb_cuMemAlloc_v2(&p, C.size_t(bytes)))
	return Pointer(p), err
}

// Free gives memory of Alloc back.
func (p Pointer) Free() error { return check("cuMemFree_v2", C.cb_cuMemFree_v2(C.CUdeviceptr(p))) }

// Alloc takes device memory from the stream's pool; work that comes into the stream later may use it.
func (s Stream) Alloc(bytes uint64) (Pointer, error) {
	var p C.CUdeviceptr
	err := check("cuMemAllocAsync", C.cb_cuMemAllocAsync(&p, C.size_t(bytes), s.handle))
	return Pointer(p), err
}

// Free gives memory of Stream.Alloc back when the stream gets there.
func (s Stream) Free(p Pointer) error {
	return check("cuMemFreeAsync", C.cb_cuMemFreeAsync(C.CUdeviceptr(p), s.handle))
}

// Copy copies between any two addresses of the device and of page-locked host memory.
func (s Stream) Copy(to, from Pointer, bytes uint64) error {
	return check("cuMemcpyAsync", C.cb_cuMemcpyAsync(C.CUdeviceptr(to), C.CUdeviceptr(from), C.size_t(bytes), s.handle))
}

// Set sets bytes to a value.
func (s Stream) Set(to Pointer, value byte, bytes uint64) error {
	return check("cuMemsetD8Async", C.cb_cuMemsetD8Async(C.CUdeviceptr(to), C.uchar(value), C.size_t(bytes), s.handle))
}

// Upload copies to the device and waits for it. The call alone would be back when the data are on their way, and streams
// that do not wait for the default one could read what was there before (CUDA Driver API, "API synchronization behavior").
func Upload(to Pointer, from []byte) error {
	if len(from) == 0 {
		return nil
	}
	if err := check("cuMemcpyHtoD_v2", C.cb_cuMemcpyHtoD_v2(C.CUdeviceptr(to), unsafe.Pointer(&from[0]), C.size_t(len(from)))); err != nil {
		return err
	}
	return check("cuCtxSynchronize", C.cb_cuCtxSynchronize())
}

// Download copies from the device and waits for it.
func Download(to []byte, from Pointer) error {
	if len(to) == 0 {
		return nil
	}
	return check("cuMemcpyDtoH_v2", C.cb_cuMemcpyDtoH_v2(unsafe.Pointer(&to[0]), C.CUdeviceptr(from), C.size_t(len(to))))
}

// AllocHost takes page-locked memory of the host that every device reaches.
func AllocHost(bytes int) (Host, error) {
	var p unsafe.Pointer
	if err := check("cuMemHostAlloc", C.cb_cuMemHostAlloc(&p, C.size_t(bytes), C.CU_MEMHOSTALLOC_PORTABLE|C.CU_MEMHOSTALLOC_DEVICEMAP)); err != nil {
		return Host{}, err
	}
	h := Host{Bytes: unsafe.Slice((*byte)(p), bytes)}
	var err error
	if h.Device, err = seen(p); err != nil {
		C.cb_cuMemFreeHost(p)
	}
	return h, err
}

func seen(p unsafe.Pointer) (Pointer, error) {
	var d C.CUdeviceptr
	err := check("cuMemHostGetDevicePointer_v2", C.cb_cuMemHostGetDevicePointer_v2(&d, p, 0))
	return Pointer(d), err
}

// Free gives memory of AllocHost back.
func (h Host) Free() error {
	return check("cuMemFreeHost", C.cb_cuMemFreeHost(unsafe.Pointer(unsafe.SliceData(h.Bytes))))
}

// Register page-locks memory that was allocated outside of Go, such as a shared mapping, until Unregister.
func Register(memory []byte) (Host, error) {
	p := unsafe.Pointer(unsafe.SliceData(memory))
	if err := check("cuMemHostRegister_v2", C.cb_cuMemHostRegister_v2(p, C.size_t(len(memory)), C.CU_MEMHOSTREGISTER_PORTABLE|C.CU_MEMHOSTREGISTER_DEVICEMAP)); err != nil {
		return Host{}, err
	}
	h := Host{Bytes: memory}
	var err error
	if h.Device, err = seen(p); err != nil {
		C.cb_cuMemHostUnregister(p)
	}
	runtime.KeepAlive(memory)
	return h, err
}

// Unregister ends what Register began.
func (h Host) Unregister() error {
	return check("cuMemHostUnregister", C.cb_cuMemHostUnregister(unsafe.Pointer(unsafe.SliceData(h.Bytes))))
}

// Share makes a handle of memory of Alloc.
func (p Pointer) Share() (IPC, error) {
	var h C.CUipcMemHandle
	err := check("cuIpcGetMemHandle", C.cb_cuIpcGetMemHandle(&h, C.CUdeviceptr(p)))
	return *(*IPC)(unsafe.Pointer(&h)), err
}

// Open opens memory of another process; its own handle a process cannot open.
func (h IPC) Open() (Pointer, error) {
	var p C.CUdeviceptr
	err := check("cuIpcOpenMemHandle_v2", C.cb_cuIpcOpenMemHandle_v2(&p, *(*C.CUipcMemHandle)(unsafe.Pointer(&h)), C.CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS))
	return Pointer(p), err
}

// CloseShared ends what IPC.Open began.
func (p Pointer) CloseShared() error {
	return check("cuIpcCloseMemHandle", C.cb_cuIpcCloseMemHandle(C.CUdeviceptr(p)))
}
