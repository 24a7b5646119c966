// Stands for NCCL's memory: allocation, registration of buffers, symmetric windows. For tests only.
#include "comm.h"

using namespace softgpu;

SOFTGPU_API ncclResult_t ncclMemAlloc(void **buffer, size_t size) {
	if (!buffer || !size)
		return ncclInvalidArgument;
	if (!driver())
		return ncclUnhandledCudaError;
	return cuda_failed(driver()->alloc(reinterpret_cast<unsigned long long *>(buffer), size));
}

SOFTGPU_API ncclResult_t ncclMemFree(void *buffer) {
	if (!driver())
		return ncclUnhandledCudaError;
	return cuda_failed(driver()->release(uintptr_t(buffer)));
}

// on_device says whether a range is memory of a device, which is all that can be registered.
static bool on_device(const void *buffer, size_t size) {
	unsigned long long base;
	size_t length;
	return buffer && size && driver()->address_range(&base, &length, uintptr_t(buffer)) == 0 && uintptr_t(buffer) + size <= base + length;
}

SOFTGPU_API ncclResult_t ncclCommRegister(ncclComm_t comm, void *buffer, size_t size, void **handle) {
	if (auto rc = usable(comm, "CommRegister"))
		return rc;
	if (!handle || !on_device(buffer, size)) {
		warn(comm->device, "%s : %s %p is not a valid pointer", "CommRegister", "buffer", buffer);
		return ncclInvalidArgument;
	}
	*handle = env_number("NCCL_LOCAL_REGISTER", 1) ? new ncclWindow_vidmem{buffer, size} : nullptr;
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclCommDeregister(ncclComm_t comm, void *handle) {
	if (auto rc = usable(comm, "CommDeregister"))
		return rc;
	delete static_cast<ncclWindow_vidmem *>(handle);
	return ncclSuccess;
}

// Every rank registers a window; where symmetric memory is not to be had the answer is success and no window.
SOFTGPU_API ncclResult_t ncclCommWindowRegister(ncclComm_t comm, void *buffer, size_t size, ncclWindow_t *window, int) {
	if (auto rc = usable(comm, "ncclCommWindowRegister"))
		return rc;
	if (!window || !on_device(buffer, size)) {
		warn(comm->device, "%s : %s %p is not a valid pointer", "ncclCommWindowRegister", "buffer", buffer);
		return ncclInvalidArgument;
	}
	Place place;
	place.rank = comm->rank;
	*window = nullptr;
	bool symmetric = comm->nodes == 1 && env_number("NCCL_WIN_ENABLE", 1) && !fault("null-window", place);
	if (symmetric)
		*window = comm->windows[buffer] = new ncclWindow_vidmem{buffer, size};
	return host_barrier(comm) ? ncclSuccess : ncclInternalError;
}

SOFTGPU_API ncclResult_t ncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t window) {
	if (auto rc = usable(comm, "ncclCommWindowDeregister"))
		return rc;
	if (window) {
		comm->windows.erase(window->buffer);
		delete window;
	}
	return ncclSuccess;
}

SOFTGPU_API ncclResult_t ncclWinGetUserPtr(ncclComm_t comm, ncclWindow_t window, void **buffer) {
	if (auto rc = usable(comm, "ncclWinGetUserPtr"))
		return rc;
	if (!window || !buffer)
		return ncclInvalidArgument;
	*buffer = window->buffer;
	return ncclSuccess;
}
