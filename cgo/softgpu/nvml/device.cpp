// Stands for the part of libnvidia-ml that says what a device is: identity, memory, clocks, modes. Figures of a machine
// come from the environment: SOFTGPU_DEVICES, SOFTGPU_CAPABILITY, SOFTGPU_THROTTLE (reasons, a bit mask),
// SOFTGPU_MIG=1, SOFTGPU_VIRTUALIZATION (0 none, 1 passthrough, 2 vGPU). A stand-in for tests only.
#include "nvml.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <strings.h>

using namespace softgpu;

SOFTGPU_API const char softgpu_stand_in[] = "softgpu (stand-in) libnvidia-ml: results are simulated";

static std::atomic<int> users;

namespace softgpu {

int device_count() { return int(env_number("SOFTGPU_DEVICES", 8)); }
nvmlDevice_t handle(int number) { return reinterpret_cast<nvmlDevice_t>(uintptr_t(number + 1) * 0x1000); }

int number(nvmlDevice_t device, nvmlReturn_t *why) {
	int n = int(uintptr_t(device) / 0x1000) - 1;
	*why = users == 0 ? NVML_ERROR_UNINITIALIZED : n < 0 || n >= device_count() ? NVML_ERROR_INVALID_ARGUMENT : NVML_SUCCESS;
	return *why ? -1 : n;
}

void pci(int number, nvmlPciInfo_t *info) {
	memset(info, 0, sizeof *info);
	info->bus = unsigned(number + 1);
	info->device_id = 0x233010de;
	snprintf(info->legacy_id, sizeof info->legacy_id, "0000:%02X:00.0", info->bus);
	snprintf(info->id, sizeof info->id, "00000000:%02X:00.0", info->bus);
}

} // namespace softgpu

// say gives a text where it fits.
static nvmlReturn_t say(const char *text, char *to, unsigned size) {
	if (strlen(text) + 1 > size)
		return NVML_ERROR_INSUFFICIENT_SIZE;
	strcpy(to, text);
	return NVML_SUCCESS;
}

// set gives a value where the device is one.
template <typename T, typename V> static nvmlReturn_t set(nvmlDevice_t device, T *to, V value) {
	nvmlReturn_t why;
	if (number(device, &why) >= 0)
		*to = T(value);
	return why;
}

SOFTGPU_API nvmlReturn_t nvmlInit_v2() {
	users++;
	return NVML_SUCCESS;
}
SOFTGPU_API nvmlReturn_t nvmlInit() { return nvmlInit_v2(); }
SOFTGPU_API nvmlReturn_t nvmlInitWithFlags(unsigned) { return nvmlInit_v2(); }
SOFTGPU_API nvmlReturn_t nvmlShutdown() {
	if (users == 0)
		return NVML_ERROR_UNINITIALIZED;
	users--;
	return NVML_SUCCESS;
}

SOFTGPU_API const char *nvmlErrorString(nvmlReturn_t code) {
	switch (code) {
	case NVML_SUCCESS: return "Success";
	case NVML_ERROR_UNINITIALIZED: return "Uninitialized";
	case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
	case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
	case NVML_ERROR_NOT_FOUND: return "Not Found";
	case NVML_ERROR_INSUFFICIENT_SIZE: return "Insufficient Size";
	case NVML_ERROR_ARGUMENT_VERSION_MISMATCH: return "Argument version mismatch";
	}
	return "Unknown Error";
}

SOFTGPU_API nvmlReturn_t nvmlSystemGetDriverVersion(char *text, unsigned size) { return say("580.0 softgpu (stand-in)", text, size); }
SOFTGPU_API nvmlReturn_t nvmlSystemGetNVMLVersion(char *text, unsigned size) { return say("13.580.0 softgpu (stand-in)", text, size); }
SOFTGPU_API nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *version) {
	*version = int(env_number("SOFTGPU_DRIVER", 13000));
	return NVML_SUCCESS;
}
SOFTGPU_API nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) { return nvmlSystemGetCudaDriverVersion(version); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) {
	*count = unsigned(device_count());
	return users ? NVML_SUCCESS : NVML_ERROR_UNINITIALIZED;
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetCount(unsigned *count) { return nvmlDeviceGetCount_v2(count); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device) {
	nvmlReturn_t why;
	*device = handle(int(index));
	number(*device, &why);
	return why;
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned index, nvmlDevice_t *device) { return nvmlDeviceGetHandleByIndex_v2(index, device); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *id, nvmlDevice_t *device) {
	unsigned domain, bus;
	if (sscanf(id, "%x:%x", &domain, &bus) != 2)
		return NVML_ERROR_INVALID_ARGUMENT;
	nvmlReturn_t why = nvmlDeviceGetHandleByIndex_v2(bus - 1, device);
	return why == NVML_ERROR_INVALID_ARGUMENT ? NVML_ERROR_NOT_FOUND : why;
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetHandleByPciBusId(const char *id, nvmlDevice_t *device) { return nvmlDeviceGetHandleByPciBusId_v2(id, device); }

static void uuid(int n, char text[64]) {
	unsigned char b[16];
	device_uuid(n, b);
	snprintf(text, 64, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
		b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *text, unsigned size) {
	nvmlReturn_t why;
	char own[64];
	int n = number(device, &why);
	if (why)
		return why;
	uuid(n, own);
	return say(own, text, size);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *wanted, nvmlDevice_t *device) {
	for (int n = 0; n < device_count(); n++) {
		char own[64];
		uuid(n, own);
		if (strcasecmp(own, wanted) == 0)
			return nvmlDeviceGetHandleByIndex_v2(unsigned(n), device);
	}
	return NVML_ERROR_NOT_FOUND;
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *text, unsigned size) {
	nvmlReturn_t why;
	char own[64];
	int n = number(device, &why);
	if (why)
		return why;
	snprintf(own, sizeof own, "softgpu (stand-in) device %d", n);
	return say(own, text, size);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetSerial(nvmlDevice_t device, char *text, unsigned size) {
	nvmlReturn_t why;
	number(device, &why);
	return why ? why : say("softgpu", text, size);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info) {
	nvmlReturn_t why;
	int n = number(device, &why);
	if (!why)
		pci(n, info);
	return why;
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetPciInfo(nvmlDevice_t device, nvmlPciInfo_t *info) { return nvmlDeviceGetPciInfo_v3(device, info); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetPciInfo_v2(nvmlDevice_t device, nvmlPciInfo_t *info) { return nvmlDeviceGetPciInfo_v3(device, info); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *index) {
	nvmlReturn_t why;
	int n = number(device, &why);
	if (!why)
		*index = unsigned(n);
	return why;
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned *minor) { return nvmlDeviceGetIndex(device, minor); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor) {
	long capability = env_number("SOFTGPU_CAPABILITY", 90);
	nvmlReturn_t why = set(device, major, capability / 10);
	return why ? why : set(device, minor, capability % 10);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
	nvmlReturn_t why;
	auto total = static_cast<unsigned long long>(env_number("SOFTGPU_MEMORY", 8L << 30));
	if (number(device, &why) >= 0)
		*memory = {total, total, 0};
	return why;
}

// MHz of graphics, SM, memory and video clocks; a throttled device has half.
SOFTGPU_API nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t device, int clock, unsigned *mhz) {
	return clock < 0 || clock > 3 ? NVML_ERROR_INVALID_ARGUMENT : set(device, mhz, clock == 2 ? 2000 : 1000);
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int clock, unsigned *mhz) {
	nvmlReturn_t why = nvmlDeviceGetMaxClockInfo(device, clock, mhz);
	if (!why && clock != 2 && (env_number("SOFTGPU_THROTTLE", 0) & ~1L))
		*mhz /= 2;
	return why;
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetApplicationsClock(nvmlDevice_t device, int clock, unsigned *mhz) { return nvmlDeviceGetMaxClockInfo(device, clock, mhz); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *reasons) {
	return set(device, reasons, env_number("SOFTGPU_THROTTLE", 0));
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) {
	return nvmlDeviceGetCurrentClocksEventReasons(device, reasons);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned *now, unsigned *pending) {
	nvmlReturn_t why = set(device, now, env_number("SOFTGPU_MIG", 0));
	return why ? why : set(device, pending, env_number("SOFTGPU_MIG", 0));
}
SOFTGPU_API nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned *is) { return set(device, is, 0); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetVirtualizationMode(nvmlDevice_t device, int *mode) { return set(device, mode, env_number("SOFTGPU_VIRTUALIZATION", 0)); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetPersistenceMode(nvmlDevice_t device, int *on) { return set(device, on, 1); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int, unsigned *celsius) { return set(device, celsius, 40); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *milliwatts) { return set(device, milliwatts, 100000); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned *milliwatts) { return set(device, milliwatts, 700000); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetPerformanceState(nvmlDevice_t device, int *state) { return set(device, state, 0); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) { return set(device, rates, nvmlUtilization_t{0, 0}); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device, unsigned *generation) { return set(device, generation, 5); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetMaxPcieLinkGeneration(nvmlDevice_t device, unsigned *generation) { return set(device, generation, 5); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device, unsigned *width) { return set(device, width, 16); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetMaxPcieLinkWidth(nvmlDevice_t device, unsigned *width) { return set(device, width, 16); }
SOFTGPU_API nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, int *now, int *pending) {
	nvmlReturn_t why = set(device, now, 1);
	return why ? why : set(device, pending, 1);
}
