//go:build cgo

package cuda

/*
#cgo CFLAGS: -O2 -fvisibility=hidden
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"collbench/cgo/dl"
)

// Init opens the driver once in the life of the process. The error has the words of the loader, or the driver's, and
// wraps ErrUnavailable.
func Init() error { return initialize() }

var initialize = sync.OnceValue(func() error {
	if err := open(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
})

// standIn is whether the library that is open says that it is none of NVIDIA's.
var standIn bool

// StandIn says whether the driver is one that only stands in for NVIDIA's, in tests.
func StandIn() bool { return standIn }

// open fills the table of calls and initialises the driver. The library stays open: it has threads of its own.
func open() error {
	lib, err := dl.Open(library())
	if err != nil {
		return fmt.Errorf("CUDA driver: %w", err)
	}
	if err := lib.Fill(slots()); err != nil {
		return fmt.Errorf("CUDA driver: %w", err)
	}
	_, err = lib.Symbol(StandInSymbol)
	standIn = err == nil
	if err := check("cuInit", C.cb_cuInit(0)); err != nil {
		return err
	}
	version, err := DriverVersion()
	if err == nil && version < leastDriver {
		err = fmt.Errorf("the driver serves CUDA %s and needs to serve %s or later", Version(version), Version(leastDriver))
	}
	return err
}

func slots() []dl.Slot {
	var list []dl.Slot
	for _, s := range unsafe.Slice((*C.cb_symbol)(unsafe.Pointer(&C.cb_cuda_symbols)), C.cb_cuda_symbol_count) {
		list = append(list, dl.Slot{Name: C.GoString(s.name), Address: (*unsafe.Pointer)(unsafe.Pointer(s.slot))})
	}
	return list
}

// Table is the address of the table of the driver's functions (cb_cuda_table of calls.h), for loops in C.
func Table() unsafe.Pointer { return unsafe.Pointer(&C.cb_cuda) }

// check makes an error of what a call returned, in the driver's words.
func check(call string, result C.CUresult) error {
	if result == C.CUDA_SUCCESS {
		return nil
	}
	e := &Error{Call: call, Code: int(result), Name: "unknown error", Text: "the driver has no words for it"}
	var text *C.char
	if C.cb_cuGetErrorName(result, &text) == C.CUDA_SUCCESS && text != nil {
		e.Name = C.GoString(text)
	}
	if C.cb_cuGetErrorString(result, &text) == C.CUDA_SUCCESS && text != nil {
		e.Text = C.GoString(text)
	}
	return e
}

// Check is the error for a CUresult that a loop in C brought back.
func Check(call string, result int) error { return check(call, C.CUresult(result)) }

// DriverVersion is the newest CUDA that the driver serves, as in 12080 for 12.8.
func DriverVersion() (int, error) {
	var version C.int
	err := check("cuDriverGetVersion", C.cb_cuDriverGetVersion(&version))
	return int(version), err
}

// Devices is the number of devices that this process sees; none is no error.
func Devices() (int, error) {
	var n C.int
	result := C.cb_cuDeviceGetCount(&n)
	if result == C.CUDA_ERROR_NO_DEVICE {
		return 0, nil
	}
	return int(n), check("cuDeviceGetCount", result)
}

// handle is the driver's handle of the device.
func (d Device) handle() (C.CUdevice, error) {
	var h C.CUdevice
	err := check("cuDeviceGet", C.cb_cuDeviceGet(&h, C.int(d)))
	if err != nil {
		err = fmt.Errorf("device %d: %w", d, err)
	}
	return h, err
}

// Properties reads what the device is.
func (d Device) Properties() (Properties, error) {
	h, err := d.handle()
	if err != nil {
		return Properties{}, err
	}
	var p Properties
	text := (*C.char)(C.calloc(1, textBytes))
	defer C.free(unsafe.Pointer(text))
	if err := check("cuDeviceGetName", C.cb_cuDeviceGetName(text, textBytes-1, h)); err != nil {
		return p, err
	}
	p.Name = C.GoString(text)
	if err := check("cuDeviceGetPCIBusId", C.cb_cuDeviceGetPCIBusId(text, textBytes-1, h)); err != nil {
		return p, err
	}
	p.PCI = C.GoString(text)
	var id C.CUuuid
	if err := check("cuDeviceGetUuid_v2", C.cb_cuDeviceGetUuid_v2(&id, h)); err != nil {
		return p, err
	}
	p.UUID = uuid(C.GoBytes(unsafe.Pointer(&id), C.sizeof_CUuuid))
	var bytes C.size_t
	if err := check("cuDeviceTotalMem_v2", C.cb_cuDeviceTotalMem_v2(&bytes, h)); err != nil {
		return p, err
	}
	p.Memory = uint64(bytes)
	return p, p.attributes(h)
}

const textBytes = 256

func uuid(b []byte) string {
	return fmt.Sprintf("GPU-%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (p *Properties) attributes(h C.CUdevice) error {
	for _, a := range []struct {
		attribute C.CUdevice_attribute
		number    *int
	}{
		{C.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &p.Major}, {C.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &p.Minor},
		{C.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &p.Multiprocessors},
	} {
		var value C.int
		if err := check("cuDeviceGetAttribute", C.cb_cuDeviceGetAttribute(&value, a.attribute, h)); err != nil {
			return err
		}
		*a.number = int(value)
	}
	for _, a := range []struct {
		attribute C.CUdevice_attribute
		flag      *bool
	}{
		{C.CU_DEVICE_ATTRIBUTE_MULTICAST_SUPPORTED, &p.Multicast}, {C.CU_DEVICE_ATTRIBUTE_DMA_BUF_SUPPORTED, &p.DMABuf},
		{C.CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_SUPPORTED, &p.RDMA}, {C.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, &p.MemoryPools},
		{C.CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, &p.VirtualMemory},
	} {
		var value C.int // an older driver does not know the newer attributes: then the device cannot do it
		*a.flag = C.cb_cuDeviceGetAttribute(&value, a.attribute, h) == C.CUDA_SUCCESS && value != 0
	}
	return nil
}

// Reaches says whether the device can use the other's memory.
func (d Device) Reaches(other Device) (bool, error) {
	a, err := d.handle()
	if err != nil {
		return false, err
	}
	b, err := other.handle()
	if err != nil {
		return false, err
	}
	var can C.int
	err = check("cuDeviceCanAccessPeer", C.cb_cuDeviceCanAccessPeer(&can, a, b))
	return can != 0, err
}

// Context is the primary context of a device, the one that libraries use as well.
type Context struct {
	device C.CUdevice
	handle C.CUcontext
}

// Retain takes hold of the device's primary context and makes it current for the calling thread.
func (d Device) Retain() (*Context, error) {
	h, err := d.handle()
	if err != nil {
		return nil, err
	}
	c := &Context{device: h}
	if err := check("cuDevicePrimaryCtxRetain", C.cb_cuDevicePrimaryCtxRetain(&c.handle, h)); err != nil {
		return nil, fmt.Errorf("device %d: %w", d, err)
	}
	return c, c.Use()
}

// Use makes the context current for the calling thread.
func (c *Context) Use() error { return check("cuCtxSetCurrent", C.cb_cuCtxSetCurrent(c.handle)) }

// Synchronize waits for all work on the device.
func (c *Context) Synchronize() error { return check("cuCtxSynchronize", C.cb_cuCtxSynchronize()) }

// Reach lets kernels of the current context use the other's memory.
func (c *Context) Reach(other *Context) error {
	result := C.cb_cuCtxEnablePeerAccess(other.handle, 0)
	if result == C.CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED {
		return nil
	}
	return check("cuCtxEnablePeerAccess", result)
}

// Close lets go of the context.
func (c *Context) Close() error {
	return check("cuDevicePrimaryCtxRelease_v2", C.cb_cuDevicePrimaryCtxRelease_v2(c.device))
}
