// Stands for NCCL's use of libcuda, which is the stand-in beside it. For tests only.
#include "comm.h"

#include <dlfcn.h>

namespace softgpu {

static bool load(Driver *d) {
	void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
	const struct { const char *name; void *to; } symbols[] = {{"cuDriverGetVersion", &d->version},
		{"softgpu_enqueue", &d->enqueue}, {"softgpu_capturing", &d->capturing}, {"softgpu_device", &d->current_device},
		{"cuCtxGetCurrent", &d->context}, {"cuCtxSetCurrent", &d->use},
		{"cuMemAlloc_v2", &d->alloc}, {"cuMemFree_v2", &d->release}, {"cuDeviceGetAttribute", &d->attribute},
		{"cuEventCreate", &d->event_create}, {"cuEventRecord", &d->event_record}, {"cuStreamWaitEvent", &d->event_wait},
		{"cuEventSynchronize", &d->event_synchronize}, {"cuEventDestroy_v2", &d->event_destroy},
		{"cuMemGetAddressRange_v2", &d->address_range}};
	for (auto &s : symbols)
		if (!(*static_cast<void **>(s.to) = dlsym(library, s.name)))
			return false; // the real libcuda, or one with a symbol missing
	return true;
}

// A library that was built for CUDA 12 or 13 needs the driver's like.
const Driver *driver() {
	static Driver found;
	static const bool loaded = load(&found);
	int version = 0;
	if (loaded)
		found.version(&version);
	if (version < 12000) {
		const char *text = "CUDA driver version is insufficient for CUDA runtime version";
		release() >= 22800 ? warn(-1, "Cuda failure 35 '%s'", text) : warn(-1, "Cuda failure '%s'", text);
		return nullptr;
	}
	return &found;
}

ncclResult_t cuda_failed(int code) {
	if (code == 0)
		return ncclSuccess;
	warn(-1, "Cuda failure %d '%s'", code, code == 2 ? "out of memory" : "unknown error");
	return ncclUnhandledCudaError;
}

// What one stream does from now on waits for what another has to do.
void order_streams(cudaStream_t before, cudaStream_t after) {
	void *event = nullptr;
	if (before == after || driver()->event_create(&event, disable_timing))
		return;
	driver()->event_record(event, before);
	driver()->event_wait(after, event, 0);
	driver()->event_destroy(event);
}

} // namespace softgpu
