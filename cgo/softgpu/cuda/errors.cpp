// Stands for libcuda's error names, its table of entry points, and the calls that a device in host memory has no
// answer for. A stand-in for tests only.
#include "driver.h"

#include <dlfcn.h>

using namespace softgpu;

static const struct { CUresult code; const char *name, *text; } errors[] = {
	{0, "CUDA_SUCCESS", "no error"},
	{1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
	{2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
	{3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
	{100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
	{101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
	{200, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
	{201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
	{209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
	{222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
	{301, "CUDA_ERROR_FILE_NOT_FOUND", "file not found"},
	{400, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
	{401, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
	{500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
	{600, "CUDA_ERROR_NOT_READY", "device not ready"},
	{712, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "part or all of the requested memory range is already mapped"},
	{713, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "pointer does not correspond to a registered memory region"},
	{719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
	{801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
	{900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
	{903, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
	{905, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"},
	{907, "CUDA_ERROR_CAPTURED_EVENT", "operation not permitted on an event last recorded in a capturing stream"},
	{999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

SOFTGPU_API CUresult cuGetErrorName(CUresult code, const char **name) {
	for (auto &e : errors)
		if (e.code == code) {
			*name = e.name;
			return CUDA_SUCCESS;
		}
	*name = nullptr;
	return CUDA_ERROR_INVALID_VALUE;
}

SOFTGPU_API CUresult cuGetErrorString(CUresult code, const char **text) {
	for (auto &e : errors)
		if (e.code == code) {
			*text = e.text;
			return CUDA_SUCCESS;
		}
	*text = nullptr;
	return CUDA_ERROR_INVALID_VALUE;
}

// The newest form of an entry point is the one asked for by its plain name.
SOFTGPU_API CUresult cuGetProcAddress_v2(const char *symbol, void **address, int, uint64_t, int *status) {
	*address = nullptr;
	Dl_info self;
	void *library = dladdr(reinterpret_cast<void *>(cuGetErrorName), &self) ? dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
	for (auto suffix : {"_v2", ""})
		if (library && !*address)
			*address = dlsym(library, (std::string(symbol) + suffix).c_str());
	if (library)
		dlclose(library);
	if (status)
		*status = *address ? 0 : 1;
	return *address ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

SOFTGPU_API CUresult cuGetProcAddress(const char *symbol, void **address, int version, uint64_t flags) {
	return cuGetProcAddress_v2(symbol, address, version, flags, nullptr);
}

// A caller finds these, asks, and hears that the device can't. Attributes of the device say so beforehand.
#define NOT_SUPPORTED(name) SOFTGPU_API CUresult name() { return CUDA_ERROR_NOT_SUPPORTED; }
NOT_SUPPORTED(cuMulticastCreate)
NOT_SUPPORTED(cuMulticastAddDevice)
NOT_SUPPORTED(cuMulticastBindMem)
NOT_SUPPORTED(cuMulticastBindAddr)
NOT_SUPPORTED(cuMulticastUnbind)
NOT_SUPPORTED(cuMulticastGetGranularity)
NOT_SUPPORTED(cuMemCreate)
NOT_SUPPORTED(cuMemRelease)
NOT_SUPPORTED(cuMemAddressReserve)
NOT_SUPPORTED(cuMemAddressFree)
NOT_SUPPORTED(cuMemMap)
NOT_SUPPORTED(cuMemUnmap)
NOT_SUPPORTED(cuMemSetAccess)
NOT_SUPPORTED(cuMemGetAllocationGranularity)
NOT_SUPPORTED(cuMemExportToShareableHandle)
NOT_SUPPORTED(cuMemImportFromShareableHandle)
NOT_SUPPORTED(cuMemGetHandleForAddressRange)
NOT_SUPPORTED(cuLaunchCooperativeKernel)
NOT_SUPPORTED(cuArrayCreate_v2)
NOT_SUPPORTED(cuArray3DCreate_v2)
NOT_SUPPORTED(cuLinkCreate_v2)
NOT_SUPPORTED(cuModuleLoadFatBinary)
NOT_SUPPORTED(cuMemAdvise)
NOT_SUPPORTED(cuMemPrefetchAsync)
NOT_SUPPORTED(cuGraphAddKernelNode)
NOT_SUPPORTED(cuGraphAddKernelNode_v2)
NOT_SUPPORTED(cuGraphAddMemcpyNode)
NOT_SUPPORTED(cuGraphAddMemsetNode)
NOT_SUPPORTED(cuGraphAddHostNode)
NOT_SUPPORTED(cuStreamWaitValue32_v2)
NOT_SUPPORTED(cuStreamWriteValue32_v2)
