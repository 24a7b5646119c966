// Stands for libcuda's copies and memsets. An address that the driver knows must hold the whole range, as on a device;
// other addresses are pageable host memory. A stand-in for tests only.
#include "driver.h"

#include <cstring>

using namespace softgpu;

static void *at(CUdeviceptr p) { return reinterpret_cast<void *>(p); }

// within says whether a range on a device lies inside one allocation; of_device demands that it's on one.
static bool within(const void *p, size_t size, bool of_device) {
	auto a = find(p);
	if (!a)
		return !of_device;
	return uintptr_t(p) + size <= uintptr_t(a->base) + a->size;
}

static CUresult copy(void *to, const void *from, size_t size, CUstream s, bool wait, bool to_device, bool from_device) {
	if (auto rc = check())
		return rc;
	if (size == 0)
		return CUDA_SUCCESS;
	if (!to || !from || !within(to, size, to_device) || !within(from, size, from_device))
		return CUDA_ERROR_INVALID_VALUE;
	s = stream(s);
	if (wait && s->capture)
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	s->submit([=] { memmove(to, from, size); });
	if (wait)
		s->wait_for(s->last());
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t n) { return copy(at(to), at(from), n, nullptr, true, false, false); }
SOFTGPU_API CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream s) { return copy(at(to), at(from), n, s, false, false, false); }
SOFTGPU_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t n) { return copy(at(to), from, n, nullptr, true, true, false); }
SOFTGPU_API CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t n) { return copy(to, at(from), n, nullptr, true, false, true); }
SOFTGPU_API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t n) { return copy(at(to), at(from), n, nullptr, true, true, true); }
SOFTGPU_API CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t n, CUstream s) { return copy(to, at(from), n, s, false, false, true); }
SOFTGPU_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream s) { return copy(at(to), at(from), n, s, false, true, true); }

// From pageable memory the driver takes a copy before it returns.
SOFTGPU_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t n, CUstream s) {
	if (n == 0 || find(from) || check())
		return copy(at(to), from, n, s, false, true, false);
	if (!within(at(to), n, true))
		return CUDA_ERROR_INVALID_VALUE;
	auto bytes = static_cast<const char *>(from);
	auto taken = std::make_shared<std::vector<char>>(bytes, bytes + n);
	stream(s)->submit([=] { memcpy(at(to), taken->data(), n); });
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, size_t n) { return cuMemcpyDtoD_v2(to, from, n); }
SOFTGPU_API CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, size_t n, CUstream s) { return cuMemcpyDtoDAsync_v2(to, from, n, s); }

template <typename T> static CUresult fill(CUdeviceptr p, T value, size_t count, CUstream s, bool wait) {
	if (auto rc = check())
		return rc;
	if (count == 0)
		return CUDA_SUCCESS;
	if (p % sizeof(T) || !within(at(p), count * sizeof(T), true))
		return CUDA_ERROR_INVALID_VALUE;
	s = stream(s);
	s->submit([=] {
		auto to = static_cast<T *>(at(p));
		for (size_t i = 0; i < count; i++)
			to[i] = value;
	});
	if (wait)
		s->wait_for(s->last());
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemsetD8_v2(CUdeviceptr p, unsigned char v, size_t n) { return fill(p, v, n, nullptr, true); }
SOFTGPU_API CUresult cuMemsetD16_v2(CUdeviceptr p, unsigned short v, size_t n) { return fill(p, v, n, nullptr, true); }
SOFTGPU_API CUresult cuMemsetD32_v2(CUdeviceptr p, unsigned v, size_t n) { return fill(p, v, n, nullptr, true); }
SOFTGPU_API CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char v, size_t n, CUstream s) { return fill(p, v, n, s, false); }
SOFTGPU_API CUresult cuMemsetD16Async(CUdeviceptr p, unsigned short v, size_t n, CUstream s) { return fill(p, v, n, s, false); }
SOFTGPU_API CUresult cuMemsetD32Async(CUdeviceptr p, unsigned v, size_t n, CUstream s) { return fill(p, v, n, s, false); }
