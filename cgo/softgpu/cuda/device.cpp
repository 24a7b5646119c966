// Stands for the part of libcuda that knows devices and contexts. A stand-in for tests only.
#include "driver.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace softgpu;

// Tests and collbench know a stand-in by this symbol.
SOFTGPU_API const char softgpu_stand_in[] = "softgpu (stand-in) libcuda: results are simulated";

static std::atomic<bool> ready;
static thread_local std::vector<CUcontext> stack;

namespace softgpu {

bool initialized() { return ready; }

int capability() { return int(env_number("SOFTGPU_CAPABILITY", 90)); }

int driver() {
	if (auto f = fault("driver", {}))
		return int(f->number("version", 11040));
	return int(env_number("SOFTGPU_DRIVER", 13000));
}

// visible are the devices that CUDA_VISIBLE_DEVICES lets through, by number; the first that isn't there ends the list.
static std::vector<int> visible() {
	int there = int(env_number("SOFTGPU_DEVICES", 8));
	std::vector<int> numbers;
	const char *text = getenv("CUDA_VISIBLE_DEVICES");
	for (int i = 0; !text && i < there; i++)
		numbers.push_back(i);
	while (text && *text) {
		char *end;
		long n = strtol(text, &end, 10);
		if (end == text || n < 0 || n >= there)
			break;
		numbers.push_back(int(n));
		text = *end == ',' ? end + 1 : end;
	}
	return numbers;
}

static std::vector<Device> &devices() {
	static std::vector<Device> *all = [] {
		auto numbers = visible();
		auto made = new std::vector<Device>(numbers.size());
		for (size_t i = 0; i < made->size(); i++) {
			Device &d = (*made)[i];
			d.physical = numbers[i];
			d.total = size_t(env_number("SOFTGPU_MEMORY", 8L << 30));
			d.used = 0;
			d.primary.device = int(i);
			d.primary.primary = true;
		}
		return made;
	}();
	return *all;
}

int device_count() { return int(devices().size()); }
Device &device(int number) { return devices()[size_t(number)]; }

CUcontext current() { return stack.empty() ? nullptr : stack.back(); }

CUresult check() {
	if (!ready)
		return CUDA_ERROR_NOT_INITIALIZED;
	return current() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

} // namespace softgpu

static CUresult exists(CUdevice d) {
	if (!ready)
		return CUDA_ERROR_NOT_INITIALIZED;
	return d >= 0 && d < device_count() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

SOFTGPU_API CUresult cuInit(unsigned flags) {
	if (flags)
		return CUDA_ERROR_INVALID_VALUE;
	if (device_count() == 0)
		return CUDA_ERROR_NO_DEVICE;
	ready = true;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDriverGetVersion(int *version) {
	*version = driver();
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGetCount(int *count) {
	if (!ready)
		return CUDA_ERROR_NOT_INITIALIZED;
	*count = device_count();
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGet(CUdevice *d, int ordinal) {
	if (auto rc = exists(ordinal))
		return rc;
	*d = ordinal;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGetName(char *name, int size, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	snprintf(name, size_t(size), "softgpu (stand-in) device %d", device(d).physical);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	device_uuid(device(d).physical, reinterpret_cast<unsigned char *>(uuid->bytes));
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice d) { return cuDeviceGetUuid(uuid, d); }

SOFTGPU_API CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	*bytes = device(d).total;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGetPCIBusId(char *id, int size, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	snprintf(id, size_t(size), "0000:%02X:00.0", device(d).physical + 1);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceGetByPCIBusId(CUdevice *d, const char *id) {
	unsigned domain, bus;
	if (sscanf(id, "%x:%x", &domain, &bus) != 2)
		return CUDA_ERROR_INVALID_VALUE;
	for (int i = 0; i < device_count(); i++)
		if (device(i).physical == int(bus) - 1)
			return cuDeviceGet(d, i);
	return CUDA_ERROR_INVALID_DEVICE;
}

// Numbers of cuda.h's CUdevice_attribute. What the stand-in has not is 0: multicast, virtual memory, DMA-BUF.
SOFTGPU_API CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	switch (attribute) {
	case 1: *value = 1024; break;                // threads per block
	case 2: case 3: *value = 1024; break;        // block x, y
	case 4: *value = 64; break;                  // block z
	case 5: *value = 0x7fffffff; break;          // grid x
	case 6: case 7: *value = 65535; break;       // grid y, z
	case 8: *value = 48 << 10; break;            // shared memory per block
	case 10: *value = 32; break;                 // warp
	case 12: *value = 65536; break;              // registers per block
	case 13: *value = 1000000; break;            // clock, kHz
	case 16: *value = 4; break;                  // multiprocessors
	case 19: case 31: case 41: *value = 1; break; // mapped host memory, concurrent kernels, unified addressing
	case 33: *value = device(d).physical + 1; break;             // PCI bus
	case 36: *value = 1000000; break;            // memory clock, kHz
	case 37: *value = 64; break;                 // memory bus, bits
	case 39: *value = 2048; break;               // threads per multiprocessor
	case 40: *value = 2; break;                  // copy engines
	case 75: *value = capability() / 10; break;
	case 76: *value = capability() % 10; break;
	case 78: case 83: case 99: *value = 1; break; // stream priorities, managed memory, host register
	case 95: *value = 0; break;                   // cooperative launch
	case 97: *value = 48 << 10; break;            // opt-in shared memory
	case 115: *value = 1; break;                  // memory pools
	default: *value = 0;
	}
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDeviceCanAccessPeer(int *can, CUdevice a, CUdevice b) {
	if (auto rc = exists(a) ? exists(a) : exists(b))
		return rc;
	*can = a != b;
	return CUDA_SUCCESS;
}

// 1 performance rank, 2 access, 3 native atomics, 4 arrays.
SOFTGPU_API CUresult cuDeviceGetP2PAttribute(int *value, int attribute, CUdevice a, CUdevice b) {
	if (auto rc = exists(a) ? exists(a) : exists(b))
		return rc;
	*value = attribute == 2 && a != b;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	CUctx_st &primary = device(d).primary;
	std::lock_guard<std::mutex> hold(primary.lock);
	primary.references++;
	*context = &primary;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	CUctx_st &primary = device(d).primary;
	std::lock_guard<std::mutex> hold(primary.lock);
	if (primary.references == 0)
		return CUDA_ERROR_INVALID_CONTEXT;
	primary.references--;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice d, unsigned flags) {
	if (auto rc = exists(d))
		return rc;
	device(d).primary.flags = flags;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuDevicePrimaryCtxGetState(CUdevice d, unsigned *flags, int *active) {
	if (auto rc = exists(d))
		return rc;
	*flags = device(d).primary.flags;
	*active = device(d).primary.references > 0;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice d) {
	if (auto rc = exists(d))
		return rc;
	auto made = new CUctx_st;
	made->device = d;
	made->primary = false;
	made->flags = flags;
	stack.push_back(*context = made);
	return CUDA_SUCCESS;
}

// Its streams stay until the process ends: a test's handful.
SOFTGPU_API CUresult cuCtxDestroy_v2(CUcontext context) {
	if (!context || context->primary)
		return CUDA_ERROR_INVALID_CONTEXT;
	if (current() == context)
		stack.pop_back();
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxSetCurrent(CUcontext context) {
	if (!ready)
		return CUDA_ERROR_NOT_INITIALIZED;
	if (!stack.empty())
		stack.pop_back();
	if (context)
		stack.push_back(context);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxGetCurrent(CUcontext *context) {
	if (!ready)
		return CUDA_ERROR_NOT_INITIALIZED;
	*context = current();
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxPushCurrent_v2(CUcontext context) {
	if (!context)
		return CUDA_ERROR_INVALID_CONTEXT;
	stack.push_back(context);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxPopCurrent_v2(CUcontext *context) {
	if (stack.empty())
		return CUDA_ERROR_INVALID_CONTEXT;
	if (context)
		*context = stack.back();
	stack.pop_back();
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxGetDevice(CUdevice *d) {
	if (auto rc = check())
		return rc;
	*d = current()->device;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxGetFlags(unsigned *flags) {
	if (auto rc = check())
		return rc;
	*flags = current()->flags;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxGetApiVersion(CUcontext, unsigned *version) {
	*version = 3020; // what the driver answers for a context of the _v2 calls
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
	if (least)
		*least = 0;
	if (greatest)
		*greatest = -5;
	return check();
}

SOFTGPU_API CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned) {
	return peer ? check() : CUDA_ERROR_INVALID_CONTEXT;
}

SOFTGPU_API CUresult cuCtxDisablePeerAccess(CUcontext peer) { return peer ? check() : CUDA_ERROR_INVALID_CONTEXT; }
