// Stands for the part of libnvidia-ml that says how devices are connected: every device by 18 links to switches, all in
// one clique of one fabric; the links' counters are what the stand-in libnccl has counted, spread evenly over the links.
// SOFTGPU_LINKS_DOWN=n: so many links of each device are inactive. A stand-in for tests only.
#include "nvml.h"

#include "../common/traffic.h"

#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace softgpu;

// The file that processes share, or the counters of this process's libnccl, or nothing yet.
static const Traffic *traffic() {
	static const Traffic *shared = [] {
		const size_t size = sizeof(Traffic) * traffic_devices;
		int file = env("SOFTGPU_COUNTERS") ? open(env("SOFTGPU_COUNTERS"), O_RDWR | O_CLOEXEC) : -1;
		void *base = file >= 0 && ftruncate(file, off_t(size)) == 0 ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
		if (file >= 0)
			close(file);
		return base == MAP_FAILED ? nullptr : static_cast<const Traffic *>(base);
	}();
	if (shared)
		return shared;
	void *library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_NOLOAD);
	auto find = library ? reinterpret_cast<Traffic *(*)()>(dlsym(library, traffic_symbol)) : nullptr;
	return find ? find() : nullptr;
}

static nvmlReturn_t link_of(nvmlDevice_t device, unsigned link) {
	nvmlReturn_t why;
	number(device, &why);
	return why ? why : link >= links ? NVML_ERROR_INVALID_ARGUMENT : NVML_SUCCESS;
}

static bool up(unsigned link) { return link < links - unsigned(env_number("SOFTGPU_LINKS_DOWN", 0)); }

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned link, int *active) {
	*active = up(link);
	return link_of(device, link);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkVersion(nvmlDevice_t device, unsigned link, unsigned *version) {
	long capability = env_number("SOFTGPU_CAPABILITY", 90);
	*version = capability >= 100 ? 8 : capability >= 90 ? 7 : 5; // of NVLink 5, 4, 3, as NVML counts
	return link_of(device, link);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkCapability(nvmlDevice_t device, unsigned link, int capability, unsigned *can) {
	*can = capability == 0 || capability == 1; // peer-to-peer, system memory
	return link_of(device, link);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo_v2(nvmlDevice_t device, unsigned link, nvmlPciInfo_t *info) {
	pci(int(0x80 + link % 4), info); // four switches
	return link_of(device, link);
}
SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo(nvmlDevice_t device, unsigned link, nvmlPciInfo_t *info) {
	return nvmlDeviceGetNvLinkRemotePciInfo_v2(device, link, info);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(nvmlDevice_t device, unsigned link, int *type) {
	*type = 2; // a switch
	return link_of(device, link);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNvLinkErrorCounter(nvmlDevice_t device, unsigned link, int, unsigned long long *errors) {
	*errors = 0;
	return link_of(device, link);
}

static nvmlReturn_t pair(nvmlDevice_t a, nvmlDevice_t b) {
	nvmlReturn_t why;
	number(a, &why);
	if (!why)
		number(b, &why);
	return why;
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t a, nvmlDevice_t b, int *level) {
	*level = a == b ? 0 : 40; // internal; NUMA node
	return pair(a, b);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t a, nvmlDevice_t b, int capability, int *status) {
	*status = capability >= 0 && capability <= 3 ? 0 : 5; // read, write, NVLink, atomics; not PCI
	return pair(a, b);
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetCpuAffinity(nvmlDevice_t device, unsigned size, unsigned long *set) {
	nvmlReturn_t why;
	number(device, &why);
	memset(set, 0, size * sizeof *set);
	if (size > 0)
		set[0] = ~0ul;
	return why;
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetNumaNodeId(nvmlDevice_t device, unsigned *node) {
	nvmlReturn_t why;
	number(device, &why);
	*node = 0;
	return why;
}

static const unsigned char cluster[16] = {'s', 'o', 'f', 't', 'g', 'p', 'u', ' ', 's', 't', 'a', 'n', 'd', '-', 'i', 'n'};
static const unsigned char completed = 3;

SOFTGPU_API nvmlReturn_t nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device, nvmlGpuFabricInfo_t *info) {
	nvmlReturn_t why;
	number(device, &why);
	memcpy(info->cluster, cluster, sizeof cluster);
	info->status = NVML_SUCCESS;
	info->clique = 0;
	info->state = completed;
	return why;
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, nvmlGpuFabricInfoV_t *info) {
	nvmlReturn_t why;
	unsigned version = info->version >> 24;
	if (number(device, &why) < 0)
		return why;
	if (version != 2 && version != 3)
		return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
	memcpy(info->cluster, cluster, sizeof cluster);
	info->status = NVML_SUCCESS;
	info->clique = 0;
	info->state = completed;
	info->health_mask = 0;
	if (version == 3)
		info->health_summary = 1; // healthy
	return NVML_SUCCESS;
}

// counted is a device's bytes on one link, or on all of them.
static nvmlReturn_t counted(int n, unsigned scope, bool sent, unsigned long long *bytes) {
	const Traffic *t = n < traffic_devices ? traffic() : nullptr;
	unsigned long long whole = !t ? 0 : sent ? t[n].sent.load() : t[n].received.load();
	if (scope != ~0u && scope >= links)
		return NVML_ERROR_INVALID_ARGUMENT;
	*bytes = scope == ~0u ? whole : whole / links + (scope < whole % links);
	return NVML_SUCCESS;
}

// Numbers of the fields in nvml.h: 91 links, 90 their MB/s, 138 … 141 KiB sent and received without and with protocol,
// 202 and 204 bytes sent and received.
static nvmlReturn_t field(int n, nvmlFieldValue_t *f) {
	unsigned long long bytes = 0;
	nvmlReturn_t why = NVML_SUCCESS;
	f->type = 3;
	switch (f->field) {
	case 90: f->value.ull = 26562; break;
	case 91: f->value.ull = links; break;
	case 138: case 139: case 140: case 141:
		why = counted(n, f->scope, f->field % 2 == 0, &bytes);
		f->value.ull = bytes >> 10;
		break;
	case 202: case 204: // came with NVLink 5
		if (env_number("SOFTGPU_CAPABILITY", 90) < 100)
			return NVML_ERROR_NOT_SUPPORTED;
		why = counted(n, f->scope, f->field == 202, &bytes);
		f->value.ull = bytes;
		break;
	default: why = NVML_ERROR_NOT_SUPPORTED;
	}
	return why;
}

SOFTGPU_API nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *values) {
	nvmlReturn_t why;
	int n = number(device, &why);
	for (int i = 0; !why && i < count; i++) {
		values[i].timestamp = (long long)time(nullptr) * 1000000;
		values[i].latency = 0;
		values[i].result = field(n, &values[i]);
	}
	return why;
}
