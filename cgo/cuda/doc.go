// Package cuda is what a collective benchmark needs of the CUDA driver: devices, streams, events, memory, modules,
// launches and graphs, through libcuda.so.1, which it opens at run time.
//
// It declares the few types that it uses by itself; they are the same in CUDA 11.8 to 13, so one program serves all of
// them and builds where there is no CUDA. A module of others, gorgonia.org/cu, could have served devices, streams and
// memory, but does not build without a CUDA header that only the builder's environment can point to; docs/gpu.md has
// what was tried. Above it stand cgo/nccl and the backends.
//
// Calls but those of Init and of devices need a current context: Context.Use makes it so for the calling thread, which
// the caller keeps (runtime.LockOSThread).
package cuda

import (
	"errors"
	"fmt"
	"os"
)

// pathVariable names the library's file where the search would find another one, or none.
const pathVariable = "COLLBENCH_LIBCUDA"

// StandInSymbol is what a library exports that only stands in for one of NVIDIA's: what it measures is simulated.
const StandInSymbol = "softgpu_stand_in"

// leastDriver is the oldest driver that is served, as cuDriverGetVersion counts: CUDA 11.8.
const leastDriver = 11080

// ErrUnavailable is in the error of Init where there is no driver, or none that serves.
var ErrUnavailable = errors.New("CUDA is not available")

// library is what is opened: what the user says, or the driver by its name.
func library() string {
	if path := os.Getenv(pathVariable); path != "" {
		return path
	}
	return "libcuda.so.1"
}

// Error is what a call of the driver answered.
type Error struct {
	Call string // "cuMemAlloc_v2"
	Code int    // a CUresult
	Name string // "CUDA_ERROR_OUT_OF_MEMORY"
	Text string // "out of memory"
}

// Error says which call failed and how, in the driver's words.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%s, %d)", e.Call, e.Text, e.Name, e.Code) }

// Version writes a version as CUDA counts it: 12080 is "12.8".
func Version(number int) string { return fmt.Sprintf("%d.%d", number/1000, number%1000/10) }

// Pointer is an address in device memory, or one of host memory that the device reaches.
type Pointer uint64

// Device is a device by its ordinal, as CUDA_VISIBLE_DEVICES leaves them.
type Device int

// Properties are what identifies a device, and what it can do.
type Properties struct {
	Name            string // "NVIDIA H100 80GB HBM3"
	UUID            string // "GPU-8a5fd3a4-…"; a MIG instance has one of its own
	PCI             string // "0000:19:00.0"
	Major, Minor    int    // compute capability
	Memory          uint64 // bytes
	Multiprocessors int
	Multicast       bool // NVLink SHARP: cuMulticast objects
	DMABuf          bool // memory can be exported for RDMA
	RDMA            bool // GPUDirect RDMA
	VirtualMemory   bool // cuMemMap
	MemoryPools     bool // cuMemAllocAsync
}

// Host is page-locked memory of the host and the address by which devices reach it.
type Host struct {
	Bytes  []byte
	Device Pointer
}

// IPC is a handle by which another process opens this one's device memory.
type IPC [64]byte

// MaxParameters is the largest struct that Function.Prepare takes, in bytes.
const MaxParameters = 256
