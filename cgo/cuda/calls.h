// The functions of libcuda.so.1 that are used, in one list: which the library has to have, name, parameters, and the
// parameters' names. The table of addresses, the symbols to look up, the calls cb_cu… that Go can make, and the test
// against the vendor's header are all made of it.
#ifndef COLLBENCH_CUDA_CALLS_H
#define COLLBENCH_CUDA_CALLS_H

#include "driver.h"

#define CB_CUDA_CALLS(CALL) \
	CALL(cuInit, (unsigned int flags), (flags)) \
	CALL(cuDriverGetVersion, (int *version), (version)) \
	CALL(cuGetErrorName, (CUresult error, const char **text), (error, text)) \
	CALL(cuGetErrorString, (CUresult error, const char **text), (error, text)) \
	CALL(cuDeviceGetCount, (int *count), (count)) \
	CALL(cuDeviceGet, (CUdevice *device, int ordinal), (device, ordinal)) \
	CALL(cuDeviceGetName, (char *name, int length, CUdevice device), (name, length, device)) \
	CALL(cuDeviceGetUuid_v2, (CUuuid *uuid, CUdevice device), (uuid, device)) \
	CALL(cuDeviceGetPCIBusId, (char *id, int length, CUdevice device), (id, length, device)) \
	CALL(cuDeviceTotalMem_v2, (size_t *bytes, CUdevice device), (bytes, device)) \
	CALL(cuDeviceGetAttribute, (int *value, CUdevice_attribute attribute, CUdevice device), (value, attribute, device)) \
	CALL(cuDeviceCanAccessPeer, (int *can, CUdevice device, CUdevice peer), (can, device, peer)) \
	CALL(cuDevicePrimaryCtxRetain, (CUcontext *context, CUdevice device), (context, device)) \
	CALL(cuDevicePrimaryCtxRelease_v2, (CUdevice device), (device)) \
	CALL(cuCtxSetCurrent, (CUcontext context), (context)) \
	CALL(cuCtxSynchronize, (void), ()) \
	CALL(cuCtxEnablePeerAccess, (CUcontext peer, unsigned int flags), (peer, flags)) \
	CALL(cuStreamCreate, (CUstream *stream, unsigned int flags), (stream, flags)) \
	CALL(cuStreamDestroy_v2, (CUstream stream), (stream)) \
	CALL(cuStreamSynchronize, (CUstream stream), (stream)) \
	CALL(cuStreamQuery, (CUstream stream), (stream)) \
	CALL(cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned int flags), (stream, event, flags)) \
	CALL(cuStreamBeginCapture_v2, (CUstream stream, CUstreamCaptureMode mode), (stream, mode)) \
	CALL(cuStreamEndCapture, (CUstream stream, CUgraph *graph), (stream, graph)) \
	CALL(cuEventCreate, (CUevent *event, unsigned int flags), (event, flags)) \
	CALL(cuEventDestroy_v2, (CUevent event), (event)) \
	CALL(cuEventRecord, (CUevent event, CUstream stream), (event, stream)) \
	CALL(cuEventSynchronize, (CUevent event), (event)) \
	CALL(cuEventQuery, (CUevent event), (event)) \
	CALL(cuEventElapsedTime, (float *milliseconds, CUevent start, CUevent end), (milliseconds, start, end)) \
	CALL(cuGraphInstantiateWithFlags, (CUgraphExec *exec, CUgraph graph, unsigned long long flags), (exec, graph, flags)) \
	CALL(cuGraphLaunch, (CUgraphExec exec, CUstream stream), (exec, stream)) \
	CALL(cuGraphExecDestroy, (CUgraphExec exec), (exec)) \
	CALL(cuGraphDestroy, (CUgraph graph), (graph)) \
	CALL(cuMemGetInfo_v2, (size_t *free, size_t *total), (free, total)) \
	CALL(cuMemAlloc_v2, (CUdeviceptr *address, size_t bytes), (address, bytes)) \
	CALL(cuMemFree_v2, (CUdeviceptr address), (address)) \
	CALL(cuMemAllocAsync, (CUdeviceptr *address, size_t bytes, CUstream stream), (address, bytes, stream)) \
	CALL(cuMemFreeAsync, (CUdeviceptr address, CUstream stream), (address, stream)) \
	CALL(cuMemHostAlloc, (void **memory, size_t bytes, unsigned int flags), (memory, bytes, flags)) \
	CALL(cuMemFreeHost, (void *memory), (memory)) \
	CALL(cuMemHostRegister_v2, (void *memory, size_t bytes, unsigned int flags), (memory, bytes, flags)) \
	CALL(cuMemHostUnregister, (void *memory), (memory)) \
	CALL(cuMemHostGetDevicePointer_v2, (CUdeviceptr *address, void *memory, unsigned int flags), (address, memory, flags)) \
	CALL(cuMemcpyAsync, (CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream), (to, from, bytes, stream)) \
	CALL(cuMemcpyHtoD_v2, (CUdeviceptr to, const void *from, size_t bytes), (to, from, bytes)) \
	CALL(cuMemcpyDtoH_v2, (void *to, CUdeviceptr from, size_t bytes), (to, from, bytes)) \
	CALL(cuMemsetD8Async, (CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream), (to, value, bytes, stream)) \
	CALL(cuIpcGetMemHandle, (CUipcMemHandle *handle, CUdeviceptr address), (handle, address)) \
	CALL(cuIpcOpenMemHandle_v2, (CUdeviceptr *address, CUipcMemHandle handle, unsigned int flags), (address, handle, flags)) \
	CALL(cuIpcCloseMemHandle, (CUdeviceptr address), (address)) \
	CALL(cuModuleLoadDataEx, (CUmodule *module, const void *image, unsigned int count, CUjit_option *options, void **values), (module, image, count, options, values)) \
	CALL(cuModuleUnload, (CUmodule module), (module)) \
	CALL(cuModuleGetFunction, (CUfunction *function, CUmodule module, const char *name), (function, module, name)) \
	CALL(cuFuncGetAttribute, (int *value, CUfunction_attribute attribute, CUfunction function), (value, attribute, function)) \
	CALL(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int *blocks, CUfunction function, int threads, size_t shared), (blocks, function, threads, shared)) \
	CALL(cuLaunchKernel, (CUfunction function, unsigned int gridX, unsigned int gridY, unsigned int gridZ, unsigned int blockX, \
		unsigned int blockY, unsigned int blockZ, unsigned int shared, CUstream stream, void **parameters, void **extra), \
		(function, gridX, gridY, gridZ, blockX, blockY, blockZ, shared, stream, parameters, extra))

#define CB_FIELD(name, parameters, arguments) CUresult (*name) parameters;
typedef struct { CB_CUDA_CALLS(CB_FIELD) } cb_cuda_table;
#undef CB_FIELD

// The calls: the library's function, or CUDA_ERROR_NOT_INITIALIZED as long as the table is empty.
#define CB_DECLARE(name, parameters, arguments) CUresult cb_##name parameters;
CB_CUDA_CALLS(CB_DECLARE)
#undef CB_DECLARE

typedef struct { const char *name; void **slot; } cb_symbol;
extern cb_cuda_table cb_cuda;
extern cb_symbol cb_cuda_symbols[];
extern const int cb_cuda_symbol_count;

// A launch that is prepared once and made many times, with nothing allocated: one parameter, a struct.
typedef struct {
	CUfunction function;
	CUstream stream;
	unsigned int grid, block, shared; // in x alone
	size_t bytes;
	unsigned long long parameter[32]; // 256 bytes
} cb_launch;
CUresult cb_launch_kernel(cb_launch *l);

#endif
