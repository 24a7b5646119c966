// Stands for nvml.h: our own declaration of the few types that the stand-in needs. A stand-in for tests only.
#pragma once

#include "../common/softgpu.h"

#include <cstdint>

typedef struct nvmlDevice_st *nvmlDevice_t;
typedef int nvmlReturn_t;
enum { NVML_SUCCESS = 0, NVML_ERROR_UNINITIALIZED = 1, NVML_ERROR_INVALID_ARGUMENT = 2, NVML_ERROR_NOT_SUPPORTED = 3,
	NVML_ERROR_NOT_FOUND = 6, NVML_ERROR_INSUFFICIENT_SIZE = 7, NVML_ERROR_ARGUMENT_VERSION_MISMATCH = 25 };

struct nvmlPciInfo_t {
	char legacy_id[16];
	unsigned domain, bus, device, device_id, subsystem_id;
	char id[32];
};
struct nvmlMemory_t { unsigned long long total, available, used; };
struct nvmlUtilization_t { unsigned gpu, memory; };
union nvmlValue_t { double d; int si; unsigned ui; unsigned long ul; unsigned long long ull; };
struct nvmlFieldValue_t {
	unsigned field, scope; // scope: the link, or all of them
	long long timestamp, latency;
	int type; // 1 unsigned, 3 unsigned long long
	nvmlReturn_t result;
	nvmlValue_t value;
};
struct nvmlGpuFabricInfo_t { unsigned char cluster[16]; nvmlReturn_t status; unsigned clique; unsigned char state; };
struct nvmlGpuFabricInfoV_t { // version 3; 2 ends before the summary
	unsigned version;
	unsigned char cluster[16];
	nvmlReturn_t status;
	unsigned clique;
	unsigned char state;
	unsigned health_mask;
	unsigned char health_summary;
};

namespace softgpu {

const unsigned links = 18; // of a device, all to switches

// number is a device's, or -1 with the reason in why.
int number(nvmlDevice_t device, nvmlReturn_t *why);
nvmlDevice_t handle(int number);
int device_count();
void pci(int number, nvmlPciInfo_t *info);

} // namespace softgpu
