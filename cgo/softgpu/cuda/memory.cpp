// Stands for libcuda's memory. Device memory is an anonymous file mapped into the process, so that other processes can
// map it too and nothing is left when they're gone. A stand-in for tests only.
#include "driver.h"

#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace softgpu;

static std::mutex lock;
static std::map<uintptr_t, std::shared_ptr<Allocation>> known; // by base

namespace softgpu {

std::shared_ptr<Allocation> find(const void *address) {
	std::lock_guard<std::mutex> hold(lock);
	auto after = known.upper_bound(uintptr_t(address));
	if (after == known.begin())
		return nullptr;
	auto found = std::prev(after)->second;
	return uintptr_t(address) < uintptr_t(found->base) + found->size ? found : nullptr;
}

static void keep(std::shared_ptr<Allocation> a) {
	std::lock_guard<std::mutex> hold(lock);
	known[uintptr_t(a->base)] = a;
}

static size_t whole_pages(size_t size) { return (size + 4095) & ~size_t(4095); }

static bool on_device(const Allocation &a) { return a.kind == Allocation::device || a.kind == Allocation::managed; }

CUresult allocate(Allocation::Kind kind, size_t size, void **address) {
	if (auto rc = check())
		return rc;
	if (size == 0)
		return CUDA_ERROR_INVALID_VALUE;
	int owner = current()->device;
	Device &d = device(owner);
	Place place;
	place.device = d.physical;
	place.bytes = size;
	std::lock_guard<std::mutex> hold(d.lock);
	bool charged = kind != Allocation::host;
	if (charged && (fault("out-of-memory", place) || size > d.total - d.used))
		return CUDA_ERROR_OUT_OF_MEMORY;
	int file = memfd_create("softgpu (stand-in) memory", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, off_t(whole_pages(size))) != 0) {
		close(file);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	void *base = mmap(nullptr, whole_pages(size), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (base == MAP_FAILED) {
		close(file);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	if (charged)
		d.used += size;
	keep(std::make_shared<Allocation>(Allocation{kind, static_cast<char *>(base), size, owner, file}));
	*address = base;
	return CUDA_SUCCESS;
}

CUresult release(const void *address, bool of_host) {
	std::shared_ptr<Allocation> a;
	{
		std::lock_guard<std::mutex> hold(lock);
		auto at = known.find(uintptr_t(address));
		if (at == known.end() || (of_host ? at->second->kind != Allocation::host : !on_device(*at->second)))
			return CUDA_ERROR_INVALID_VALUE;
		a = at->second;
		known.erase(at);
	}
	if (on_device(*a)) {
		std::lock_guard<std::mutex> hold(device(a->owner).lock);
		device(a->owner).used -= a->size;
	}
	munmap(a->base, whole_pages(a->size));
	close(a->file);
	return CUDA_SUCCESS;
}

} // namespace softgpu

SOFTGPU_API CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t size) {
	return allocate(Allocation::device, size, reinterpret_cast<void **>(p));
}

SOFTGPU_API CUresult cuMemAllocManaged(CUdeviceptr *p, size_t size, unsigned) {
	return allocate(Allocation::managed, size, reinterpret_cast<void **>(p));
}

// What is queued is finished first, as by the driver.
SOFTGPU_API CUresult cuCtxSynchronize();
SOFTGPU_API CUresult cuMemFree_v2(CUdeviceptr p) {
	if (auto rc = check())
		return rc;
	if (p == 0)
		return CUDA_SUCCESS;
	cuCtxSynchronize();
	return release(reinterpret_cast<void *>(p), false);
}

SOFTGPU_API CUresult cuMemGetInfo_v2(size_t *available, size_t *total) {
	if (auto rc = check())
		return rc;
	Device &d = device(current()->device);
	std::lock_guard<std::mutex> hold(d.lock);
	*total = d.total;
	*available = d.total - d.used;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *size, CUdeviceptr p) {
	auto a = find(reinterpret_cast<void *>(p));
	if (!a)
		return CUDA_ERROR_NOT_FOUND;
	if (base)
		*base = CUdeviceptr(uintptr_t(a->base));
	if (size)
		*size = a->size;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemHostAlloc(void **p, size_t size, unsigned) { return allocate(Allocation::host, size, p); }
SOFTGPU_API CUresult cuMemAllocHost_v2(void **p, size_t size) { return allocate(Allocation::host, size, p); }
SOFTGPU_API CUresult cuMemFreeHost(void *p) { return release(p, true); }

SOFTGPU_API CUresult cuMemHostRegister_v2(void *p, size_t size, unsigned) {
	if (auto rc = check())
		return rc;
	if (!p || !size)
		return CUDA_ERROR_INVALID_VALUE;
	if (find(p))
		return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
	keep(std::make_shared<Allocation>(Allocation{Allocation::registered, static_cast<char *>(p), size, current()->device, -1}));
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemHostUnregister(void *p) {
	std::lock_guard<std::mutex> hold(lock);
	auto at = known.find(uintptr_t(p));
	if (at == known.end() || at->second->kind != Allocation::registered)
		return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
	known.erase(at);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *device_pointer, void *p, unsigned) {
	auto a = find(p);
	if (!a || on_device(*a))
		return CUDA_ERROR_INVALID_VALUE;
	*device_pointer = CUdeviceptr(uintptr_t(p));
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuMemAllocAsync(CUdeviceptr *p, size_t size, CUstream) { return cuMemAlloc_v2(p, size); }

SOFTGPU_API CUresult cuMemFreeAsync(CUdeviceptr p, CUstream s) {
	if (auto rc = check())
		return rc;
	auto a = find(reinterpret_cast<void *>(p));
	if (!a || a->kind != Allocation::device)
		return CUDA_ERROR_INVALID_VALUE;
	stream(s)->submit([p] { release(reinterpret_cast<void *>(p), false); });
	return CUDA_SUCCESS;
}

// 1 context, 2 memory type (1 host, 2 device), 3 device pointer, 4 host pointer, 8 managed, 9 device, 11 start, 12 size.
SOFTGPU_API CUresult cuPointerGetAttribute(void *value, int attribute, CUdeviceptr p) {
	if (auto rc = check())
		return rc;
	auto a = find(reinterpret_cast<void *>(p));
	if (!a)
		return CUDA_ERROR_INVALID_VALUE;
	bool host = a->kind == Allocation::host || a->kind == Allocation::registered;
	switch (attribute) {
	case 1: *static_cast<CUcontext *>(value) = &device(a->owner).primary; break;
	case 2: *static_cast<unsigned *>(value) = host ? 1 : 2; break;
	case 3: case 4: *static_cast<CUdeviceptr *>(value) = p; break;
	case 8: *static_cast<int *>(value) = a->kind == Allocation::managed; break;
	case 9: *static_cast<int *>(value) = a->owner; break;
	case 11: *static_cast<CUdeviceptr *>(value) = CUdeviceptr(uintptr_t(a->base)); break;
	case 12: *static_cast<size_t *>(value) = a->size; break;
	default: return CUDA_ERROR_NOT_SUPPORTED;
	}
	return CUDA_SUCCESS;
}

// A handle names the file of a process; it's opened anew through /proc, which works among processes of one user and
// one PID namespace.
struct Handle { char magic[8]; pid_t process; int file; size_t size; size_t offset; };
static const char magic[8] = {'s', 'o', 'f', 't', 'g', 'p', 'u', '1'};

SOFTGPU_API CUresult cuIpcGetMemHandle(CUipcMemHandle *handle, CUdeviceptr p) {
	auto a = find(reinterpret_cast<void *>(p));
	if (!a || a->kind != Allocation::device)
		return CUDA_ERROR_INVALID_VALUE;
	Handle h{{}, getpid(), a->file, a->size, 0};
	memcpy(h.magic, magic, sizeof magic);
	memset(handle, 0, sizeof *handle);
	memcpy(handle, &h, sizeof h);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuIpcOpenMemHandle_v2(CUdeviceptr *p, CUipcMemHandle handle, unsigned) {
	if (auto rc = check())
		return rc;
	Handle h;
	memcpy(&h, &handle, sizeof h);
	if (memcmp(h.magic, magic, sizeof magic) != 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (h.process == getpid())
		return CUDA_ERROR_INVALID_CONTEXT; // as with the driver: not in the process that made it
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd/%d", h.process, h.file);
	int file = open(path, O_RDWR | O_CLOEXEC);
	void *base = file < 0 ? MAP_FAILED : mmap(nullptr, whole_pages(h.size), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (base == MAP_FAILED) {
		close(file);
		return CUDA_ERROR_INVALID_VALUE;
	}
	keep(std::make_shared<Allocation>(
		Allocation{Allocation::imported, static_cast<char *>(base), h.size, current()->device, file}));
	*p = CUdeviceptr(uintptr_t(base));
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuIpcCloseMemHandle(CUdeviceptr p) {
	std::lock_guard<std::mutex> hold(lock);
	auto at = known.find(uintptr_t(p));
	if (at == known.end() || at->second->kind != Allocation::imported)
		return CUDA_ERROR_INVALID_VALUE;
	munmap(at->second->base, whole_pages(at->second->size));
	close(at->second->file);
	known.erase(at);
	return CUDA_SUCCESS;
}
